"""The tests' own network, also for users who are not root where the kernel lets them."""

import subprocess
import sys

import pytest

from tests.live import network


def run(*command):
    done = subprocess.run(
        [sys.executable, "-m", "tests.live.network", *command], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_whoever_runs_it_finds_loopback_up():
    ping = "import socket; a = socket.create_server(('127.0.0.1', 0)); socket.create_connection(a.getsockname())"
    assert run(sys.executable, "-c", f"{ping}; print('up')").splitlines()[-1] == "up"


@pytest.mark.parametrize(("allowed", "runs"), [(True, [*network.AS_ROOT, "sh", "-c", network.UP, "sh"]), (False, [])])
def test_an_ordinary_user_gets_it_where_the_kernel_allows_that(monkeypatch, capsys, allowed, runs):
    became = []
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.execvp", lambda program, command: became.append(list(command)))
    monkeypatch.setattr(network, "_may_be_root", lambda: allowed)
    network.main(["pytest", "-m", "live"])
    assert became == [[*runs, "pytest", "-m", "live"]]
    assert ("need root" in capsys.readouterr().out) is not allowed


def test_root_needs_nothing_else(monkeypatch):
    became = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.execvp", lambda program, command: became.append(list(command)))
    network.main(["pytest"])
    assert became == [["pytest"]]
