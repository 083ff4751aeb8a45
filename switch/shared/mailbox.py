"""The mailbox of a call: what other greenlets put in, its own greenlet reads, with time passed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gevent.event import Event

from switch.shared.clock import Clock

T = TypeVar("T")


class Mailbox(Generic[T]):
    """First in, first out; many may put, one may read.

    At most `limit` items are kept: a far end that floods keys must not fill the memory. What comes
    beyond is dropped, and `put` says so.
    """

    def __init__(self, clock: Clock, *, limit: int = 1000) -> None:
        self._clock = clock
        self._items: deque[T] = deque()
        self._changed = Event()
        self._limit = limit

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        if len(self._items) >= self._limit:
            return False
        self._items.append(item)
        self._changed.set()
        return True

    def get(self, within: float | None) -> T | None:
        """The oldest item, or None when none came within so many seconds (None: wait without end)."""
        return self._items.popleft() if self._await(lambda _: True, within) is not None else None

    def find(self, wanted: Callable[[T], bool], within: float | None) -> T | None:
        """Looks, without taking it, for the oldest wanted item, and waits for one to come."""
        return self._await(wanted, within)

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        kept = [item for item in self._items if not unwanted(item)]
        self._items.clear()
        self._items.extend(kept)

    def _await(self, wanted: Callable[[T], bool], within: float | None) -> T | None:
        found = next(filter(wanted, self._items), None)
        if found is not None or within == 0:
            return found
        if within is None:
            while found is None:
                self._changed.clear()
                self._changed.wait()
                found = next(filter(wanted, self._items), None)
            return found
        with self._clock.after(within, self._changed.set) as alarm:
            while found is None and not alarm.fired:
                self._changed.clear()
                self._changed.wait()
                found = next(filter(wanted, self._items), None)
        return found
