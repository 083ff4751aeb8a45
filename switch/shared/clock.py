"""Time, as everything that waits sees it: real, or virtual for simulations and tests.

Waiting is built on one primitive, `Clock.after`. In virtual time a day passes in the moment in which
nothing is left to run; work in the real world (a database thread, a synthesiser) stops the virtual
clock while it lasts, by `working`.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Protocol, Self

import gevent
from gevent.event import Event
from gevent.hub import get_hub

Millis = int


class Alarm(Protocol):
    """A timer that was set; leaving its `with` block switches it off."""

    @property
    def fired(self) -> bool: ...
    def cancel(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Clock(Protocol):
    def now(self) -> Millis:
        """Milliseconds that never go back, from an arbitrary start."""
        ...

    def wall(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def after(self, seconds: float, wake: Callable[[], None]) -> Alarm:
        """Calls `wake` once, in the hub, after `seconds`. It must not block; setting an Event is its use."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def working(self) -> Any:
        """A context manager around waiting for the real world: virtual time stands still inside."""
        ...


class _Alarm:
    """The part that both clocks' alarms share."""

    __slots__ = ("_fired",)

    def __init__(self) -> None:
        self._fired = False

    @property
    def fired(self) -> bool:
        return self._fired

    def cancel(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


class _RealAlarm(_Alarm):
    __slots__ = ("_timer",)

    def __init__(self, seconds: float, wake: Callable[[], None]) -> None:
        super().__init__()
        self._timer = get_hub().loop.timer(max(0.0, seconds))

        def fire() -> None:
            self._fired = True
            wake()

        self._timer.start(fire)

    def cancel(self) -> None:
        self._timer.stop()
        self._timer.close()


UNTOUCHED = nullcontext()  # real time passes whatever we do


class RealClock:
    """The clock of the machine. A change of the wall clock moves no wait."""

    def now(self) -> Millis:
        return time.monotonic_ns() // 1_000_000

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def after(self, seconds: float, wake: Callable[[], None]) -> Alarm:
        return _RealAlarm(seconds, wake)

    def sleep(self, seconds: float) -> None:
        gevent.sleep(seconds)

    def working(self) -> AbstractContextManager[None]:
        return UNTOUCHED


class _VirtualAlarm(_Alarm):
    __slots__ = ("_cancelled", "_wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._cancelled = False
        self._wake = wake

    def cancel(self) -> None:
        self._cancelled = True

    def fire(self) -> None:
        if not self._cancelled:
            self._fired = True
            self._wake()


class VirtualClock:
    """A clock that jumps to the next alarm as soon as no greenlet can run.

    `run_until` drives it; nothing moves while nobody does.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._now: Millis = 0
        self._alarms: list[tuple[Millis, int, _VirtualAlarm]] = []
        self._order = itertools.count()
        self._working = 0
        self._rested = Event()
        self._rested.set()

    def now(self) -> Millis:
        return self._now

    def wall(self) -> datetime:
        return self._start + timedelta(milliseconds=self._now)

    def after(self, seconds: float, wake: Callable[[], None]) -> Alarm:
        alarm = _VirtualAlarm(wake)
        # At least a millisecond: who waits for a rounding error must see time pass, or it waits for ever.
        due = self._now + (max(1, round(seconds * 1000)) if seconds > 0 else 0)
        heapq.heappush(self._alarms, (due, next(self._order), alarm))
        return alarm

    def sleep(self, seconds: float) -> None:
        woken = Event()
        with self.after(seconds, woken.set):
            woken.wait()

    @contextmanager
    def working(self) -> Iterator[None]:
        self._working += 1
        self._rested.clear()
        try:
            yield
        finally:
            self._working -= 1
            if not self._working:
                self._rested.set()

    def run_until(self, done: Callable[[], bool], *, longest: float) -> bool:
        """Lets virtual time pass until `done()`; False when it was not done after `longest` seconds of it."""
        end = self._now + round(longest * 1000)
        while True:
            self._settle()
            if done():
                return True
            if not self._alarms or self._alarms[0][0] > end:
                self._now = end
                return False
            due, _, alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, due)
            alarm.fire()

    def _settle(self) -> None:
        """Returns when every greenlet waits for time to pass."""
        while True:
            gevent.idle()
            if not self._working:
                return
            self._rested.wait()
