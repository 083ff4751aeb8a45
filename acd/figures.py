"""Figures as a fold of the journal: per queue, skill and agent, in quarters of an hour.

Only sums and counts are kept, so that intervals can be added up to hours and days without error; every
ratio is worked out when it is asked for. What a call did is counted in the interval in which it entered
the queue, what an agent did in the interval in which it was done. A call that moves to another queue is
offered to both, and overflowed from the first. To a skill belong the calls that asked for it, by themselves or
by their queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from acd.deadlines import NEVER
from acd.hindsight import ENDS_OFFER, milliseconds
from acd.model import AgentId, AgentState, CallId, Millis, OfferId, QueueName, QueueRule
from acd.records import rules_of
from acd.skills import call_demand
from journal.clocks import Clocks

QUARTER: Millis = 15 * 60 * 1000
TARGET: Millis = 20_000
SHORT: Millis = 5_000

Record = Mapping[str, Any]


class Formula(StrEnum):
    """How abandoned calls stand in the service level; the four that are in use."""

    OFFERED = "of offered"  # answered in time, of all that were answered or abandoned
    ANSWERED = "of answered"  # answered in time, of all that were answered
    WITHOUT_EARLY = "without early abandons"  # those who left before the target count as never offered
    EARLY_AS_SERVED = "early abandons as served"  # ... count as served in time


@dataclass(slots=True)
class Sums:
    """Numbers that add up."""

    def add(self, other: Self) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class QueueFigures(Sums):
    """What became of the calls that entered one queue in one interval. Times in milliseconds."""

    offered: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    left: int = 0  # by a key
    overflowed: int = 0  # given back to the flow (also where the agent had gone), or moved to another queue
    waited: Millis = 0  # of all whose wait is over
    waited_answered: Millis = 0
    talked: Millis = 0
    wrapped_up: Millis = 0
    talks: int = 0
    transfers: int = 0  # talks after which the caller was queued again or passed on
    ring_no_answer: int = 0
    declined: int = 0
    longest_wait: Millis = 0
    results: Counter[str] = field(default_factory=Counter)  # what came of the talks, as their agents said

    def add(self, other: QueueFigures) -> None:
        longest = max(self.longest_wait, other.longest_wait)
        Sums.add(self, other)
        self.longest_wait = longest

    def service_level(self, formula: Formula = Formula.OFFERED) -> float | None:
        """The share served in time; None when there was nobody to be served."""
        in_time, total = self.answered_in_time, self.answered + self.abandoned
        match formula:
            case Formula.ANSWERED:
                total = self.answered
            case Formula.WITHOUT_EARLY:
                total -= self.abandoned_in_time
            case Formula.EARLY_AS_SERVED:
                in_time += self.abandoned_in_time
        return in_time / total if total else None

    def speed_of_answer(self) -> float | None:
        """ASA, the mean wait of those who were answered, in seconds."""
        return _mean(self.waited_answered, self.answered)

    def handling_time(self) -> float | None:
        """AHT, the mean of talk and wrap-up, in seconds."""
        return _mean(self.talked + self.wrapped_up, self.talks)

    def talk_time(self) -> float | None:
        return _mean(self.talked, self.talks)

    def wrap_up_time(self) -> float | None:
        return _mean(self.wrapped_up, self.talks)

    def mean_wait(self) -> float | None:
        """Of all whose wait is over, however it ended, in seconds."""
        return _mean(self.waited, self.answered + self.abandoned + self.left + self.overflowed)

    def share_abandoned(self) -> float | None:
        """Of those who were answered or hung up."""
        return self.abandoned / (self.answered + self.abandoned) if self.answered + self.abandoned else None


@dataclass(slots=True)
class AgentFigures(Sums):
    """What one agent did in one interval. Times in milliseconds."""

    calls: int = 0
    talks: int = 0  # that ended
    talked: Millis = 0
    transfers: int = 0
    ring_no_answer: int = 0
    declined: int = 0
    not_ready: Millis = 0
    reasons: Counter[str] = field(default_factory=Counter)  # the time of `not_ready`, by its reason
    ready: Millis = 0
    reserved: Millis = 0
    busy: Millis = 0
    wrapped_up: Millis = 0

    def occupancy(self) -> float | None:
        """The share of the time for calls that was spent on calls; NotReady is not time for calls."""
        at_work = self.reserved + self.busy + self.wrapped_up
        return at_work / (at_work + self.ready) if at_work + self.ready else None

    def handling_time(self) -> float | None:
        """AHT, the mean of talk and wrap-up, in seconds."""
        return _mean(self.talked + self.wrapped_up, self.talks)

    def logged_on(self) -> Millis:
        return self.not_ready + self.ready + self.reserved + self.busy + self.wrapped_up


def _mean(total: Millis, count: int) -> float | None:
    return total / count / 1000 if count else None


F = TypeVar("F", "QueueFigures", "AgentFigures")

_ENDS = {"CallAbandoned": "abandoned", "CallLeft": "left", "EndWait": "overflowed"}
_OFFER_OVER = ENDS_OFFER | {"CallConnected", "TalkFound", "TalkEnded"}
_REFUSALS = {"OfferNotAnswered": "ring_no_answer", "OfferDeclined": "declined"}
_TIME_OF = {
    AgentState.NOT_READY: "not_ready",
    AgentState.READY: "ready",
    AgentState.RESERVED: "reserved",
    AgentState.BUSY: "busy",
    AgentState.WORKING_AFTER_CALL: "wrapped_up",
}
_HAVE_A_CALL = frozenset({AgentState.BUSY, AgentState.WORKING_AFTER_CALL})  # or the work after it


@dataclass(slots=True)
class _Call:
    """A call between its entry and the end of its wait, or in its talk; `counts` are the figures it belongs to."""

    queue: QueueName
    entered: Millis
    counts: tuple[QueueFigures, ...]
    connected: Millis | None = None
    agent: AgentId = ""
    skills: tuple[str, ...] = ()
    result: str = ""
    over: bool = False  # the call, though the end of its talk is still to be told


@dataclass(slots=True)
class _Offer:
    """A call at an agent's phone, until the two are connected or it came to nothing."""

    call: CallId
    agent: AgentId
    answered: bool = False


