"""How the tests are shared out where several processes run them (``--dist loadscope``): a switch to a process.

Most of a live test is waiting for what is spoken, so that four processes on two processors are not too many. Each has
a network of its own where it may make one (as root): the switches of two never meet.
"""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.live.network import Network

NETWORK = pytest.StashKey()


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        network = Network()
        config.stash[NETWORK] = network, network.entered()
        config.stash[NETWORK][1].__enter__()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return BySwitch(config, log) if config.getvalue("dist") == "loadscope" else None


class BySwitch(LoadScopeScheduling):
    """All tests of the appliance on one switch go to one process, as they share it; others by their file."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        switch = re.search(r"\[(freeswitch|asterisk)\b", nodeid)
        return f"appliance on {switch[1]}" if switch and file.startswith(("tests/live/", "tests/faults/")) else file
