"""What a flow needs from the rest of the house: ports that the shell fills in.

Flows know nothing of threads, databases or the ACD's engine. Each service here is a protocol; its
failures are the exceptions named beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from ivr.language.phrases import Prompt
from speech.words import Segment
from switch.port import Call, CallId, Media, Notice, Sound


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """What is known of the caller from the first step on; "" wherever nothing is known."""

    number: str = ""  # E.164, "" when anonymous
    known: bool = False
    customer_id: str = ""
    name: str = ""
    tier: str = ""
    language: str = ""


class CannotSpeak(Exception):
    """A text could be neither found as a recording nor synthesised."""


class Voice(Protocol):
    def prompt(self, name: str, language: str) -> Sequence[Media]:
        """The media of a prompt id without variable parts: its recording, or its text spoken. Raises CannotSpeak."""
        ...

    def text(self, segments: Sequence[Segment], language: str) -> Sequence[Media]:
        """The media of a rendered text. Raises CannotSpeak."""
        ...

    def catalogue_text(self, name: str, language: str) -> str:
        """The text of a prompt id as the catalogue has it, templates unrendered; "" when only a recording exists."""
        ...


class CannotRecognise(Exception):
    """What a caller said could not be looked into (in time); the text says why."""


class Ears(Protocol):
    """Recognises which of a few phrases a caller has said."""

    def understand(self, language: str) -> bool:
        """Whether there is a recogniser for that language."""
        ...

    def file_for(self, call: CallId, visit: int) -> Path:
        """Where the switch is to record what is said; the directory exists and the switch may write there."""
        ...

    def recognise(self, said: Path, language: str, phrases: Sequence[str]) -> str | None:
        """Which of the phrases it is: "" for none of them, None where nobody speaks. Raises CannotRecognise."""
        ...

    def forget(self, said: Path) -> None:
        """Removes what was recorded; does nothing where there is nothing."""
        ...


class HostFailed(Exception):
    """The CRM is down, slow, or answered nonsense; the text says which."""


class Hosts(Protocol):
    def query(self, name: str, parameters: Mapping[str, object]) -> Mapping[str, object] | None:
        """The first row of a named query, None when there is none. Raises HostFailed within the query's limit."""
        ...

    def save(self, name: str, parameters: Mapping[str, object], key: str) -> Mapping[str, object] | None:
        """Runs a named query that writes, under an idempotency key; the first row that it returns, None for none.

        Raises HostFailed within the query's limit.
        """
        ...

    def repeatable(self, name: str) -> bool:
        """Whether it does no harm to run that query a second time with the same key."""
        ...


class WebFailed(Exception):
    """A web service could not be asked, or gave no answer of use in time; the text says why and quotes no answer."""


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What is asked of a web service. `wanted`: the parts of the JSON answer that are returned, by name."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    wanted: Mapping[str, str]
    within: float  # seconds
    key: str = ""  # the idempotency key, "" for what changes nothing

    def under(self, key: str) -> WebRequest:
        """The same with an idempotency key."""
        return replace(self, key=key)


class Web(Protocol):
    def ask(self, request: WebRequest) -> Mapping[str, object] | None:
        """The wanted parts of the answer, None where nothing is wanted. Raises WebFailed within the request's limit."""
        ...


HoursState = Literal["open", "closed", "holiday", "emergency"]


class Calendars(Protocol):
    def state(self, calendar: str, at: datetime) -> HoursState: ...


ClosurePin = Literal["right", "wrong", "locked", "no pin"]


class Closures(Protocol):
    """Calendars that are closed for an emergency, whatever they say themselves."""

    @property
    def has_pin(self) -> bool:
        """Whether there is a PIN; without one no call may close anything."""
        ...

    def admits(self, pin: str) -> ClosurePin:
        """Whether this is the PIN. Wrong ones count over all calls, and too many lock it for a while."""
        ...

    def is_closed(self, calendar: str) -> bool: ...

    def close(self, calendar: str, *, by: str) -> None:
        """Closes a calendar from now on. Raises CannotKeep where a restart would forget it."""
        ...

    def lift(self, calendar: str, *, by: str) -> bool:
        """Lets the calendar itself say again; False where it was not closed. Raises CannotKeep as `close` does."""
        ...


