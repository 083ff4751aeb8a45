"""record: has the call recorded, or not."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ivr.conversation import Conversation
from ivr.language.phrases import Phrase, Prompt
from ivr.step import Exit, Step
from switch.port import NONE, Capability


class Record(Step):
    """Starts, pauses or stops the recording of the call: what the caller says and what the caller hears.

        recorded:
          record: {do: start, announce: may-be-recorded}
          next: questions
        not-this:
          record: {do: pause}
          next: payment

    Before a recording begins the caller is told. A paused one holds silence until it is started again. Steps that
    are `sensitive` are never in it. It goes on through other steps and talks with agents, until it is stopped or
    the call ends.
    """

    verb = "record"
    exits: ClassVar = {"next": Exit(required=True, silent=True, about="also where the call cannot be recorded")}
    broken = "next"
    needs = frozenset({Capability.RECORD_JOINED})

    do: Literal["start", "pause", "stop"]
    """What becomes of the recording."""
    announce: Phrase = Prompt("may-be-recorded")
    """What the caller is told before a recording begins."""
    keep: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Days that the recording is kept; without it as long as `recordings.keep` in appliance.yaml says."""

    def run(self, call: Conversation) -> str:
        match self.do:
            case "start":
                if not call.recorder.running:
                    call.say(self.announce, stop_on=NONE)
                    call.recorder.announced.add(self.announce)
                call.recorder.start(flow=call.flow.name, keep_days=self.keep)
            case "pause":
                call.recorder.pause()
            case "stop":
                call.recorder.stop()
        return "next"
