"""Figures as a fold of the journal: per queue and per agent, in quarters of an hour.

Only sums and counts are kept, so that intervals can be added up to hours and days without error; every
ratio is worked out when it is asked for. What a call did is counted in the interval in which it entered
the queue, what an agent did in the interval in which it was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from acd.model import AgentId, AgentState, CallId, Millis, QueueName

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
    overflowed: int = 0  # given back to the flow, or moved to another queue
    waited: Millis = 0  # of all whose wait is over
    waited_answered: Millis = 0
    talked: Millis = 0
    wrapped_up: Millis = 0
    talks: int = 0
    ring_no_answer: int = 0
    declined: int = 0
    longest_wait: Millis = 0

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
        return self.waited_answered / self.answered / 1000 if self.answered else None

    def handling_time(self) -> float | None:
        """AHT, the mean of talk and wrap-up, in seconds."""
        return (self.talked + self.wrapped_up) / self.talks / 1000 if self.talks else None


@dataclass(slots=True)
class AgentFigures(Sums):
    """What one agent did in one interval. Times in milliseconds."""

    calls: int = 0
    ring_no_answer: int = 0
    declined: int = 0
    not_ready: Millis = 0
    ready: Millis = 0
    reserved: Millis = 0
    busy: Millis = 0
    wrapped_up: Millis = 0

    def occupancy(self) -> float | None:
        """The share of the time for calls that was spent on calls; NotReady is not time for calls."""
        at_work = self.reserved + self.busy + self.wrapped_up
        return at_work / (at_work + self.ready) if at_work + self.ready else None


_TIME_OF = {
    AgentState.NOT_READY: "not_ready",
    AgentState.READY: "ready",
    AgentState.RESERVED: "reserved",
    AgentState.BUSY: "busy",
    AgentState.WORKING_AFTER_CALL: "wrapped_up",
}


@dataclass(slots=True)
class _Call:
    """A call between its entry and the end of its wait, or in its talk."""

    queue: QueueName
    entered: Millis
    connected: Millis | None = None


@dataclass(slots=True)
class _Agent:
    state: AgentState
    since: Millis
    talk: _Call | None = None  # the last one, whose wrap-up this may be


@dataclass(slots=True)
class Figures:
    """Takes the journal's records in their order. `targets`: the service level's seconds per queue, in milliseconds."""

    targets: Mapping[QueueName, Millis] = field(default_factory=dict)
    interval: Millis = QUARTER
    short: Millis = SHORT
    queues: dict[tuple[Millis, QueueName], QueueFigures] = field(default_factory=dict)
    agents: dict[tuple[Millis, AgentId], AgentFigures] = field(default_factory=dict)
    _calls: dict[CallId, _Call] = field(default_factory=dict)
    _people: dict[AgentId, _Agent] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        at = milliseconds(record["at"])
        match record["type"]:
            case "CallQueued":
                self._enter(record["call"], record["queue"], at)
            case "MoveCall":
                self._over(record["call"], at, "overflowed")
                self._enter(record["call"], record["queue"], at)
            case "EndWait":
                self._over(record["call"], at, "overflowed")
            case "CallLeft":
                self._over(record["call"], at, "left")
            case "CallAbandoned":
                self._over(record["call"], at, "abandoned")
            case "CallConnected" if "agent" in record:
                self._connected(record["call"], record["agent"], at)
            case "TalkEnded" if "agent" in record:
                self._talk_ended(record["call"], at)
            case "OfferNotAnswered" if "agent" in record:
                self._refused(record["call"], record["agent"], at, "ring_no_answer")
            case "OfferDeclined" if "agent" in record:
                self._refused(record["call"], record["agent"], at, "declined")
            case "AgentStateChanged":
                self._agent_state(record["agent"], AgentState(record["state"]), at)

    def until(self, now: datetime) -> None:
        """Counts the time that agents have spent in their present states up to now."""
        for id_, agent in self._people.items():
            self._agent_state(id_, agent.state, milliseconds(now))

    def queue(self, name: QueueName, since: datetime, until: datetime) -> QueueFigures:
        """One queue over a span of whole intervals."""
        total = QueueFigures()
        for figures in self._within(self.queues, name, since, until):
            total.add(figures)
        return total

    def agent(self, id_: AgentId, since: datetime, until: datetime) -> AgentFigures:
        total = AgentFigures()
        for figures in self._within(self.agents, id_, since, until):
            total.add(figures)
        return total

    # --- calls

    def _enter(self, call: CallId, queue: QueueName, at: Millis) -> None:
        if call in self._calls and self._calls[call].connected is None:
            return  # told again after a restart
        self._calls[call] = _Call(queue, at)
        self._queue(self._calls[call]).offered += 1

    def _over(self, id_: CallId, at: Millis, how: str) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is not None:
            return
        del self._calls[id_]
        figures, waited = self._queue(call), at - call.entered
        figures.waited += waited
        figures.longest_wait = max(figures.longest_wait, waited)
        setattr(figures, how, getattr(figures, how) + 1)
        if how == "abandoned":
            figures.abandoned_in_time += waited <= self._target(call)
            figures.abandoned_short += waited < self.short

    def _connected(self, id_: CallId, agent: AgentId, at: Millis) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is not None:
            return
        call.connected = at
        figures, waited = self._queue(call), at - call.entered
        figures.answered += 1
        figures.answered_in_time += waited <= self._target(call)
        figures.waited += waited
        figures.waited_answered += waited
        figures.longest_wait = max(figures.longest_wait, waited)
        self._agent(agent, at).calls += 1
        if agent in self._people:
            self._people[agent].talk = call

    def _talk_ended(self, id_: CallId, at: Millis) -> None:
        call = self._calls.get(id_)
        if call is None or call.connected is None:
            return
        del self._calls[id_]
        figures = self._queue(call)
        figures.talks += 1
        figures.talked += at - call.connected

    def _refused(self, id_: CallId, agent: AgentId, at: Millis, how: str) -> None:
        figures = self._agent(agent, at)
        setattr(figures, how, getattr(figures, how) + 1)
        call = self._calls.get(id_)
        if call:
            of_queue = self._queue(call)
            setattr(of_queue, how, getattr(of_queue, how) + 1)

    # --- agents

    def _agent_state(self, id_: AgentId, state: AgentState, at: Millis) -> None:
        agent = self._people.setdefault(id_, _Agent(state, at))
        self._spend(id_, agent, at)
        if agent.state is AgentState.WORKING_AFTER_CALL and agent.talk:
            self._queue(agent.talk).wrapped_up += at - agent.since
        agent.state, agent.since = state, at

    def _spend(self, id_: AgentId, agent: _Agent, until: Millis) -> None:
        """Shares the time since the last word out over the intervals that it touches."""
        kind, start = _TIME_OF.get(agent.state), agent.since
        while kind and start < until:
            end = min(until, start - start % self.interval + self.interval)
            figures = self._agent(id_, start)
            setattr(figures, kind, getattr(figures, kind) + end - start)
            start = end

    # --- intervals

    def _target(self, call: _Call) -> Millis:
        return self.targets.get(call.queue, TARGET)

    def _queue(self, call: _Call) -> QueueFigures:
        return self.queues.setdefault((call.entered - call.entered % self.interval, call.queue), QueueFigures())

    def _agent(self, id_: AgentId, at: Millis) -> AgentFigures:
        return self.agents.setdefault((at - at % self.interval, id_), AgentFigures())

    def _within(
        self, all_: Mapping[tuple[Millis, str], Any], name: str, since: datetime, until: datetime
    ) -> Iterator[Any]:
        first, end = milliseconds(since), milliseconds(until)
        return (figures for (start, of), figures in all_.items() if of == name and first <= start < end)


def fold(records: Iterable[Record], targets: Mapping[QueueName, Millis] | None = None) -> Figures:
    figures = Figures(targets or {})
    for record in records:
        figures.take(record)
    return figures


def milliseconds(at: str | datetime) -> Millis:
    """Of the epoch, from a record's `at` or an aware time."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return round(moment.timestamp() * 1000)
