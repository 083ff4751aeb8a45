"""voicemail: lets the caller leave a message."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

import structlog
from pydantic import Field

from config.values import Duration
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.phrases import Phrase, Prompt
from ivr.services import CannotKeep, CannotSpeak, Message
from ivr.step import BoxName, Exit, Shape, Step, without_values
from switch.port import NONE, UNKNOWN_END, CallEnded, CannotPlay, CannotRecord, Capability, Sound

log = structlog.get_logger(__name__)

END = frozenset("#")


class Voicemail(Step):
    """Greets, beeps and records until `#`, a long silence or the greatest length.

        complaint:
          voicemail: {box: complaints, say: leave-complaint, longest: 2m}
          next: goodbye

    The greeting is the box's own where it has one (its owner's voice, or a prompt of its own), else `say`.
    Hanging up is the ordinary end of a message: what was said is kept, and the steps behind `next` that need
    no caller (`save`, `http`, `set`, `branch`, `lookup`, `hours`) are done nevertheless. The variable `message`
    then has `id`, `box` and `seconds`.
    """

    verb = "voicemail"
    exits: ClassVar = {
        "next": Exit(required=True, silent=True, about="the message is kept"),
        "empty": Exit(default="next", silent=True, about="nothing was said"),
        "full": Exit(
            default="next", silent=True, about="the box is full, or nothing could be stored: the caller is told"
        ),
    }
    broken = "full"
    needs = frozenset({Capability.RECORD})
    prompts = without_values("beep", "mailbox-full", "message-empty", "message-not-kept", "message-kept")

    box: BoxName
    """The mailbox."""
    say: Phrase = Prompt("leave-message")
    """What is said before the beep, where the box does not greet in its own words."""
    longest: Annotated[Duration, Field(ge=1, le=3600)] = 120.0
    """How long a message may be."""
    shortest: Annotated[Duration, Field(ge=0, le=60)] = 1.0
    """What is shorter is no message."""
    silence: Annotated[Duration, Field(ge=1, le=600)] = 5.0
    """A silence that ends the message."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {"next": {"message": frozenset({"id", "box", "seconds"})}}

    def run(self, call: Conversation) -> str:
        if call.services.mailboxes.full(self.box):
            call.say(Prompt("mailbox-full"))
            return "full"
        self._greet(call)
        call.obey()
        call.forget_keys()
        self._beep(call)
        try:
            message = self._recorded(call)
        except (CannotRecord, CannotKeep) as error:
            call.note("MessageNotKept", box=self.box, reason=str(error))
            call.say(Prompt("message-not-kept"))
            return "full"
        if message is None:
            call.say(Prompt("message-empty"))
            return "empty"
        self._is_left(call, message)
        call.say(Prompt("message-kept"))
        return "next"

    def _is_left(self, call: Conversation, message: Message) -> None:
        """From now on the step has done its work, and hanging up is as good as waiting for the last words."""
        call.set("message", {"id": message.id, "box": message.box, "seconds": message.seconds})
        call.over = "next"

    def _greet(self, call: Conversation) -> None:
        """A box whose own greeting cannot be heard says the flow's words."""
        greeting = call.services.mailboxes.greeting(self.box, call.state.language)
        try:
            match greeting:
                case Sound():
                    call.play([greeting], what=f"greeting of {self.box}")
                case Prompt():
                    call.say(greeting)
                case None:
                    call.say(self.say)
        except (CannotSpeak, CannotPlay) as error:
            if greeting is None:
                raise
            log.error("the greeting of a mailbox cannot be played", box=self.box, error=str(error))
            call.say(self.say)

    def _beep(self, call: Conversation) -> None:
        """A message without a beep before it is still a message."""
        try:
            call.say(Prompt("beep"), stop_on=NONE)
        except (CannotSpeak, CannotPlay) as error:
            log.error("the beep cannot be played", error=str(error))

    def _recorded(self, call: Conversation) -> Message | None:
        """The message that was left, None when there is nothing on it. Raises CannotRecord, CannotKeep, CallEnded."""
        path = call.services.mailboxes.file_for(
            self.box, call.call.id, call.state.visit, caller=_number(call), caller_name=_name(call)
        )
        try:
            recording = call.record(path, longest=self.longest, silence=self.silence, stop_on=END)
        except CallEnded as ended:
            if ended.cause not in UNKNOWN_END:
                self._kept_after_the_end(call, path)
            raise
        except CannotRecord:
            call.services.mailboxes.discard(path)
            raise
        call.forget_keys()
        if recording.seconds < self.shortest:
            call.services.mailboxes.discard(path)
            return None
        return self._keep(call, path)

    def _kept_after_the_end(self, call: Conversation, path: Path) -> None:
        try:
            if message := self._keep(call, path):
                self._is_left(call, message)
        except CannotKeep as error:
            call.note("MessageNotKept", box=self.box, reason=str(error))

    def _keep(self, call: Conversation, path: Path) -> Message | None:
        return call.services.mailboxes.keep(
            self.box,
            path,
            call=call.call.id,
            visit=call.state.visit,
            caller=_number(call),
            caller_name=_name(call),
        )


def _number(call: Conversation) -> str:
    return call.caller.number or call.call.caller


def _name(call: Conversation) -> str:
    return call.caller.name or call.call.caller_name
