"""A test that stands still is told, with where every greenlet waits, and ends the run before a machine does that.

Hooks, named in conftest.py. HOTLINE_TEST_WITHIN is how long a test may take, in seconds; 0 is for ever.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import threading
import traceback
from collections.abc import Iterator

import pytest
from greenlet import greenlet

WITHIN = float(os.environ.get("HOTLINE_TEST_WITHIN", "600"))  # the longest, a live one, kills for four minutes
BEFORE = 20.0  # so long before the end it is told: enough for the stacks of some thousand greenlets
INNERMOST = 12  # frames

_STDERR = pytest.StashKey[int]()
_WATCH = pytest.StashKey[threading.Timer]()


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the error output of the run: while a test runs, pytest has its own in its place."""
    config.stash[_STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    os.close(config.stash[_STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Watches one test, from threads of its own: a hub that is held runs nothing else, an interpreter no thread."""
    if WITHIN <= BEFORE:
        return (yield)
    watch = item.config.stash[_WATCH] = threading.Timer(WITHIN - BEFORE, _tell, (item,))
    watch.daemon = True
    watch.start()
    _end_in(WITHIN, item)
    try:
        return (yield)
    finally:
        del item.config.stash[_WATCH]
        watch.cancel()
        faulthandler.cancel_dump_traceback_later()


def pytest_enter_pdb(config: pytest.Config) -> None:
    if watch := config.stash.get(_WATCH, None):
        watch.cancel()


def _tell(test: pytest.Item) -> None:
    if test.config.stash.get(_WATCH, None) is not threading.current_thread():
        return  # it has ended just now
    _end_in(BEFORE, test)  # anew: pytest leaves off at the first failure, and what does not stop hangs a test after one
    _say(test, f"\n{test.nodeid} stands still and is ended in {BEFORE:.0f} s. Its greenlets wait here:\n")
    for each in gc.get_objects():
        if issubclass(type(each), greenlet) and (frame := each.gr_frame) is not None:  # not what a proxy stands for
            _say(test, f"{each!r}\n{''.join(traceback.format_stack(frame)[-INNERMOST:])}")


def _end_in(seconds: float, test: pytest.Item) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=test.config.stash[_STDERR])


def _say(test: pytest.Item, text: str) -> None:
    os.write(test.config.stash[_STDERR], text.encode())
