"""A caller in a queue, and an offer of it to one agent."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from acd.model import CallId, CallQueued, Millis, OfferId, QueueName
from acd.ordered import Ordered

if TYPE_CHECKING:
    from acd.agents import LiveAgent
    from acd.lines import Line, Queue


class Stage(Enum):
    RINGING = "ringing"  # until the agent answered and heard the whisper
    CONNECTING = "connecting"
    TALKING = "talking"


RINGING, CONNECTING, TALKING = Stage.RINGING, Stage.CONNECTING, Stage.TALKING


class Saying(Enum):
    """What a waiting caller is told, the more urgent first where several are due."""

    __hash__ = object.__hash__  # an enumeration's own hash is Python code

    PLACE = "position and wait"
    QUESTION = "whether to go on waiting"
    COMFORT = "words of comfort"


PLACE, QUESTION, COMFORT = Saying.PLACE, Saying.QUESTION, Saying.COMFORT


class Offer:
    """One call at one agent's phone, from the ring to the end of the talk."""

    __slots__ = ("agent", "call", "connected_at", "due", "id", "offered_at", "queue", "stage")

    def __init__(self, id_: OfferId, call: WaitingCall, agent: LiveAgent, now: Millis) -> None:
        self.id = id_
        self.call = call
        self.agent = agent
        self.queue: Queue = call.queue
        self.stage = RINGING
        self.due: Millis | None = None
        self.offered_at = now
        self.connected_at = now


NONE: frozenset[Any] = frozenset()  # each frozenset() would be 216 bytes of its own, per waiting call

# rank, arrival, order of entry, call: the last is never compared
Key = tuple[Millis, Millis, int, "WaitingCall"]


class WaitingCall:
    """A caller who waits, until it is connected or its wait ends otherwise.

    While a phone rings for it, it keeps its place in the queue but stands where no agent finds it
    (unless its queue rings several phones), so that nobody else is offered it.
    """

    __slots__ = (
        "arrived",
        "asked",
        "awaited",
        "comforted",
        "connecting",
        "due",
        "entered",
        "expected",
        "id",
        "key",
        "last_agent",
        "line",
        "offers",
        "priority",
        "queue",
        "relaxed",
        "returned",
        "ringing_since",
        "say_at",
        "saying",
        "saying_until",
        "serial",
        "sought",
        "spent",
        "spoken_position",
        "spoken_wait",
        "standing",
        "visited",
        "widest",
    )

    queue: Queue
    key: Key
    line: Line
    widest: Line  # the line that it would stand in with everything relaxed

    def __init__(self, event: CallQueued, serial: int, now: Millis) -> None:
        self.id: CallId = event.call
        self.priority = event.priority
        self.asked = event.skills
        self.arrived = now if event.arrived is None else event.arrived
        self.entered = now if event.entered is None else event.entered
        self.serial = serial
        self.visited: frozenset[QueueName] = NONE
        self.standing: Ordered[Key] | None = None  # the index in which free agents find it
        self.last_agent = event.last_agent  # "" once that agent has declined it
        self.awaited: LiveAgent | None = None  # its last agent, while this queue lets it wait for nobody else
        self.offers: tuple[Offer, ...] = ()
        self.ringing_since = now
        self.connecting: Offer | None = None
        self.sought: tuple[Queue, ...] = ()  # to which it would overflow, and which were full
        self.due: Millis | None = None
        self.spoken_position = event.told_position  # also in the next queue none is spoken that is worse
        self.spoken_wait = event.told_wait
        self.returned = 0 if event.entered is None else now  # when it came back from before a restart
        self.comforted = 0
        self.forget_queue()

    def forget_queue(self) -> None:
        """What belongs to one queue begins anew in the next."""
        self.forget_limits()
        self.say_at: dict[Saying, Millis] = {}
        self.saying: Saying | None = None  # what is being spoken at this moment
        self.saying_until: Millis = 0
        self.expected: tuple[Millis, float] | None = (
            None  # when first estimated, and the wait that the queue's pace gave
        )

    def forget_limits(self) -> None:
        """The queue's limits are read anew."""
        self.relaxed: frozenset[str] = NONE
        self.spent: frozenset[int] = NONE  # overflow rules that were carried out
