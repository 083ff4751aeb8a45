"""hours: goes by the time of day."""

from __future__ import annotations

from typing import ClassVar

from ivr.conversation import Conversation
from ivr.step import CalendarName, Exit, Step


class Hours(Step):
    """Looks whether a calendar says open, closed, holiday or emergency at this moment.

    agent:
      hours: {calendar: office}
      open: queue-service
      closed: closed-message
      holiday: holiday-message
    """

    verb = "hours"
    exits: ClassVar = {
        "open": Exit(required=True, silent=True, about="within the hours"),
        "closed": Exit(required=True, silent=True, about="outside the hours"),
        "holiday": Exit(default="closed", silent=True, about="on a public holiday, or a day that an exception closes"),
        "emergency": Exit(default="closed", silent=True, about="while an emergency closes the house"),
    }
    broken = "closed"
    instant = True

    calendar: CalendarName
    """A calendar of `calendars.yaml`."""

    def run(self, call: Conversation) -> str:
        return call.services.calendars.state(self.calendar, call.now())