@dataclass(slots=True)
class _Agent:
    state: AgentState
    reason: str
    since: Millis


@dataclass(slots=True)
class Figures:
    """Takes the journal's records in their order.

    `targets` are the seconds of the service level per queue, in milliseconds, where the journal does not say them.
    What comes at `end` or later completes the calls that entered before it, and counts for nothing else.
    """

    targets: Mapping[QueueName, Millis] = field(default_factory=dict)
    interval: Millis = QUARTER
    short: Millis = SHORT
    end: Millis = NEVER
    queues: dict[tuple[Millis, QueueName], QueueFigures] = field(default_factory=dict)
    skills: dict[tuple[Millis, str], QueueFigures] = field(default_factory=dict)
    agents: dict[tuple[Millis, AgentId], AgentFigures] = field(default_factory=dict)
    _rules: dict[QueueName, QueueRule] = field(default_factory=dict)
    _calls: dict[CallId, _Call] = field(default_factory=dict)
    _served: dict[CallId, _Call] = field(default_factory=dict)  # have talked, and may be passed on
    _offers: dict[OfferId, _Offer] = field(default_factory=dict)
    _people: dict[AgentId, _Agent] = field(default_factory=dict)
    _talks: dict[AgentId, _Call] = field(default_factory=dict)  # until the work after the call is over
    _clocks: Clocks = field(default_factory=Clocks)

    def take(self, record: Record) -> None:
        self.note(milliseconds(record["at"]), record["type"], record.get("call", ""), record)

    def note(self, at: Millis, type: str, call: CallId, facts: Mapping[str, Any]) -> None:
        """As `take`, of a record's parts."""
        self._set_clock(at, self._clocks.take(type, at, facts))
        if "offer" in facts:
            self._offered(facts["offer"], at, type, call, facts)
        match type:
            case "CallQueued":
                self._enter(call, facts["queue"], at, tuple(facts.get("skills", ())))
            case "MoveCall":
                self._move(call, facts["queue"], at)
            case "CallAbandoned" | "CallLeft" | "EndWait":
                self._over(call, at, "overflowed" if facts.get("reason") else _ENDS[type])  # with a reason: by no key
            case "CallConnected" | "TalkFound" if "agent" in facts:
                self._connected(call, facts["agent"], at)
            case "TalkEnded" if "agent" in facts:
                self._talk_ended(call, facts["agent"], at)
            case "CallTransferred":
                self._passed_on(call, at)
            case "NoteResult":
                self._result(facts["queue"], facts["agent"], facts["result"])
            case "CallEnded":
                self._ended(call, at)
            case "OfferNotAnswered" | "OfferDeclined" if "agent" in facts:
                self._refused(call, facts["agent"], at, _REFUSALS[type])
            case "AgentStateChanged":
                self._agent_state(facts["agent"], AgentState(facts["state"]), facts.get("reason", ""), at)
            case "QueuesChanged":
                self._rules = rules_of(facts)

    def until(self, now: datetime) -> None:
        """Counts the time that agents have spent in their present states up to now."""
        for id_, agent in self._people.items():
            self._count(id_, agent, milliseconds(now))

    @property
    def under_way(self) -> bool:
        """Whether a call is, or the work after it."""
        return bool(self._calls or self._served or self._talks)

    def queue(self, name: QueueName, since: datetime, until: datetime) -> QueueFigures:
        """One queue over a span of whole intervals."""
        return self._sum(QueueFigures(), self.queues, name, since, until)

    def skill(self, name: str, since: datetime, until: datetime) -> QueueFigures:
        return self._sum(QueueFigures(), self.skills, name, since, until)

    def agent(self, id_: AgentId, since: datetime, until: datetime) -> AgentFigures:
        return self._sum(AgentFigures(), self.agents, id_, since, until)

    def goal(self, queue: QueueName) -> tuple[int, Millis] | None:
        """The percentage and the time of a queue's service level, where the journal says it."""
        return self._rules[queue].service_level if queue in self._rules else None

    # --- calls

    def _enter(self, call: CallId, queue: QueueName, at: Millis, skills: tuple[str, ...]) -> None:
        if call in self._calls and self._calls[call].connected is None:
            return  # told again after a restart
        self._passed_on(call, at)
        if at >= self.end:
            self._calls.pop(call, None)
            return
        start, rule = at - at % self.interval, self._rules.get(queue)
        wanted = {wish.skill for text in skills if (wish := call_demand(text))} | set(rule.skills if rule else ())
        counts = [self.queues.setdefault((start, queue), QueueFigures())]
        counts += [self.skills.setdefault((start, skill), QueueFigures()) for skill in sorted(wanted)]
        self._calls[call] = _Call(queue, at, tuple(counts), skills=skills)
        for figures in counts:
            figures.offered += 1

    def _move(self, id_: CallId, queue: QueueName, at: Millis) -> None:
        call = self._calls.get(id_)
        self._over(id_, at, "overflowed")
        self._enter(id_, queue, at, call.skills if call else ())

    def _over(self, id_: CallId, at: Millis, how: str) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is not None:
            return
        del self._calls[id_]
        waited, target = at - call.entered, self._target(call.queue)
        for figures in call.counts:
            figures.waited += waited
            figures.longest_wait = max(figures.longest_wait, waited)
            setattr(figures, how, getattr(figures, how) + 1)
            if how == "abandoned":
                figures.abandoned_in_time += waited <= target
                figures.abandoned_short += waited < self.short

    def _connected(self, id_: CallId, agent: AgentId, at: Millis) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is not None:
            return
        call.connected, call.agent = at, agent
        waited, target = at - call.entered, self._target(call.queue)
        for figures in call.counts:
            figures.answered += 1
            figures.answered_in_time += waited <= target
            figures.waited += waited
            figures.waited_answered += waited
            figures.longest_wait = max(figures.longest_wait, waited)
        self._agent(agent, at).calls += 1
        self._talks[agent] = call

    def _talk_ended(self, id_: CallId, agent: AgentId, at: Millis) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is None:
            return
        del self._calls[id_]
        if not call.over:
            self._served[id_] = call
        talked = at - call.connected
        for figures in call.counts:
            figures.talks += 1
            figures.talked += talked
        of_agent = self._agent(agent, at)
        of_agent.talks += 1
        of_agent.talked += talked

    def _passed_on(self, id_: CallId, at: Millis) -> None:
        """After its talk the caller is queued again, or put through to somewhere else."""
        call = self._served.pop(id_, None)
        if call is None:
            return
        for figures in call.counts:
            figures.transfers += 1
        self._agent(call.agent, at).transfers += 1

    def _ended(self, id_: CallId, at: Millis) -> None:
        self._over(id_, at, "abandoned")  # it was out of our hands while it waited, and did not come back
        self._served.pop(id_, None)
        if call := self._calls.get(id_):
            call.over = True

    def _result(self, queue: QueueName, agent: AgentId, result: str) -> None:
        """What came of the agent's talk; the last word of several counts. Its caller may be elsewhere by now."""
        call = self._talks.get(agent)
        if call is None or call.queue != queue:
            return
        for figures in call.counts:
            figures.results += Counter({result: 1})
            figures.results -= Counter({call.result: 1})
        call.result = result

    # --- offers

    def _offered(self, id_: OfferId, at: Millis, type: str, call: CallId, facts: Mapping[str, Any]) -> None:
        """Follows an offer: that it rang out may be told by nobody, and found by its deadline."""
        match type:
            case "OfferCall":
                self._offers[id_] = _Offer(call, facts["agent"])
            case "OfferAnswered" if id_ in self._offers:
                self._offers[id_].answered = True
            case "WithdrawOffer" if offer := self._offers.pop(id_, None):
                if facts["reason"] == "no answer" and not offer.answered:
                    self._refused(offer.call, offer.agent, at, "ring_no_answer")
            case "TalkEnded" if id_ in self._offers and "agent" in facts:
                del self._offers[id_]
                self._connected(call, facts["agent"], at)  # the two words crossed: that it began comes too late
            case _ if type in _OFFER_OVER:
                self._offers.pop(id_, None)

    def _refused(self, id_: CallId, agent: AgentId, at: Millis, how: str) -> None:
        call = self._calls.get(id_)
        for figures in (self._agent(agent, at), *(call.counts if call else ())):
            setattr(figures, how, getattr(figures, how) + 1)

    # --- agents

    def _agent_state(self, id_: AgentId, state: AgentState, reason: str, at: Millis) -> None:
        agent = self._people.setdefault(id_, _Agent(state, reason, at))
        self._count(id_, agent, at)
        if state not in _HAVE_A_CALL:
            self._talks.pop(id_, None)
        agent.state, agent.reason = state, reason

    def _count(self, id_: AgentId, agent: _Agent, until: Millis) -> None:
        """The time that the agent has spent in its present state."""
        self._spend(id_, agent, until)
        if agent.state is AgentState.WORKING_AFTER_CALL and id_ in self._talks:
            for figures in self._talks[id_].counts:
                figures.wrapped_up += until - agent.since
        agent.since = until

    def _spend(self, id_: AgentId, agent: _Agent, until: Millis) -> None:
        """Shares the time since the last word out over the intervals that it touches."""
        kind, start, until = _TIME_OF.get(agent.state), agent.since, min(until, self.end)
        while kind and start < until:
            end = min(until, start - start % self.interval + self.interval)
            figures = self._agent(id_, start)
            setattr(figures, kind, getattr(figures, kind) + end - start)
            if agent.state is AgentState.NOT_READY:
                figures.reasons[agent.reason] += end - start
            start = end

    # --- intervals

    def _set_clock(self, at: Millis, by: Millis) -> None:
        """The time of day was set on: what is under way began by so much later, as time counts now."""
        if not by:
            return
        for call in self._calls.values():
            call.entered += by
            call.connected = None if call.connected is None else call.connected + by
        for id_, agent in self._people.items():
            self._count(id_, agent, at - by)
            agent.since = at

    def _target(self, queue: QueueName) -> Millis:
        rule = self._rules.get(queue)
        return rule.service_level[1] if rule else self.targets.get(queue, TARGET)

    def _agent(self, id_: AgentId, at: Millis) -> AgentFigures:
        if at >= self.end:
            return AgentFigures()  # nobody asks for it
        return self.agents.setdefault((at - at % self.interval, id_), AgentFigures())

    def _sum(self, total: F, all_: Mapping[tuple[Millis, str], F], name: str, since: datetime, until: datetime) -> F:
        first, end = milliseconds(since), milliseconds(until)
        for (start, of), figures in all_.items():
            if of == name and first <= start < end:
                total.add(figures)
        return total


def fold(records: Iterable[Record], targets: Mapping[QueueName, Millis] | None = None) -> Figures:
    figures = Figures(targets or {})
    for record in records:
        figures.take(record)
    return figures
