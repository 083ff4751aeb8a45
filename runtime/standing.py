"""How things stand by the journal: the calls that are under way and where, who talks with whom, what agents do.

It is kept up record by record while the house runs, and read from the journal by the next process: both
see the same. Times are milliseconds of the clock that never goes back; a change of the time of day moves none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from acd.model import AgentState
from journal.checkpoints import caught_up
from journal.reader import Record
from switch.shared.clock import Millis

BOOT = Path("/proc/sys/kernel/random/boot_id")
STARTED = "ApplianceStarted"
_NOT_OF_THE_FLOW = frozenset({"seq", "at", "v", "call", "spent", "hidden"})


@dataclass(frozen=True)
class Waited:
    """A place in a queue. `arrived`, `entered` and what was told as in `acd.model.CallQueued`."""

    queue: str
    priority: int
    skills: tuple[str, ...]
    arrived: Millis
    entered: Millis
    last_agent: str = ""
    told_position: int | None = None
    told_wait: float | None = None


@dataclass
class OpenCall:
    """A call that has arrived and not ended, and where it stands.

    `told` are those of its records that `ivr.state.replayed` needs to say where it is in its flow. `hidden` names,
    for each flow, the sensitive variables, whose values nobody wrote down, with the step that asked for each.
    `over` is the exit by which its wait in a queue has ended.
    """

    caller: str = ""
    caller_name: str = ""
    dialled: str = ""
    flow: str = ""
    answered: bool = False
    visit: int = 0
    spent: float = 0.0
    told: list[dict[str, Any]] = field(default_factory=list)
    hidden: dict[str, dict[str, str]] = field(default_factory=dict)
    place: Waited | None = None
    queued: int = 0  # the record by which it was queued
    over: str = ""
    box: str = ""  # where a message is being left, and into which file
    file: str = ""
    version: int = 0  # of the flow, in which the call ends

    def tell(self, record: Record) -> None:
        """Notes one more record of the flow, and drops what it makes superfluous."""
        match record["type"]:
            case "StepEntered":
                self._enter(record)
            case "StepLeft" if "hidden" in record:
                lost = self.hidden.setdefault(record.get("flow", ""), {})
                lost |= dict.fromkeys(record["hidden"], record["step"])
        self.told.append({key: value for key, value in record.items() if key not in _NOT_OF_THE_FLOW})

    def _enter(self, record: Record) -> None:
        """A step begins: what was before in this flow comes down to its variables.

        Where a visit only goes on, after a restart, all stays as it was.
        """
        self.spent = record.get("spent", self.spent)
        if record["visit"] == self.visit:
            return
        self.visit = record["visit"]
        self.place, self.over = None, ""
        self.box = self.file = ""
        flow = record.get("flow", "")
        begin = next((n for n in reversed(range(len(self.told))) if _calls(self.told[n], flow)), -1) + 1
        left = [told for told in self.told[begin:] if told["type"] == "StepLeft" and told.get("flow", "") == flow]
        if left:
            known = {name: value for told in left for name, value in told["set"].items()}
            self.told[begin:] = [{**left[-1], "set": known}]


def _calls(told: Mapping[str, Any], flow: str) -> bool:
    return bool(told["type"] == "FlowCalled" and told["flow"] == flow)


@dataclass
class OpenOffer:
    """A call at an agent's phone."""

    call: str
    queue: str
    agent: str
    stage: Literal["ringing", "connecting", "talking"] = "ringing"
    since: Millis = 0  # of the talk


@dataclass(frozen=True)
class AgentStood:
    state: str
    reason: str
    call: str
    since: Millis
    queue: str = ""  # of the last talk
    offer: str = ""
    wish: str = ""  # the state that was asked for during a call, and is to follow it
    wish_reason: str = ""


