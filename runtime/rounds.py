"""Work beside the calls that is done over and over: when somebody asks for it, and when its time has come."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import structlog
from gevent.event import Event

from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

AFTER_AN_ERROR = 60.0  # seconds


class Round:
    """Does one thing in a greenlet of its own. `do` returns in how many seconds it wants to be done again unasked,
    None for never. It sees to the failures that it knows; any other is logged, and it is done again later.
    """

    def __init__(self, do: Callable[[], float | None], clock: Clock) -> None:
        self._do = do
        self._clock = clock
        self._asked = Event()
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """The first time is at once."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None

    def ask(self) -> None:
        """Has it done soon, whatever its time. May be called by any greenlet, and returns at once."""
        self._asked.set()

    def _run(self) -> None:
        while True:
            self._asked.clear()
            pause = self._attempt()
            if pause is None:
                self._asked.wait()
                continue
            with self._clock.after(pause, self._asked.set):
                self._asked.wait()

    def _attempt(self) -> float | None:
        try:
            return self._do()
        except Exception:
            log.exception("work beside the calls broke off; it is done again")
            return AFTER_AN_ERROR
