"""The values that the ACD thinks in: queues' rules, agents, events that come in, decisions that go out.

All times are integer milliseconds of a clock that never goes back. Ids are text and opaque.
Events are past tense: they happened. Decisions are imperative: the shell carries them out, and what
becomes of them comes back as an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def _value(cls: type[T]) -> type[T]:
    """A frozen dataclass to whoever checks types; at run time a plain one, which is made in a quarter of the time."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


Millis = int
CallId = str
AgentId = str
OfferId = str
QueueName = str


class AgentState(StrEnum):
    """Agent states of CSTA (ECMA-269), with Reserved for the time in which a call is offered."""

    __hash__ = str.__hash__  # an enumeration's own hash is Python code, and the tables of states are asked all the time

    LOGGED_OFF = "LoggedOff"
    NOT_READY = "NotReady"
    READY = "Ready"
    RESERVED = "Reserved"
    BUSY = "Busy"
    WORKING_AFTER_CALL = "WorkingAfterCall"


@dataclass(frozen=True, slots=True)
class Announcements:
    """When a waiting caller is told its position and wait; `first` and `every` in milliseconds."""

    position: bool = False
    wait: bool = False
    first: Millis = 15_000
    every: Millis = 30_000
    only_if_better: bool = True


@dataclass(frozen=True, slots=True)
class Comforts:
    """Words that tell a waiting caller that it is not forgotten: prompts, each in its turn."""

    prompts: tuple[str, ...] = ()
    first: Millis = 30_000
    every: Millis = 60_000


@dataclass(frozen=True, slots=True)
class Question:
    """After how long, and again so long after each time, a caller is asked whether to go on waiting; 0: never."""

    after: Millis = 0
    prompt: str = "keep-waiting-or-leave"


@dataclass(frozen=True, slots=True)
class Overflow:
    """One rule of `overflow:`; exactly one of `exit`, `to_queue`, `relax` is set.

    `after` counts from the entry into this queue. none-logged-on: nobody who could ever be able for this
    call is logged on; none-ready: all who could be are logged off or NotReady (who talks is not). closed: the
    queue's calendar says anything but open; emergency: it says that.
    """

    after: Millis = 0
    when: Literal["", "none-logged-on", "none-ready", "closed", "emergency"] = ""
    exit: str = ""
    to_queue: QueueName = ""
    relax: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """That talks are recorded: the prompt that tells callers so, and how many days recordings are kept."""

    announce: str
    keep: int | None = None  # as long as the house keeps recordings


@dataclass(frozen=True, slots=True)
class QueueRule:
    """How one queue serves its callers."""

    name: QueueName
    strategy: str = "longest-idle"
    weight: int = 1
    music: str = "calm"
    calendar: str = ""  # whose hours `when: closed` and `when: emergency` mean
    skills: Mapping[str, str] = field(default_factory=dict)  # required, preferred, required 3 (see acd/skills.py)
    priority_credit: Millis = 60_000
    announce: Announcements = Announcements()
    comfort: Comforts = Comforts()
    question: Question = Question()
    while_waiting: Mapping[str, str] = field(default_factory=dict)
    ring_for: Millis = 15_000
    no_answer_limit: int = 2
    wrap_up: Millis = 20_000
    service_level: tuple[int, Millis] = (80, 20_000)
    overflow: tuple[Overflow, ...] = ()
    longest_queue: int = 200
    idle_since: Literal["ready", "last-call", "last-offer"] = "ready"
    answer_within: Millis = 15_000  # beyond `ring_for`: for the whisper, or for a remote agent to press 1
    connect_within: Millis = 10_000
    whisper: bool = True  # the agent hears who calls before the caller is there
    no_answer_delay: Millis = 5_000  # how long an agent is not rung after it let a call ring out
    reject_delay: Millis = 10_000  # ... after it declined or could not be reached
    busy_delay: Millis = 10_000  # ... after its phone was busy
    ring_step: Millis = 5_000  # ring-progressively: another phone rings after each of these
    sticky_for: Millis = 20_000  # sticky: how long a caller waits for its last agent
    record: Recorded | None = None
    results: tuple[str, ...] = ()  # what may come of a call; none: anything
    successor: QueueName = ""  # who gets the callers when this queue is removed; "" gives them back to their flow

    @property
    def prompts(self) -> frozenset[str]:
        """The ids of what its callers hear beside music, position and wait."""
        told = [self.question.prompt] if self.question.after else []
        told += [self.record.announce] if self.record else []
        return frozenset({*self.comfort.prompts, *told})


