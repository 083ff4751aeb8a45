"""mailbox: lets the owner of a mailbox hear its messages and record its greeting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

import structlog
from pydantic import Field

from config.values import Duration
from ivr.conversation import Conversation
from ivr.language.house import House
from ivr.language.phrases import Prompt
from ivr.services import CannotSpeak, MailboxAway, StoredMessage
from ivr.step import BoxName, Exit, Patience, Shape, Step, without_values
from switch.port import ANY, NONE, CallEnded, CannotPlay, CannotRecord, Capability

log = structlog.get_logger(__name__)

DIGITS = frozenset("0123456789")
END = frozenset("#")
NUMBER = re.compile(r"\+?[0-9]{2,20}", re.ASCII)

CallBack = Literal["call-back"]
RECEIVED = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)  # an example


class Mailbox(Step):
    """Asks for the box's PIN, then plays its messages, new ones first; each may be saved, deleted or called back.

        messages:
          mailbox: {box: service}
          next: goodbye
          refused: goodbye

    Without `box` it is the box of the telephone that calls. A box without a PIN is never opened, and too many
    wrong PINs lock it for all calls. With an exit `call-back` the owner can choose to call the sender: `message`
    then has `id`, `box` and `number`.
    """

    verb = "mailbox"
    exits: ClassVar = {
        "next": Exit(required=True, silent=True, about="the owner is done"),
        "refused": Exit(
            default="next", silent=True, about="no right PIN, a locked box, no box, or no database: the caller is told"
        ),
        "call-back": Exit(about="the owner wants to call the sender; without this exit that is not offered"),
    }
    broken = "next"
    needs = frozenset({Capability.RECORD})
    prompts: ClassVar = {
        **without_values(
            "beep", "mailbox-pin", "mailbox-wrong-pin", "mailbox-locked", "mailbox-no-pin", "mailbox-none",
            "mailbox-menu", "mailbox-message-menu", "mailbox-message-menu-call", "mailbox-saved", "mailbox-deleted",
            "mailbox-no-more", "mailbox-cannot-play", "mailbox-greeting-menu", "mailbox-greeting-record",
            "mailbox-greeting-kept", "mailbox-greeting-removed", "mailbox-greeting-none", "not-possible-now",
            "not-an-option", "message-empty",
        ),
        "mailbox-choice": {"box": "service", "key": "1"},
        "mailbox-count": {"new": 2, "old": 0},
        "mailbox-message": {"number": 1, "caller": "13800000001", "received": RECEIVED},
        "mailbox-message-anonymous": {"number": 1, "received": RECEIVED},
    }  # fmt: skip

    box: BoxName | None = None
    """The mailbox; without it that of the telephone that calls."""
    timeout: Patience = 5.0
    """How long the owner may take for a key."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """How often the PIN is asked for, and how many silences a menu bears."""
    longest_greeting: Annotated[Duration, Field(ge=1, le=600)] = 60.0
    """How long a greeting may be."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {"call-back": {"message": frozenset({"id", "box", "number"})}}

    def confidential(self) -> bool:
        """What is heard here is for the owner alone: no recording of the call has it."""
        return True

    def run(self, call: Conversation) -> str:
        try:
            box = self.box or self._chosen(call)
            if box is None or not self._opened(call, box):
                return "refused"
            return _Visit(call, self, box).until_over()
        except MailboxAway as error:
            log.warning("mailbox: cannot be served", error=str(error))
            call.note("MailboxAway", reason=str(error))
            call.say(Prompt("not-possible-now"))
            return "refused"

    def _chosen(self, call: Conversation) -> str | None:
        """The box of this telephone; where it has several, the one that is asked for by key."""
        account = call.call.account
        boxes = list(call.services.mailboxes.boxes_of(account))[:9] if account else []
        if len(boxes) < 2:
            if not boxes:
                call.note("MailboxRefused", reason="no mailbox of this telephone")
                call.say(Prompt("not-possible-now"))
            return boxes[0] if boxes else None
        by_key = {str(number): box for number, box in enumerate(boxes, start=1)}
        for _ in range(self.tries):
            for key, box in by_key.items():
                if call.say(Prompt("mailbox-choice"), values={"box": box, "key": key}) is not None:
                    break
            if (key_pressed := call.key(self.timeout, own=ANY)) in by_key:
                return by_key[key_pressed or ""]
        return None

    def _opened(self, call: Conversation, box: str) -> bool:
        for _ in range(self.tries):
            pin = call.secret(Prompt("mailbox-pin"), self.timeout)
            if not pin:
                continue
            verdict = call.services.mailboxes.open(box, pin)
            call.note("MailboxOpened" if verdict == "open" else "MailboxRefused", box=box, reason=verdict)
            if verdict == "open":
                return True
            call.forget_keys()
            call.say(Prompt({"wrong": "mailbox-wrong-pin", "locked": "mailbox-locked"}.get(verdict, "mailbox-no-pin")))
            if verdict != "wrong":
                return False
        return False


