"""hours: goes by the time of day."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.step import CalendarName, Exit, Step


class Hours(Step):
    """Looks whether a calendar says open, closed, holiday or emergency at this moment."""

    verb = "hours"
    exits: ClassVar = {
        "open": Exit(required=True, silent=True),
        "closed": Exit(required=True, silent=True),
        "holiday": Exit(default="closed", silent=True),
        "emergency": Exit(default="closed", silent=True),
    }
    broken = "closed"
    instant = True

    calendar: CalendarName

    def run(self, call: Conversation) -> str:
        return call.services.calendars.state(self.calendar, call.now())
