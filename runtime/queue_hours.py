"""What the calendars of queues say, told to the ACD where it is something new."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from acd.model import QueueHours, QueueRule
from ivr.services import HoursState
from switch.shared.clock import Clock, Millis

EVERY: Millis = 5_000  # between two looks at the calendars of queues in which somebody waits


class CalendarsOfQueues:
    """`hours` is what a calendar says now; news go to `report`."""

    def __init__(
        self, clock: Clock, *, hours: Callable[[str], HoursState], report: Callable[[QueueHours], None]
    ) -> None:
        self._clock = clock
        self._hours = hours
        self._report = report
        self._said: dict[str, HoursState] = {}
        self._with_calendar: tuple[QueueRule, ...] = ()
        self._look_again: Millis = 0

    def load(self, queues: Iterable[QueueRule]) -> None:
        """A queue that was removed and comes back is new to whoever is told."""
        rules = {rule.name: rule for rule in queues}
        self._with_calendar = tuple(rule for rule in rules.values() if rule.calendar)
        self._said = {name: said for name, said in self._said.items() if name in rules}

    def look(self, waiting: Callable[[str], int]) -> Millis | None:
        """Looks, now and then, at those of queues in which somebody waits; when to look again, None for never."""
        rules = [rule for rule in self._with_calendar if waiting(rule.name)]
        if not rules:
            return None
        now = self._clock.now()
        if now >= self._look_again:
            self._look_again = now + EVERY
            for rule in rules:
                self.tell(rule)
        return self._look_again

    def tell(self, rule: QueueRule) -> None:
        """Tells what the calendar of one queue says, where it is something new."""
        said: HoursState = self._hours(rule.calendar) if rule.calendar else "open"
        if said != self._said.get(rule.name, "open"):
            self._said[rule.name] = said
            self._report(QueueHours(rule.name, said))
