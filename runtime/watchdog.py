"""Watching that calls are served: how late the hub is, what held it, and whether systemd may go on trusting us."""

from __future__ import annotations

import sys
import traceback
from _queue import Empty, SimpleQueue  # the native one, whether or not gevent has patched the standard library
from collections.abc import Callable
from pathlib import Path

import gevent
import structlog
from gevent.hub import get_hub
from gevent.threadpool import ThreadPool

from runtime.admission import Admission
from runtime.systemd import Systemd
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.1
STALL_SECONDS = 0.1  # beyond which a stall is logged
STANDS_SECONDS = 0.3  # without a look, after which the thread notes what the hub is doing
AWAY_SECONDS = 300.0  # for which a switch may be away, as in an upgrade of its own, before we are not trusted either
BEATS = 3  # of the heart, in the time that systemd gives us
FRAMES = 4  # of a stack, innermost last


class HubWatch:
    """Looks ten times a second how late the hub is, and tells admission and, beyond STALL_SECONDS, the log.

    A native thread looks on, to know what the hub was doing when it came to nothing else.
    """

    def __init__(self, clock: Clock, admission: Admission) -> None:
        self._clock = clock
        self._admission = admission
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._looks = 0
        self._held_by = ""
        self._hub_thread = get_hub().thread_ident
        self._thread = ThreadPool(1)
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._thread.spawn(self._look_on)
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._ended.put(None)
            self._thread.join()
        self._thread.kill()

    def _run(self) -> None:
        while True:
            before = self._clock.now()
            gevent.sleep(LOOK_SECONDS)
            late = (self._clock.now() - before) / 1000 - LOOK_SECONDS
            self._looks += 1
            self._admission.looked(late)
            if late > STALL_SECONDS:
                log.warning("the hub was held: all calls waited", seconds=round(late, 3), by=self._held_by or "unknown")
            self._held_by = ""

    def _look_on(self) -> None:
        """Runs in a thread."""
        seen = -1
        while True:
            try:
                return self._ended.get(timeout=STANDS_SECONDS)
            except Empty:
                pass
            looks = self._looks
            if looks == seen and not self._held_by and (frame := sys._current_frames().get(self._hub_thread)):
                self._held_by = _told(traceback.extract_stack(frame))
            seen = looks


class Heart:
    """Tells systemd that calls are served, as long as they really are; else it is silent, and systemd acts.

    `failing` says why they are not, "" while all is well.
    """

    def __init__(self, systemd: Systemd, failing: Callable[[], str]) -> None:
        self._systemd = systemd
        self._failing = failing
        self._reason = ""

    def run(self) -> None:
        """Beats for ever; returns at once where nobody listens."""
        if self._systemd.watches_for is None:
            return
        while True:
            self.beat()
            gevent.sleep(self._systemd.watches_for / BEATS)

    def beat(self) -> None:
        reason = self._failing()
        if not reason:
            self._systemd.tell("WATCHDOG=1", "STATUS=calls are taken")
        elif reason != self._reason:
            log.error(f"calls are not served: {reason}; systemd is told no more that they are")
            self._systemd.tell(f"STATUS={reason}")
        self._reason = reason


class Service:
    """Whether calls are served: the switch is there, the ACD answers, the journal takes what happens, and whoever
    came in was begun with.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        connected: Callable[[], bool],
        acd_answers: Callable[[], bool],
        journal_stuck: Callable[[], bool],
        stuck: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._connected = connected
        self._acd_answers = acd_answers
        self._journal_stuck = journal_stuck
        self._stuck = stuck
        self._there: Millis = clock.now()

    def failing(self) -> str:
        """Why calls are not served, "" where they are. Waits for the ACD for a few seconds at most."""
        now = self._clock.now()
        if self._connected():
            self._there = now
        elif now - self._there > AWAY_SECONDS * 1000:
            return "the switch is away"
        if self._journal_stuck():
            return "the journal takes no records"
        if not self._acd_answers():
            return "the ACD does not answer"
        if stuck := self._stuck():
            return f"{stuck} calls came in and were not begun with"
        return ""


def _told(stack: traceback.StackSummary) -> str:
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack[-FRAMES:])