@dataclass(frozen=True, slots=True)
class Agent:
    """Who an agent is; its state lives in the engine."""

    id: AgentId
    name: str = ""
    phone: str = ""
    queues: tuple[QueueName, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)
    ranks: Mapping[QueueName, int] = field(default_factory=dict)  # 1 where none is given; the lower are rung first
    wrap_up: Millis | None = None  # in place of the queue's
    permanent: bool = False  # the phone stays off hook between calls
    order: int | None = None  # top-down and round-robin: the lower the sooner, None last; then by id, 999 before 1000


# --- events -------------------------------------------------------------------------------------


@_value
class QueuesChanged:
    """The rules were loaded, at the start or after an edit. Calls of a queue that is gone overflow."""

    queues: tuple[QueueRule, ...]


@_value
class AgentChanged:
    """An agent is new, or has other skills, queues or another phone."""

    agent: Agent


@_value
class AgentRemoved:
    """The agent works here no more: offered nothing from now on, and gone when its talk is over."""

    agent: AgentId


@_value
class AgentLoggedOn:
    """The agent is there, NotReady with reason "logged on" until it says Ready."""

    agent: AgentId


@_value
class AgentLoggedOff:
    """`by`: the supervisor who forced it, here and below; "" for the agent's own wish. `reason`: the supervisor's."""

    agent: AgentId
    reason: str = ""
    by: str = ""


@_value
class AgentBecameReady:
    agent: AgentId
    by: str = ""


@_value
class AgentBecameNotReady:
    agent: AgentId
    reason: str
    by: str = ""


@_value
class ResultGiven:
    """What came of the agent's call, in one of its queue's `results`; while it talks or wraps up."""

    agent: AgentId
    result: str


@_value
class WrapUpExtended:
    """The agent needs so much longer for the work after the call."""

    agent: AgentId
    by: Millis


@_value
class QueueHours:
    """What a queue's calendar says from now on; before the first word of it a queue counts as open."""

    queue: QueueName
    state: Literal["open", "closed", "holiday", "emergency"]


@_value
class CallQueued:
    """A caller entered a queue. `arrived` is kept when it comes from another queue or from before a restart.

    `entered`: when it entered this queue, where that was before a restart; the limits of overflow count
    from it. `last_agent`: whom this customer talked to last, for every sticky queue that it comes to. `told_position`
    and `told_wait`: the last that Announce has told it before a restart.
    """

    call: CallId
    queue: QueueName
    priority: int = 0
    skills: tuple[str, ...] = ()
    arrived: Millis | None = None
    entered: Millis | None = None
    last_agent: AgentId = ""
    told_position: int | None = None
    told_wait: float | None = None


@_value
class CallAbandoned:
    """The caller hung up while waiting, ringing or being connected."""

    call: CallId


@_value
class CallLeft:
    """The caller left the queue by its own choice (a key).

    Or else by `reason`: it was joined to an agent who had gone in that moment, and its flow goes on as after a talk.
    """

    call: CallId
    reason: Literal["", "agent gone"] = ""


@_value
class CallerLost:
    """The connection to a waiting caller broke: out of the queue, until the same CallQueued comes with `arrived`."""

    call: CallId


@_value
class AnnouncementMade:
    """What the caller was to be told was spoken to its end, or cut short; music until the next."""

    call: CallId


@_value
class OfferAnswered:
    """The agent answered and heard the whisper."""

    offer: OfferId


@_value
class OfferDeclined:
    """The agent, or the agent's phone, refused (busy, rejected)."""

    offer: OfferId
    cause: str


@_value
class OfferNotAnswered:
    offer: OfferId


@_value
class OfferFailed:
    """The phone could not be reached at all (unregistered, switch error)."""

    offer: OfferId
    cause: str


