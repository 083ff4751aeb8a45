"""The floor as the journal tells it afterwards: who waited with what, and what every agent was doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from acd.agents import is_working
from acd.model import Agent, AgentId, AgentState, CallId, Millis, OfferId, QueueName, QueueRule
from acd.records import rules_of
from acd.routing import strategy_named
from acd.skills import Needs, needs
from journal.clocks import Clocks

Record = Mapping[str, Any]

ENDS_OFFER = frozenset({"WithdrawOffer", "OfferNotAnswered", "OfferDeclined", "OfferFailed", "ConnectFailed"})
LEAVES_QUEUE = frozenset({"CallConnected", "TalkFound", "CallAbandoned", "CallLeft", "EndWait", "CallEnded"})


@dataclass(slots=True)
class Person:
    """An agent, what it is doing, and what strategies look at."""

    agent: Agent
    state: AgentState = AgentState.LOGGED_OFF
    reason: str = ""
    call: CallId = ""
    since: Millis = 0
    ready_since: Millis = 0
    talk_ended: Millis = 0
    last_offered: Millis = 0
    calls: int = 0  # since log-on
    talked: Millis = 0  # since log-on

    def free(self, call: CallId, now: Millis) -> bool:
        """Ready and not spared, or Reserved for this very call in the same moment."""
        if self.state is AgentState.READY:
            return not self.reason
        return self.state is AgentState.RESERVED and self.call == call and self.since == now

    def rank(self, queue: QueueName) -> int:
        """In this queue; the lower are rung first."""
        return self.agent.ranks.get(queue, 1)

    def idle_since(self, rule: QueueRule) -> Millis:
        match rule.idle_since:
            case "last-call":
                return self.talk_ended
            case "last-offer":
                return self.last_offered
            case _:
                return self.ready_since


@dataclass(slots=True)
class Waiter:
    """A waiting call: since when, as what it counts, and for whom it waits.

    `last_agent` is "" once that agent has declined it, `awaited` once anybody who is able may be rung.
    """

    call: CallId
    queue: QueueName
    entered: Millis
    arrived: Millis
    priority: int = 0
    skills: tuple[str, ...] = ()
    last_agent: AgentId = ""
    awaited: AgentId = ""
    relaxed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Offered:
    """Whose phone rings for whom."""

    call: CallId
    agent: AgentId


@dataclass(slots=True)
class Hindsight:
    """Takes the journal's records in their order. `given`: the queues' rules where the journal has none yet.

    Its times are those of `time`: what lies between two of them is true though the time of day was set meanwhile.
    """

    given: Mapping[QueueName, QueueRule] = field(default_factory=dict)
    people: dict[AgentId, Person] = field(default_factory=dict)
    waiting: dict[CallId, Waiter] = field(default_factory=dict)
    lost: dict[CallId, Waiter] = field(default_factory=dict)  # until the switch is there again
    offers: dict[OfferId, Offered] = field(default_factory=dict)
    rung_last: dict[QueueName, AgentId] = field(default_factory=dict)
    told: dict[QueueName, QueueRule] = field(default_factory=dict)
    clocks: Clocks = field(default_factory=Clocks)

    def take(self, record: Record) -> None:
        self.clocks.take(record["type"], milliseconds(record["at"]), record)
        at = self.time(record)
        match record["type"]:
            case "QueuesChanged":
                self._change(rules_of(record))
            case "AgentChanged":
                ranks = record.get("ranks", {})
                agent = Agent(record["agent"], queues=tuple(record["queues"]), skills=record["skills"], ranks=ranks)
                self.people.setdefault(agent.id, Person(agent)).agent = agent
            case "AgentRemoved":
                self.people.pop(record["agent"], None)
            case "AgentStateChanged" if record["agent"] in self.people:
                self._turn(self.people[record["agent"]], record, at)
            case _:
                self._take_of_call(record, at)

    def _take_of_call(self, record: Record, at: Millis) -> None:
        match record["type"]:
            case "CallQueued":
                self._enter(record, at)
            case "MoveCall":
                self._move(record, at)
            case "OfferCall":
                self._rings(record, at)
            case "CallerLost" if waiter := self.waiting.pop(record["call"], None):
                self.lost[waiter.call] = waiter
            case "RelaxSkill" if waiter := self.waiting.get(record["call"]):
                waiter.relaxed |= {record["skill"]}
            case "WaitForAnybody" if waiter := self.waiting.get(record["call"]):
                waiter.awaited = ""
            case "WithdrawOffer" if record["reason"] != "no answer":
                self.offers.pop(record["offer"], None)
            case type if type in ENDS_OFFER:
                self._fails(record["offer"])
            case type if type in LEAVES_QUEUE or (type == "TalkEnded" and self.is_open(record)):
                self.waiting.pop(record["call"], None)
                self.lost.pop(record["call"], None)
                self.offers.pop(record.get("offer", ""), None)

    # --- questions

    def time(self, record: Record) -> Millis:
        """When that was, of all records since the first by one and the same clock."""
        return self.clocks.steady(milliseconds(record["at"]))

    def rule(self, queue: QueueName) -> QueueRule:
        return self.told.get(queue) or self.given.get(queue) or QueueRule(queue)

    def needs(self, waiter: Waiter, *, widest: bool = False) -> Needs:
        """What the call asks for now, or when all that its queue relaxes is relaxed."""
        rule = self.rule(waiter.queue)
        relaxed = frozenset(step.relax for step in rule.overflow if step.relax) if widest else waiter.relaxed
        return needs(rule, waiter.skills, relaxed)

    def able(self, waiter: Waiter, *, widest: bool = False) -> list[Person]:
        """The queue's agents whose skills fit, as `needs` has it."""
        wanted = self.needs(waiter, widest=widest)
        members = [person for _, person in sorted(self.people.items()) if waiter.queue in person.agent.queues]
        return [person for person in members if wanted.fit(person.agent.skills)]

    def rank(self, waiter: Waiter) -> Millis:
        return waiter.arrived - waiter.priority * self.rule(waiter.queue).priority_credit

    def is_rung_for(self, call: CallId) -> bool:
        return any(offered.call == call for offered in self.offers.values())

    def is_open(self, record: Record) -> bool:
        """Whether the record is of an offer by which nobody was connected yet."""
        return record.get("offer", "") in self.offers

    def ahead(self, waiter: Waiter) -> int:
        """How many wait in the same queue and are served before this one."""
        others = (each for each in self.waiting.values() if each.queue == waiter.queue and each is not waiter)
        return sum(self.rank(each) <= self.rank(waiter) for each in others)

    # --- what happened

    def _turn(self, person: Person, record: Record, at: Millis) -> None:
        before, state = person.state, AgentState(record["state"])
        if state is not before:
            person.since = at
        if state is AgentState.READY and before is not AgentState.RESERVED and before is not state:
            person.ready_since = at
        if before is AgentState.LOGGED_OFF and state is not before:
            person.calls = person.talked = 0
            person.talk_ended = person.last_offered = at
        person.state, person.reason, person.call = state, record.get("reason", ""), record.get("call", "")
        if state is AgentState.BUSY and before is not state:
            person.calls += 1
            person.talk_ended = at  # until it has ended
        elif before is AgentState.BUSY and state is not before:
            person.talked += at - person.talk_ended
            person.talk_ended = at

    def _change(self, rules: dict[QueueName, QueueRule]) -> None:
        """New rules. Where a queue's own differ, its callers begin anew in it."""
        before, self.told = self.told, rules
        for waiter in self.waiting.values():
            if before.get(waiter.queue) != rules.get(waiter.queue):
                self._join(waiter)

    def _enter(self, record: Record, at: Millis) -> None:
        call = record["call"]
        if call in self.waiting:
            return  # told again after a restart
        lost = self.lost.pop(call, None)
        self.waiting[call] = lost if lost and lost.queue == record["queue"] else self._waiter(record, at)
        self._join(self.waiting[call])

    def _move(self, record: Record, at: Millis) -> None:
        if waiter := self.waiting.get(record["call"]):
            waiter.queue, waiter.entered = record["queue"], at
            self._join(waiter)

    def _waiter(self, record: Record, at: Millis) -> Waiter:
        return Waiter(
            record["call"],
            record["queue"],
            entered=self._then(record.get("entered"), at),
            arrived=self._then(record.get("arrived"), at),
            priority=record.get("priority", 0),
            skills=tuple(record.get("skills", ())),
            last_agent=record.get("last_agent", ""),
        )

    def _then(self, clock: Millis | None, at: Millis) -> Millis:
        """A time by the clock of the process that wrote, as `time` has it; without one it is the record's own."""
        apart = self.clocks.apart
        return at if clock is None or apart is None else self.clocks.steady(clock + apart)

    def _join(self, waiter: Waiter) -> None:
        """In its queue anew: nothing is relaxed, and its last agent is awaited who takes calls for it."""
        waiter.relaxed, waiter.awaited = frozenset(), ""
        if strategy_named(self.rule(waiter.queue).strategy).waits_for_last_agent:
            able = {person.agent.id for person in self.able(waiter) if is_working(person.state)}
            waiter.awaited = waiter.last_agent if waiter.last_agent in able else ""

    def _fails(self, offer: OfferId) -> None:
        """An offer came to nothing by its agent, who is not waited for any more."""
        offered = self.offers.pop(offer, None)
        waiter = self.waiting.get(offered.call) if offered else None
        if offered and waiter:
            waiter.awaited = ""
            waiter.last_agent = "" if waiter.last_agent == offered.agent else waiter.last_agent

    def _rings(self, record: Record, at: Millis) -> None:
        self.offers[record["offer"]] = Offered(record["call"], record["agent"])
        self.rung_last[record["queue"]] = record["agent"]
        if record["agent"] in self.people:
            self.people[record["agent"]].last_offered = at


def milliseconds(at: str | datetime) -> Millis:
    """Of the epoch, from a record's `at` or an aware time."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return round(moment.timestamp() * 1000)


def span(time: Millis) -> str:
    """``41 s``, ``5 min 3 s`` or ``2 h 10 min``."""
    minutes, seconds = divmod(round(time / 1000), 60)
    if minutes < 2:
        return f"{minutes * 60 + seconds} s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