class Standing:
    """All of it. See `journal.checkpoints.Standing`. `epoch` grows with every life, as switches compare it."""

    def __init__(self) -> None:
        self.seq = 0
        self.epoch = 0
        self.boot = ""
        self.apart: Millis = 0  # the time of day less the clock that never goes back
        self.calls: dict[str, OpenCall] = {}
        self.offers: dict[str, OpenOffer] = {}
        self.agents: dict[str, AgentStood] = {}

    @property
    def concerns(self) -> frozenset[str]:
        return CONCERNS

    def take(self, record: Record) -> None:
        _TAKES[record["type"]](self, record)
        self.seq = record["seq"]

    def stored(self) -> Mapping[str, Any]:
        return {
            "seq": self.seq,
            "epoch": self.epoch,
            "boot": self.boot,
            "apart": self.apart,
            "calls": {
                id: {**vars(call), "place": vars(call.place) if call.place else None} for id, call in self.calls.items()
            },
            "offers": {id: vars(offer) for id, offer in self.offers.items()},
            "agents": {id: vars(agent) for id, agent in self.agents.items()},
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Self:
        standing = cls()
        standing.seq, standing.boot, standing.apart = stored["seq"], stored["boot"], stored["apart"]
        standing.epoch = stored.get("epoch", 0)
        for id, call in stored["calls"].items():
            place = Waited(**{**call["place"], "skills": tuple(call["place"]["skills"])}) if call["place"] else None
            standing.calls[id] = OpenCall(**{**call, "place": place})
        standing.offers = {id: OpenOffer(**offer) for id, offer in stored["offers"].items()}
        standing.agents = {id: AgentStood(**agent) for id, agent in stored["agents"].items()}
        return standing

    # --- the records, each by its type

    def _at(self, record: Record) -> Millis:
        return round(datetime.fromisoformat(record["at"]).timestamp() * 1000) - self.apart

    def _started(self, record: Record) -> None:
        """A new life. After a reboot its clock counts from elsewhere, and the times of the lives before move along."""
        apart = round(datetime.fromisoformat(record["at"]).timestamp() * 1000) - record["now"]
        if record["boot"] != self.boot:
            self._move(self.apart - apart)
        self.boot, self.apart = record["boot"], apart
        self.epoch = record.get("epoch", self.epoch)

    def _move(self, by: Millis) -> None:
        for call in self.calls.values():
            if call.place:
                call.place = replace(call.place, arrived=call.place.arrived + by, entered=call.place.entered + by)
        for offer in self.offers.values():
            offer.since += by
        self.agents = {id: replace(agent, since=agent.since + by) for id, agent in self.agents.items()}

    def _clock_changed(self, record: Record) -> None:
        self.apart += record["by"]

    def _arrived(self, record: Record) -> None:
        caller, name, dialled, flow = (record.get(key, "") for key in ("caller", "caller_name", "dialled", "flow"))
        self.calls[record["call"]] = OpenCall(caller, name, dialled, flow, version=record.get("version", 0))

    def _returned(self, record: Record) -> None:
        if record["call"] not in self.calls:
            self._arrived(record)

    def _ended(self, record: Record) -> None:
        self.calls.pop(record["call"], None)

    def _of_call(self, record: Record) -> None:
        if (call := self.calls.get(record["call"])) is None:
            return
        match record["type"]:
            case "CallAnswered":
                call.answered = True
            case "StepEntered" | "StepLeft" | "FlowCalled" | "FlowReturned" | "DeedBegun" | "DeedDone":
                call.tell(record)
            case "MessageBegun":
                call.box, call.file = record["box"], record["path"]
            case "MessageKept" | "MessageUnfiled" | "MessageNotKept":
                call.box = call.file = ""
            case "CallQueued":
                self._queued(call, record)
            case "MoveCall" if call.place:
                call.place = replace(call.place, queue=record["queue"], entered=self._at(record))
            case "Announce" if call.place:
                call.place = self._told(call.place, record)
            case "EndWait":
                call.place, call.over = None, str(record["exit"])
            case "CallLeft" if call.place:
                call.place, call.over = None, "answered" if record.get("reason") else "left"  # see `acd.model.CallLeft`
            case "CallAbandoned":
                call.place = None

    def _queued(self, call: OpenCall, record: Record) -> None:
        at = self._at(record)
        arrived, entered = record.get("arrived"), record.get("entered")
        call.queued = record["seq"]
        call.place = Waited(
            queue=record["queue"],
            priority=record["priority"],
            skills=tuple(record["skills"]),
            arrived=at if arrived is None else arrived,
            entered=at if entered is None else entered,
            last_agent=record.get("last_agent", ""),
            told_position=record.get("told_position"),
            told_wait=record.get("told_wait"),
        )

    def _told(self, place: Waited, record: Record) -> Waited:
        """What was left out of an announcement was no better than what was told before."""
        told = {"told_position": record["position"], "told_wait": record["wait"]}
        return replace(place, **{name: value for name, value in told.items() if value is not None})

    def _offered(self, record: Record) -> None:
        self.offers[record["offer"]] = OpenOffer(record["call"], record["queue"], record["agent"])

    def _connecting(self, record: Record) -> None:
        if offer := self.offers.get(record["offer"]):
            offer.stage = "connecting"

    def _connected(self, record: Record) -> None:
        if offer := self.offers.get(record["offer"]):
            offer.stage, offer.since = "talking", self._at(record)
            if call := self.calls.get(offer.call):
                call.place, call.over = None, "answered"

    def _offer_over(self, record: Record) -> None:
        offer = self.offers.pop(record["offer"], None)
        if offer and offer.stage == "talking" and offer.agent in self.agents:
            stood = self.agents[offer.agent]
            self.agents[offer.agent] = replace(stood, queue=offer.queue, offer=record["offer"])

    def _wished(self, record: Record) -> None:
        agent = self.agents.get(record["agent"])
        if agent is None or agent.state not in {AgentState.RESERVED, AgentState.BUSY}:
            return
        wish = {"AgentLoggedOff": AgentState.LOGGED_OFF.value, "AgentBecameNotReady": AgentState.NOT_READY.value}
        self.agents[record["agent"]] = replace(
            agent, wish=wish.get(record["type"], ""), wish_reason=record.get("reason", "")
        )

    def _agent(self, record: Record) -> None:
        before = self.agents.get(record["agent"])
        state = AgentState(record["state"])
        stands = AgentStood(state.value, record["reason"], record["call"], self._at(record))
        if before and state is AgentState.WORKING_AFTER_CALL:
            stands = replace(stands, queue=before.queue, offer=before.offer)
        elif before and state is AgentState.BUSY:
            stands = replace(stands, wish=before.wish, wish_reason=before.wish_reason)
        self.agents[record["agent"]] = stands


_TAKES: Mapping[str, Callable[[Standing, Record], None]] = {
    STARTED: Standing._started,
    "ClockChanged": Standing._clock_changed,
    "CallArrived": Standing._arrived,
    "CallReturned": Standing._returned,
    "CallEnded": Standing._ended,
    **dict.fromkeys(
        (
            "CallAnswered",
            "StepEntered",
            "StepLeft",
            "FlowCalled",
            "FlowReturned",
            "DeedBegun",
            "DeedDone",
            "MessageBegun",
            "MessageKept",
            "MessageUnfiled",
            "MessageNotKept",
            "CallQueued",
            "MoveCall",
            "Announce",
            "EndWait",
            "CallLeft",
            "CallAbandoned",
        ),
        Standing._of_call,
    ),
    "OfferCall": Standing._offered,
    "Connect": Standing._connecting,
    "CallConnected": Standing._connected,
    "TalkFound": Standing._connected,
    **dict.fromkeys(
        ("OfferDeclined", "OfferNotAnswered", "OfferFailed", "ConnectFailed", "WithdrawOffer", "TalkEnded"),
        Standing._offer_over,
    ),
    "AgentStateChanged": Standing._agent,
    **dict.fromkeys(("AgentLoggedOn", "AgentLoggedOff", "AgentBecameReady", "AgentBecameNotReady"), Standing._wished),
}
CONCERNS = frozenset(_TAKES)


def read_standing(directory: Path) -> Standing:
    """How things stood when the last process ended."""
    return caught_up(directory, Standing, Standing.restored)


def new_life(directory: Path, wall: datetime) -> Standing:
    """How things stood when the last process ended, with the `epoch` of the one that begins now.

    It is greater than that of every life before, though the time of day may have been set back meanwhile.
    """
    standing = read_standing(directory)
    standing.epoch = max(int(wall.timestamp() * 1000), standing.epoch + 1)
    return standing


def boot_id() -> str:
    """Names the time since the machine was started: within it the clock that never goes back counts on."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return ""
