"""The rows of our tables as the rest of the house sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Membership:
    """That an agent serves a queue; those of a lower rank are asked first where the strategy looks at it."""

    queue: str
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent and the phone that rings for it. `state` and `reason` are the last that were stored."""

    id: str  # the extension
    name: str
    skills: Mapping[str, int]  # levels 1 to 5
    queues: tuple[Membership, ...]
    phone: str  # the SIP account
    password: str = field(repr=False)  # of the SIP account
    state: str = "LoggedOff"
    reason: str = ""
    permanent: bool = False  # the phone stays off hook
    wrap_up: float | None = None  # seconds, in place of the queue's
    order: int | None = None  # in which top-down and round-robin ring, those without one after the others

    @property
    def account(self) -> str:
        """The SIP account of the phone, "" where it is a telephone number of the world."""
        return "" if self.phone.startswith("tel:") else self.phone


@dataclass(frozen=True, slots=True)
class Mailbox:
    name: str
    greeting: str = ""  # a prompt id, "" for the flow's own words
    email: str = ""
    limit: int = 100  # messages
    has_pin: bool = False
    keep_days: int | None = None  # how long a message is kept, whatever its state; None for ever
    phones: tuple[str, ...] = ()  # the SIP accounts whose light tells of new messages
    locked_until: datetime | None = None  # after wrong PINs


class MessageState(StrEnum):
    NEW = "new"
    HEARD = "heard"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    box: str
    caller: str
    caller_name: str
    received: datetime  # UTC
    seconds: float
    path: str
    state: MessageState
    call: str
    visit: str  # of the step: with the call, what makes keeping the message repeatable


@dataclass(frozen=True, slots=True)
class Waiting:
    """The messages that a phone's light tells of."""

    new: int = 0
    old: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """An e-mail that is to be sent: the message, to whom, and how often it was tried in vain."""

    message: Message
    to: str
    attempts: int


@dataclass(frozen=True, slots=True)
class CallRecording:
    """A recording of a call. `queue` and `agent` are "" where a flow recorded."""

    id: str
    call: str
    flow: str
    queue: str
    agent: str
    started: datetime  # UTC
    seconds: float
    path: str
    keep_until: datetime | None  # None for ever


@dataclass(frozen=True, slots=True)
class Interaction:
    """One call as the journal tells it. Times are UTC, None for what has not happened."""

    call: str
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    caller: str = ""
    dialled: str = ""
    flow: str = ""
    version: str = ""
    language: str = ""
    queue: str = ""  # the last one
    queued: datetime | None = None  # the first time
    agent: str = ""  # the last one who answered
    waited_ms: int | None = None
    talked_ms: int | None = None
    cause: str = ""
    outcome: str = ""
