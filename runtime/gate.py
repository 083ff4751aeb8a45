"""After a start callers come back one by one; nobody is served before those who were ahead of them are there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from acd.model import CallId, CallQueued, Millis, QueueName
from switch.shared.clock import Alarm, Clock


class Gate:
    """Holds callers back until all who are awaited have come or are known not to come, or for so many seconds.

    Then it lets them in by their rank. Open from the beginning.
    """

    def __init__(
        self, clock: Clock, *, let_in: Callable[[CallQueued], None], credit: Callable[[QueueName], Millis]
    ) -> None:
        self._clock = clock
        self._let_in = let_in
        self._credit = credit
        self._awaited: set[CallId] = set()
        self._held: dict[CallId, CallQueued] | None = None
        self._alarm: Alarm | None = None

    def close(self, awaited: Collection[CallId]) -> None:
        self._awaited = set(awaited)
        self._held = {}

    def open_within(self, seconds: float) -> None:
        """Opens as soon as all who are awaited are there, and then at the latest."""
        if self._held is None:
            return
        self._alarm = self._clock.after(seconds, self._open)
        self._look()

    def comes(self, event: CallQueued) -> None:
        """A caller at the gate: it passes, or is held back."""
        if self._held is None:
            self._let_in(event)
            return
        now = self._clock.now()
        self._held[event.call] = replace(event, arrived=now if event.arrived is None else event.arrived)
        self.not_awaited(event.call)

    def goes(self, call: CallId) -> None:
        """A caller who leaves passes first, so that the one follows the other."""
        if self._held and (event := self._held.pop(call, None)):
            self._let_in(event)

    def not_awaited(self, call: CallId) -> None:
        """This one is there, or will not come."""
        self._awaited.discard(call)
        self._look()

    def _look(self) -> None:
        if self._alarm is not None and not self._awaited:
            self._open()

    def _open(self) -> None:
        held, self._held = self._held, None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for event in sorted((held or {}).values(), key=self._rank):
            self._let_in(event)

    def _rank(self, event: CallQueued) -> Millis:
        return (event.arrived or 0) - event.priority * self._credit(event.queue)
