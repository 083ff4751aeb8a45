"""What is to happen at a time: one deadline per call, agent and offer."""

from __future__ import annotations

import heapq
from typing import Protocol

from acd.model import Millis

NEVER: Millis = 1 << 62


class Timed(Protocol):
    """Whatever may have a deadline; None: it has none."""

    due: Millis | None


class Deadlines:
    """The earliest deadline first; a thing's new deadline replaces its old one.

    An entry of the heap counts only while it says what its thing says, so that replacing and
    cancelling cost nothing; `set` clears the heap of dead entries before they are the most of it.
    """

    __slots__ = ("_heap", "_live", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[Millis, int, Timed]] = []
        self._serial = 0
        self._live = 0

    def set(self, thing: Timed, due: Millis | None) -> None:
        before = thing.due
        if due == before:
            return
        thing.due = due
        if due is None:
            self._live -= 1
            return
        if before is None:
            self._live += 1
        self._serial += 1
        heapq.heappush(self._heap, (due, self._serial, thing))
        if len(self._heap) > 4 * self._live + 64:
            self._sweep()

    def may_be_due(self, now: Millis) -> bool:
        """False when certainly nothing is due: the heap's first entry may be a dead one."""
        return bool(self._heap) and self._heap[0][0] <= now

    def next(self) -> Millis | None:
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, now: Millis) -> Timed | None:
        """Takes one thing whose deadline has come; it has no deadline then."""
        due = self.next()
        if due is None or due > now:
            return None
        thing = heapq.heappop(self._heap)[2]
        thing.due = None
        self._live -= 1
        return thing

    def _sweep(self) -> None:
        seen: set[int] = set()
        kept = []
        for due, serial, thing in sorted(self._heap):
            if thing.due == due and id(thing) not in seen:
                seen.add(id(thing))
                kept.append((due, serial, thing))
        self._heap = kept  # sorted, so it is a heap
