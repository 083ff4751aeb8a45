"""The engine under callers and agents who behave as written down: discrete events, no randomness of its own.

Whoever wants Poisson arrivals draws them first; so one run is a list of callers, and the same list
can be served by other rules or other agents.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameReady,
    AgentChanged,
    AgentId,
    AgentLoggedOff,
    AgentLoggedOn,
    Announce,
    AnnouncementMade,
    CallAbandoned,
    CallConnected,
    CallId,
    CallQueued,
    Connect,
    Decision,
    EndWait,
    Event,
    Millis,
    OfferAnswered,
    OfferCall,
    QueueName,
    QueueRule,
    TalkEnded,
    TimePassed,
)

LONGEST: Millis = 24 * 3600 * 1000  # how long who waits is watched after everything else is over


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls at `at`, talks for `talk`, and hangs up after waiting for `patience` (None: never)."""

    id: CallId
    at: Millis
    talk: Millis
    queue: QueueName
    patience: Millis | None = None
    priority: int = 0
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent's hours; without `until` to the end."""

    agent: Agent
    since: Millis = 0
    until: Millis | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a caller. `end`: answered, abandoned, or the exit by which the queue gave it back."""

    caller: Caller
    end: str = ""
    waited: Millis = 0
    agent: AgentId = ""
    expected: float | None = None  # seconds of wait, as estimated at the entry
    told: list[tuple[Millis, Announce]] = field(default_factory=list)


class Simulation:
    """Everything outside the engine: phones that are answered after `answer_in`, talks, patience."""

    def __init__(
        self, rules: Iterable[QueueRule], shifts: Iterable[Shift], *, answer_in: Millis = 0, seed: int = 0
    ) -> None:
        self.acd = Acd(rules, seed=seed)
        self.now: Millis = 0
        self.outcomes: dict[CallId, Outcome] = {}
        self._answer_in = answer_in
        self._coming: list[tuple[Millis, int, Event]] = []
        self._order = 0
        self._last: Millis = 0
        for shift in shifts:
            self._at(shift.since, AgentChanged(shift.agent))
            self._at(shift.since, AgentLoggedOn(shift.agent.id))
            self._at(shift.since, AgentBecameReady(shift.agent.id))
            if shift.until is not None:
                self._at(shift.until, AgentLoggedOff(shift.agent.id))

    def serve(self, callers: Iterable[Caller]) -> list[Outcome]:
        """Runs until nothing can happen any more; the outcomes in the order of the callers.

        A caller for whom nobody ever comes and who never hangs up has an outcome without an end.
        """
        for caller in callers:
            self.outcomes[caller.id] = Outcome(caller)
            self._at(caller.at, CallQueued(caller.id, caller.queue, caller.priority, caller.skills))
            if caller.patience is not None:
                self._at(caller.at + caller.patience, CallAbandoned(caller.id))
        while (event := self._next()) is not None:
            self._tell(event)
        return list(self.outcomes.values())

    def _at(self, when: Millis, event: Event) -> None:
        self._order += 1
        if not isinstance(event, AnnouncementMade):
            self._last = max(self._last, when)
        heapq.heappush(self._coming, (when, self._order, event))

    def _next(self) -> Event | None:
        due = self.acd.next_deadline()
        if self._coming and (due is None or self._coming[0][0] <= due):
            self.now, _, event = heapq.heappop(self._coming)
            return event
        waited_for = any(queue.waiting for queue in self.acd.queues())
        if due is None or not (self._coming or waited_for) or due > self._last + LONGEST:
            return None
        self.now = max(self.now, due)
        return TimePassed()

    def _tell(self, event: Event) -> None:
        if isinstance(event, CallAbandoned):
            outcome = self.outcomes[event.call]
            if outcome.end:
                return
            self._end(event.call, "abandoned")
        for decision in self.acd.handle(event, self.now):
            self._follow(decision)
        if isinstance(event, CallQueued):
            place = self.acd.place(event.call)
            self.outcomes[event.call].expected = place.wait if place and not place.offered_to else 0.0

    def _follow(self, decision: Decision) -> None:
        match decision:
            case OfferCall(offer=offer):
                self._at(self.now + self._answer_in, OfferAnswered(offer))
            case Connect(offer=offer, call=call, agent=agent):
                self._end(call, "answered")
                self.outcomes[call].agent = agent
                self._at(self.now, CallConnected(offer))
                self._at(self.now + self.outcomes[call].caller.talk, TalkEnded(offer))
            case EndWait(call=call, exit=exit_):
                self._end(call, exit_)
            case Announce(call=call):
                self.outcomes[call].told.append((self.now, decision))
                self._at(self.now, AnnouncementMade(call))

    def _end(self, call: CallId, how: str) -> None:
        outcome = self.outcomes[call]
        outcome.end = how
        outcome.waited = self.now - outcome.caller.at
