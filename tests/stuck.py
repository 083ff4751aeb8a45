"""A test that stands still is told, with what every greenlet waits for, before the run is killed from outside.

Hooks, named in conftest.py. pytest's own watch (faulthandler_timeout in pyproject.toml) then ends the process with
the stacks of its threads: a failed run that says where, instead of one that a machine ends after an hour and a half.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Iterator

import pytest
from gevent import util
from greenlet import getcurrent, greenlet

# So long before pytest ends the process: enough for the stacks of some thousand greenlets.
BEFORE = 20.0

_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the error output of the run: while a test runs, pytest has its own in its place."""
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watches one test, from a thread of its own: a hub that is held runs nothing else."""
    limit = float(item.config.getini("faulthandler_timeout"))
    if limit <= BEFORE:
        return (yield)
    watch = threading.Timer(limit - BEFORE, _tell, (item, limit, getcurrent()))
    watch.daemon = True
    watch.start()
    try:
        return (yield)
    finally:
        watch.cancel()


def _tell(test: pytest.Item, limit: float, runner: greenlet) -> None:
    lines = [f"\n{test.nodeid} stands still and is ended after {limit:.0f} s. It is here:"]
    lines += (
        traceback.format_stack(runner.gr_frame)[-20:] if runner.gr_frame else ["  it runs, or holds the hub: see below"]
    )
    lines += ["Every greenlet, and what it waits for:", *util.format_run_info()]
    os.write(test.config.stash[_STDERR], "\n".join([*lines, ""]).encode())