class CannotTransfer(Exception):
    """The caller cannot be handed over; the text says why and leaves the number out."""


class Transfers(Protocol):
    def grant(self, to: str, *, caller: str) -> str:
        """The address that the switch is to dial for a destination, counted from now on. Raises CannotTransfer."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A voice message that was kept."""

    id: str
    box: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in its box, as its owner hears it."""

    id: str
    caller: str  # E.164 where that is known, "" when anonymous
    received: datetime
    sound: Sound
    new: bool


class CannotKeep(Exception):
    """The message could not be stored (disk or database); nothing of it remains."""


class MailboxAway(Exception):
    """The mailbox cannot be looked into or changed at this moment; the text says why."""


PinVerdict = Literal["open", "wrong", "locked", "no pin"]


class Mailboxes(Protocol):
    """Mailboxes: for callers who leave messages, and (from `boxes_of` on) for the owners who hear them."""

    def full(self, box: str) -> bool: ...

    def greeting(self, box: str, language: str) -> Sound | Prompt | None:
        """What the box itself says to its callers: its owner's recording, else its prompt, else None."""
        ...

    def file_for(self, box: str, call: CallId, visit: int, *, caller: str, caller_name: str) -> Path:
        """Where the switch is to record; the directory exists and the switch may write there.

        From now on the message is not lost, whoever dies: it is filed later from what stands beside the audio.
        Raises CannotKeep where there is no room or right for a file.
        """
        ...

    def discard(self, recorded: Path) -> None:
        """Removes what is too short to be a message."""
        ...

    def leave(self, recorded: Path) -> None:
        """It is in nobody's hands any more: what there is of it is filed later."""
        ...

    def keep(
        self, box: str, recorded: Path, *, call: CallId, visit: int, caller: str, caller_name: str
    ) -> Message | None:
        """Stores what was recorded; None (and no file) when nothing is to be heard on it. Raises CannotKeep.

        Idempotent for a call's step visit. While the database is away the message counts as kept, and is filed
        as soon as it is back.
        """
        ...

    def boxes_of(self, account: str) -> Sequence[str]:
        """The boxes whose messages the telephone of that account shows. Raises MailboxAway."""
        ...

    def open(self, box: str, pin: str) -> PinVerdict:
        """Whether the PIN opens the box; wrong ones are counted over all calls. Raises MailboxAway."""
        ...

    def messages(self, box: str) -> Sequence[StoredMessage]:
        """New ones first, each kind oldest first. Raises MailboxAway."""
        ...

    def mark(self, message: str, state: Literal["heard", "saved"]) -> None:
        """Raises MailboxAway."""
        ...

    def delete(self, message: str) -> None:
        """Removes a message and its audio. Raises MailboxAway."""
        ...

    def greeting_file(self, box: str) -> Path:
        """Where the switch is to record a greeting. Raises MailboxAway."""
        ...

    def set_greeting(self, box: str, language: str, recorded: Path | None) -> bool:
        """Puts a recorded greeting in force, None for the standard one; False (and no file) when nothing is on it.

        Raises MailboxAway.
        """
        ...


class Recordings(Protocol):
    """Where recordings of calls go. What cannot be kept now is kept later."""

    def file_for(self, call: CallId, *, flow: str, queue: str, agent: str, keep_days: int | None) -> Path:
        """Where the switch is to record; `keep_days` None is as long as the house keeps recordings.

        Raises CannotKeep where there is no room or right for a file.
        """
        ...

    def keep(self, recorded: Path, seconds: float) -> None:
        """The recording is whole: it goes into the index."""
        ...

    def discard(self, recorded: Path) -> None:
        """Nothing came about."""
        ...

    def leave(self, recorded: Path) -> None:
        """The switch may go on recording without us: what there is goes into the index once nobody writes to it."""
        ...