@_value
class CallConnected:
    """Caller and agent hear each other."""

    offer: OfferId


@_value
class ConnectFailed:
    """The agent's leg was gone before the join; the caller is still there."""

    offer: OfferId


@_value
class TalkEnded:
    """One of the two hung up; the agent's work after the call begins."""

    offer: OfferId


@_value
class TalkFound:
    """After a restart: these two have been talking all along, by an offer of the life before. Its end is TalkEnded.

    Comes after the agent's own events, before anybody is queued: an agent who talks must not be rung.
    """

    offer: OfferId
    call: CallId
    queue: QueueName
    agent: AgentId


@_value
class TimePassed:
    """Nothing else happened, but a deadline came."""


Event = (
    QueuesChanged
    | AgentChanged
    | AgentRemoved
    | AgentLoggedOn
    | AgentLoggedOff
    | AgentBecameReady
    | AgentBecameNotReady
    | WrapUpExtended
    | ResultGiven
    | QueueHours
    | CallQueued
    | CallAbandoned
    | CallLeft
    | CallerLost
    | AnnouncementMade
    | OfferAnswered
    | OfferDeclined
    | OfferNotAnswered
    | OfferFailed
    | CallConnected
    | ConnectFailed
    | TalkEnded
    | TalkFound
    | TimePassed
)

# --- decisions ----------------------------------------------------------------------------------


@_value
class OfferCall:
    """Ring the agent for this caller, at most `ring_for`."""

    offer: OfferId
    call: CallId
    queue: QueueName
    agent: AgentId
    ring_for: Millis


@_value
class WithdrawOffer:
    """Stop ringing or whispering, and hang up: the caller is gone, or the deadline passed."""

    offer: OfferId
    agent: AgentId
    reason: Literal["caller gone", "no answer", "agent left", "queue gone", "answered elsewhere"]


@_value
class Connect:
    """Join the caller with the agent's leg of this offer."""

    offer: OfferId
    call: CallId
    agent: AgentId


@_value
class Announce:
    """Tell the caller its position (1 is next) and, in seconds, the wait; None: do not speak of it."""

    call: CallId
    position: int | None
    wait: float | None


@_value
class Comfort:
    """Say this prompt to the caller."""

    call: CallId
    prompt: str


@_value
class AskToStay:
    """Ask the caller, by this prompt, whether to go on waiting. Who leaves says CallLeft, who says nothing stays."""

    call: CallId
    prompt: str


@_value
class EndWait:
    """Give the caller back to its flow by that exit."""

    call: CallId
    queue: QueueName
    exit: str


@_value
class MoveCall:
    """The caller waits in another queue now, its arrival kept."""

    call: CallId
    queue: QueueName


@_value
class RelaxSkill:
    """The caller asks for this skill no more while it waits in this queue: for the journal."""

    call: CallId
    skill: str


@_value
class WaitForAnybody:
    """The caller waits no longer for its last agent alone: for the journal."""

    call: CallId


@_value
class NoteResult:
    """Write down what came of a call; the last one of several counts."""

    call: CallId
    queue: QueueName
    agent: AgentId
    result: str


@_value
class ShowAgentState:
    """An agent's state changed: for the journal, the wallboard and the agent's screen."""

    agent: AgentId
    state: AgentState
    reason: str = ""
    call: CallId = ""


Decision = (
    OfferCall
    | WithdrawOffer
    | Connect
    | Announce
    | Comfort
    | AskToStay
    | EndWait
    | MoveCall
    | RelaxSkill
    | WaitForAnybody
    | NoteResult
    | ShowAgentState
)


# --- what can be seen ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AgentView:
    id: AgentId
    state: AgentState
    reason: str
    call: CallId
    since: Millis


@dataclass(frozen=True, slots=True)
class QueueView:
    """`waiting`: call ids in the order in which they will be served."""

    name: QueueName
    waiting: tuple[CallId, ...]


@dataclass(frozen=True, slots=True)
class CallView:
    """A waiting caller. `wait`: the estimate in seconds of what remains, None when nothing is known."""

    id: CallId
    queue: QueueName
    position: int
    arrived: Millis
    rank: Millis
    wait: float | None
    offered_to: tuple[AgentId, ...]
