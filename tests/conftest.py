"""How the tests are shared out: several processes, and a whole switch with all its tests in one of them.

Most of a live test is waiting for what is spoken, so that four processes on two processors are not too many.
Each process has a network of its own where it may make one (as root): the switches of two never meet.
"""

import pytest

from tests.live.network import Network


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        network = Network()
        config.stash[NETWORK] = network, network.entered()
        config.stash[NETWORK][1].__enter__()


def pytest_itemcollected(item):
    """Not where items are modified: there xdist has read the groups already."""
    if item.get_closest_marker("live"):
        item.add_marker(pytest.mark.xdist_group(_exchange(item)))


def _exchange(item):
    """What the test needs for itself: a switch with an appliance, or a switch alone; else the file's own."""
    appliance = item.callspec.params.get("running") if hasattr(item, "callspec") else None
    return f"appliance on {appliance}" if appliance else str(item.path.relative_to(item.config.rootpath))


NETWORK = pytest.StashKey()