class _Visit:
    """The owner in the open mailbox, from the first menu to the last. All keys are the mailbox's own."""

    def __init__(self, call: Conversation, step: Mailbox, box: str) -> None:
        self._call = call
        self._step = step
        self._box = box
        self._mailboxes = call.services.mailboxes
        self._calls_back = call.leads("call-back")

    def until_over(self) -> str:
        """The exit by which the owner went."""
        self._tell_count()
        silent = 0
        while silent < self._step.tries:
            match self._asked("mailbox-menu"):
                case "1":
                    if self._listen() == "call-back":
                        return "call-back"
                case "2":
                    self._greeting()
                case "#":
                    return "next"
                case None:
                    silent += 1
                    continue
                case _:
                    self._call.forget_keys()
                    self._say("not-an-option")
            silent = 0
        return "next"

    # --- messages

    def _tell_count(self) -> None:
        messages = self._mailboxes.messages(self._box)
        new = sum(message.new for message in messages)
        if messages:
            self._say("mailbox-count", {"new": new, "old": len(messages) - new})
        else:
            self._say("mailbox-none")

    def _listen(self) -> CallBack | None:
        """Every message once, until the owner has heard all or goes back to the menu."""
        messages = self._mailboxes.messages(self._box)
        if not messages:
            self._say("mailbox-none")
        for number, message in enumerate(messages, start=1):
            match self._hear(number, message):
                case "call-back":
                    return "call-back"
                case "menu":
                    return None
        if messages:
            self._say("mailbox-no-more")
        return None

    def _hear(self, number: int, message: StoredMessage) -> Literal["next", "menu"] | CallBack:
        """One message, again and again until the owner says what is to become of it."""
        self._play(number, message)
        caller_known = bool(NUMBER.fullmatch(message.caller))
        calls_back = self._calls_back and caller_known
        silent = 0
        while silent < self._step.tries:
            match self._asked("mailbox-message-menu-call" if calls_back else "mailbox-message-menu"):
                case "1":
                    self._play(number, message)
                case "2":
                    self._mailboxes.mark(message.id, "saved")
                    self._say("mailbox-saved")
                    return "next"
                case "3":
                    self._mailboxes.delete(message.id)
                    self._call.note("MessageDeleted", box=self._box, message=message.id)
                    self._say("mailbox-deleted")
                    return "next"
                case "4" if calls_back:
                    self._call.set("message", {"id": message.id, "box": self._box, "number": message.caller})
                    return "call-back"
                case "#":
                    return "next"
                case "*":
                    return "menu"
                case None:
                    silent += 1
                    continue
                case _:
                    self._call.forget_keys()
                    self._say("not-an-option")
            silent = 0
        return "menu"

    def _play(self, number: int, message: StoredMessage) -> None:
        """From whom and when, then the message; a key cuts either short, and is looked at next."""
        zone = self._call.now().tzinfo
        values = {"number": number, "received": message.received.astimezone(zone)}
        if NUMBER.fullmatch(message.caller):
            cut = self._say("mailbox-message", {**values, "caller": message.caller})
        else:
            cut = self._say("mailbox-message-anonymous", values)
        if cut:
            return
        try:
            self._call.play([message.sound], what=f"message {message.id}")
        except CannotPlay as error:
            log.error("mailbox: a message cannot be played", message=message.id, error=str(error))
            self._say("mailbox-cannot-play")
            return
        if message.new:
            self._mailboxes.mark(message.id, "heard")

    # --- the greeting

    def _greeting(self) -> None:
        silent = 0
        while silent < self._step.tries:
            match self._asked("mailbox-greeting-menu"):
                case "1":
                    self._record_greeting()
                case "2":
                    self._hear_greeting()
                case "3":
                    self._mailboxes.set_greeting(self._box, self._call.state.language, None)
                    self._say("mailbox-greeting-removed")
                case "*" | "#":
                    return
                case None:
                    silent += 1
                    continue
                case _:
                    self._call.forget_keys()
                    self._say("not-an-option")
            silent = 0

    def _record_greeting(self) -> None:
        path = self._mailboxes.greeting_file(self._box)
        self._say("mailbox-greeting-record")
        self._call.forget_keys()
        try:
            self._call.say(Prompt("beep"), stop_on=NONE)
        except (CannotSpeak, CannotPlay) as error:
            log.error("the beep cannot be played", error=str(error))
        try:
            self._call.record(path, longest=self._step.longest_greeting, silence=5.0, stop_on=END)
        except CallEnded:
            self._mailboxes.discard(path)
            raise
        except CannotRecord as error:
            self._call.note("GreetingNotKept", box=self._box, reason=str(error))
            self._say("not-possible-now")
            return
        self._call.forget_keys()
        kept = self._mailboxes.set_greeting(self._box, self._call.state.language, path)
        self._say("mailbox-greeting-kept" if kept else "message-empty")

    def _hear_greeting(self) -> None:
        match self._mailboxes.greeting(self._box, self._call.state.language):
            case None:
                self._say("mailbox-greeting-none")
            case Prompt() as prompt:
                self._call.say(prompt)
            case sound:
                self._call.play([sound], what=f"greeting of {self._box}")

    # --- speaking and asking

    def _say(self, prompt: str, values: Mapping[str, object] | None = None) -> bool:
        """Whether a key cut in. Who left a message is not for the journal."""
        values = values or {}
        return (
            self._call.say(Prompt(prompt), values=values, sensitive=frozenset({"caller"}) & values.keys()) is not None
        )

    def _asked(self, prompt: str) -> str | None:
        self._say(prompt)
        return self._call.key(self._step.timeout, own=ANY)
