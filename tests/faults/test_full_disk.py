"""The real process on a disk that takes not one byte more: it starts, takes calls, says so, and stops."""

import signal
import subprocess
import sys

import pytest

from cti.client import Control
from tests.installation import PROGRAM, install

FULL = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Machine:
    """One installation. What its process says goes into pipes, as with systemd: a file would take nothing either."""

    def __init__(self, home):
        self.control = Control(home / "var" / "run" / "hotline.sock")
        self._command = [PROGRAM, "--config", str(install(home))]

    def run(self, *before):
        """A process that takes calls."""
        process = subprocess.Popen(
            [sys.executable, *before, *self._command, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n", process.communicate()
        return process

    def stop(self, process):
        """What it has said."""
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return said


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_full_disk_keeps_no_appliance_from_starting(machine):
    machine.stop(machine.run())
    process = machine.run("-c", FULL)
    troubles = machine.control.ask("status")["troubles"]
    said = machine.stop(process)
    assert "the journal cannot be written: File too large" in troubles
    assert "the process id cannot be written" in said
    assert "Traceback" not in said
