"""The agent's states as one table, and what the engine knows of an agent at work."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from acd.model import Agent, AgentState, AgentView, CallId, Millis
from acd.ordered import Ordered

if TYPE_CHECKING:
    from acd.calls import Key, Offer
    from acd.lines import Line

# An enumeration's members are looked up by a function each time, in Python 3.11; a module's names are not.
LOGGED_OFF = AgentState.LOGGED_OFF
NOT_READY = AgentState.NOT_READY
READY = AgentState.READY
RESERVED = AgentState.RESERVED
BUSY = AgentState.BUSY
WORKING_AFTER_CALL = AgentState.WORKING_AFTER_CALL


class Input(StrEnum):
    """What can happen to an agent."""

    __hash__ = str.__hash__

    LOG_ON = "logs on"
    LOG_OFF = "logs off"
    BE_READY = "says Ready"
    BE_NOT_READY = "says NotReady"
    OFFER = "is offered a call"
    RELEASE = "the offer came to nothing"
    BENCH = "let too many offers ring"
    CONNECT = "is connected"
    FOUND = "was found talking"
    TALK_END = "the talk ended"
    WRAP_UP_END = "the wrap-up is over"


LOG_ON, LOG_OFF, BE_READY, BE_NOT_READY = Input.LOG_ON, Input.LOG_OFF, Input.BE_READY, Input.BE_NOT_READY
OFFER, RELEASE, BENCH, CONNECT, FOUND = Input.OFFER, Input.RELEASE, Input.BENCH, Input.CONNECT, Input.FOUND
TALK_END, WRAP_UP_END = Input.TALK_END, Input.WRAP_UP_END


class Wish(Enum):
    """What becomes of an input that cannot be followed while the agent has a call."""

    LATER = "kept until the call is over"
    FORGET = "takes back what was kept"


LATER, FORGET = Wish.LATER, Wish.FORGET

# Every pair that stands here does something; every other pair is ignored.
TABLE: Mapping[AgentState, Mapping[Input, AgentState | Wish]] = {
    LOGGED_OFF: {
        LOG_ON: NOT_READY,
        FOUND: BUSY,
    },
    NOT_READY: {
        LOG_OFF: LOGGED_OFF,
        BE_READY: READY,
        BE_NOT_READY: NOT_READY,  # with another reason
        FOUND: BUSY,
    },
    READY: {
        LOG_OFF: LOGGED_OFF,
        BE_READY: READY,  # lifts a delay after a decline
        BE_NOT_READY: NOT_READY,
        OFFER: RESERVED,
        FOUND: BUSY,
    },
    RESERVED: {
        LOG_ON: FORGET,
        LOG_OFF: LATER,
        BE_READY: FORGET,
        BE_NOT_READY: LATER,
        RELEASE: READY,
        BENCH: NOT_READY,
        CONNECT: BUSY,
    },
    BUSY: {
        LOG_ON: FORGET,
        LOG_OFF: LATER,
        BE_READY: FORGET,
        BE_NOT_READY: LATER,
        TALK_END: WORKING_AFTER_CALL,
    },
    WORKING_AFTER_CALL: {
        LOG_OFF: LOGGED_OFF,
        BE_READY: READY,
        BE_NOT_READY: NOT_READY,
        WRAP_UP_END: READY,
    },
}


IDLE = frozenset({LOGGED_OFF, NOT_READY})  # who takes no calls, and will not when the present one is over


def is_logged_on(state: AgentState) -> bool:
    return state is not LOGGED_OFF


def is_working(state: AgentState) -> bool:
    """Takes calls, or will when the present one is over."""
    return state not in IDLE


class LiveAgent:
    """An agent as it is now. Only the engine changes it."""

    __slots__ = (
        "awaited_by",
        "call",
        "calls",
        "due",
        "gone",
        "held",
        "indexed",
        "last_offered",
        "last_talk",
        "lines",
        "lot",
        "no_answers",
        "offer",
        "pending",
        "ready_since",
        "reason",
        "rule",
        "since",
        "state",
        "talk_ended",
        "talk_time",
    )

    def __init__(self, rule: Agent, now: Millis) -> None:
        self.rule = rule
        self.state = LOGGED_OFF
        self.reason = ""
        self.call: CallId = ""
        self.since = now
        self.offer: Offer | None = None
        self.pending: tuple[Input, str] | None = None  # asked for during a call, followed after it
        self.due: Millis | None = None  # the end of wrap-up or of `held`
        self.held = False  # Ready, but not to be rung yet: it has just declined or not answered
        self.no_answers = 0  # offers that rang out since the last talk
        self.gone = False  # removed while it had a call
        self.lines: list[Line] = []  # that it is able to serve
        self.awaited_by: Ordered[Key] = Ordered()  # callers who wait for this agent before any other
        self.lot = 0  # drawn each time it becomes free: decides between equals
        self.indexed = False  # stands in those lines' indexes
        self.ready_since = now
        self.talk_ended = now
        self.last_offered = now
        self.calls = 0  # since log-on
        self.talk_time: Millis = 0  # since log-on
        self.last_talk: Offer | None = None  # whose wrap-up is not over yet

    def begin_shift(self, now: Millis) -> None:
        """What is counted from log-on begins anew."""
        self.no_answers = 0
        self.calls = 0
        self.talk_time = 0
        self.talk_ended = self.last_offered = now

    def free(self) -> bool:
        return self.state is READY and not self.held and not self.gone

    def talk(self) -> Offer | None:
        """The talk that goes on, or whose wrap-up does."""
        return self.offer if self.state is BUSY else self.last_talk

    def take(self, input_: Input, reason: str, now: Millis) -> AgentState | None:
        """Follows the table: the state before, when the input led to a state; None when it did not."""
        step = TABLE[self.state].get(input_)
        if step is None:
            return None
        if isinstance(step, Wish):
            self.pending = (input_, reason) if step is LATER else None
            return None
        before = self.state
        self.state, self.reason = step, reason
        if step is not before:
            self.since = now
        return before

    def view(self) -> AgentView:
        return AgentView(self.rule.id, self.state, self.reason, self.call, self.since)
