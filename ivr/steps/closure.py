"""closure: lets someone with the PIN close a calendar for an emergency, and open it again, by telephone."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ivr.conversation import Conversation
from ivr.language.phrases import Prompt
from ivr.services import CannotKeep
from ivr.step import CalendarName, Exit, Patience, Step, without_values

CLOSE, LIFT, DONE = "1", "2", "#"
VERDICTS = {"locked": "closure-locked", "no pin": "closure-not-possible", "wrong": "closure-wrong-pin"}


class Closure(Step):
    """Asks for the PIN, says whether the calendar is closed for an emergency, and closes or reopens it.

        typhoon:
          closure: {calendar: office}
          next: goodbye

    The PIN is set by `./appliance.py closure pin`; without one nobody gets in. Five wrong ones, over all calls,
    lock it for a while. From the moment it is closed every `hours` step with that calendar goes on by
    `emergency`, until it is lifted here or by `./appliance.py closure lift`.
    """

    verb = "closure"
    exits: ClassVar = {
        "next": Exit(required=True, silent=True, about="whoever had the PIN is done"),
        "refused": Exit(default="next", silent=True, about="no right PIN, or none is set: the caller is told"),
    }
    broken = "refused"
    prompts = without_values(
        "closure-pin", *VERDICTS.values(), "closure-is-closed", "closure-is-open", "closure-done", "closure-not-kept",
        "not-an-option",
    )  # fmt: skip

    calendar: CalendarName
    """A calendar of `calendars.yaml`."""
    timeout: Patience = 5.0
    """How long a silence may last."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Wrong PINs; and silences and wrong keys after it."""

    def confidential(self) -> bool:
        """No recording of the call has the PIN."""
        return True

    def run(self, call: Conversation) -> str:
        if not self._admitted(call):
            return "refused"
        failures = 0
        while failures < self.tries:
            closed = call.services.closures.is_closed(self.calendar)
            call.say(Prompt("closure-is-closed" if closed else "closure-is-open"))
            match call.key(self.timeout, own=frozenset({CLOSE, LIFT, DONE})):
                case "1":
                    self._change(call, close=True)
                case "2":
                    self._change(call, close=False)
                case "#":
                    break
                case None:
                    failures += 1
                case _:
                    failures += 1
                    call.say(Prompt("not-an-option"))
        return "next"

    def _admitted(self, call: Conversation) -> bool:
        if not call.services.closures.has_pin:
            call.note("ClosureRefused", calendar=self.calendar, reason="no pin")
            call.say(Prompt("closure-not-possible"))
            return False
        for _ in range(self.tries):
            pin = call.secret(Prompt("closure-pin"), self.timeout)
            if not pin:
                continue
            verdict = call.services.closures.admits(pin)
            if verdict == "right":
                return True
            call.note("ClosureRefused", calendar=self.calendar, reason=verdict)
            call.forget_keys()
            call.say(Prompt(VERDICTS[verdict]))
            if verdict != "wrong":
                return False
        return False

    def _change(self, call: Conversation, *, close: bool) -> None:
        by = f"call {call.call.id}"
        try:
            if close:
                call.services.closures.close(self.calendar, by=by)
            else:
                call.services.closures.lift(self.calendar, by=by)
        except CannotKeep as error:
            call.note("ClosureNotKept", calendar=self.calendar, reason=str(error))
            call.say(Prompt("closure-not-kept"))
        else:
            call.say(Prompt("closure-done"))
