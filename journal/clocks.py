"""The time of day as it was set while the journal was written, so that spans between records are told without that."""

from __future__ import annotations

from dataclasses import dataclass

from journal.reader import Record

Millis = int


@dataclass(slots=True)
class Clocks:
    """Takes records in their order.

    `apart`: the time of day less the clock that never goes back, None while no process has said it. `moved`: by how
    much the time of day was set on since the first record, all in all.
    """

    apart: Millis | None = None
    moved: Millis = 0
    boot: str = ""

    def take(self, type: str, at: Millis, facts: Record) -> Millis:
        """By how much the time of day was set on between the record before and this one, at its time `at`.

        Also while no process wrote, unless the machine was started anew then: that clock began anew, too.
        """
        before, by = self.apart, set_by(type, facts)
        if type == "ApplianceStarted":
            again = bool(self.boot) and facts.get("boot") == self.boot
            self.apart, self.boot = at - facts["now"], facts.get("boot", "")
            by = self.apart - before if again and before is not None else 0
        elif before is not None:
            self.apart = before + by
        self.moved += by
        return by

    def steady(self, at: Millis) -> Millis:
        """A record's time by a time of day that nobody has set since the first record."""
        return at - self.moved


def set_by(type: str, facts: Record) -> Millis:
    """By how much the time of day was set on, as this record says by itself."""
    by = facts.get("by") if type == "ClockChanged" else 0
    return by if isinstance(by, int) else 0