@dataclass(frozen=True, slots=True)
class TalkRecording:
    """That the talks of a queue are recorded: the prompt that tells callers so, and how long they are kept."""

    announce: str
    keep_days: int | None = None


@dataclass(frozen=True, slots=True)
class AnnouncementDue(Notice):
    """The engine wants the caller told its place: people ahead plus one, and between which seconds the wait will be.

    A wait whose greatest is None is longer than any that is told.
    """

    place: str
    position: int | None
    wait: tuple[float, float | None] | None


@dataclass(frozen=True, slots=True)
class PromptDue(Notice):
    """The engine wants the caller to hear a prompt of the queue's: a word of comfort, or whether to go on waiting."""

    place: str
    prompt: str


@dataclass(frozen=True, slots=True)
class MusicChanged(Notice):
    """The place has other music now: its caller was moved to another queue, or the queue's rules have changed."""

    place: str


@dataclass(frozen=True, slots=True)
class AgentReady(Notice):
    """An agent accepted this caller and waits on `leg`: join at once. `recording` says whether the talk is recorded."""

    place: str
    leg: Call
    queue: str = ""
    agent: str = ""
    recording: TalkRecording | None = None


@dataclass(frozen=True, slots=True)
class QueueOver(Notice):
    """The queue gives this caller back to the flow by that exit."""

    place: str
    exit: Literal["overflowed", "unavailable", "closed", "emergency"]


@dataclass(frozen=True, slots=True)
class QueueRequest:
    queue: str
    priority: int
    skills: Sequence[str]
    attached: Mapping[str, str]  # shown to the agent
    language: str
    caller: CallerFacts


class Place(Protocol):
    """A caller's place in a queue. Every method may be called at any time."""

    @property
    def id(self) -> str: ...

    @property
    def music(self) -> str:
        """What is to be heard now, in whichever queue the caller is by now."""
        ...

    @property
    def keys(self) -> Mapping[str, str]:
        """What keys do now while waiting: ``{"1": "stay", "2": "left"}``."""
        ...

    def announced(self) -> None:
        """The announcement was spoken to its end or cut; the next one is timed from now."""
        ...

    def connected(self) -> None:
        """The caller was joined to the leg that AgentReady brought."""
        ...

    def connect_failed(self) -> bool:
        """The agent's leg is gone. True: it was so before the join, and the caller keeps its place.

        False: the two have talked, as only the agent's leg has heard: the caller's connection broke in the join.
        """
        ...

    def leave(self, reason: Literal["abandoned", "left", "answered", "lost"]) -> None:
        """Gives the place up; repeated calls do nothing. "lost": the connection broke, and the caller may come back."""
        ...


class Queues(Protocol):
    def recording(self, queue: str) -> TalkRecording | None:
        """Whether talks of that queue are recorded, as far as is known before it is entered."""
        ...

    def enter(self, call: Call, request: QueueRequest) -> Place: ...


class Journal(Protocol):
    def note(self, type: str, **facts: object) -> None:
        """Writes one record of this call before its effect, and returns when it is written."""
        ...


class WallClock(Protocol):
    def now(self) -> datetime:
        """The time of day in the appliance's time zone, aware."""
        ...

    def seconds(self) -> float:
        """Seconds that never go back, from an arbitrary start: for lengths of time."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All that one call's conversation may use."""

    voice: Voice
    hosts: Hosts
    web: Web
    calendars: Calendars
    closures: Closures
    transfers: Transfers
    mailboxes: Mailboxes
    recordings: Recordings
    queues: Queues
    journal: Journal
    clock: WallClock
    ears: Ears | None = None  # None: callers have their keys
