"""The engine under callers and agents who behave as written down: discrete events, no randomness of its own.

Whoever wants Poisson arrivals draws them first; so one run is a list of callers, and the same list
can be served by other rules or other agents. What happens is told in the records that the shell would write.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from acd.chronicle import Chronicle
from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentId,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentState,
    Announce,
    AnnouncementMade,
    AskToStay,
    CallAbandoned,
    CallConnected,
    CallId,
    CallLeft,
    CallQueued,
    Comfort,
    Connect,
    Decision,
    EndWait,
    Event,
    Millis,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferId,
    OfferNotAnswered,
    QueueHours,
    QueueName,
    QueueRule,
    QueuesChanged,
    ShowAgentState,
    TalkEnded,
    TimePassed,
    WithdrawOffer,
    WrapUpExtended,
)
from acd.records import Entry
from acd.routing import strategy_named

LONGEST: Millis = 24 * 3600 * 1000  # how long who waits is watched after everything else is over
BREAK = "break"
NO_ANSWER = "no answer"  # why the engine makes an agent NotReady


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls at `at`, talks for `talk`, and hangs up after waiting for `patience` (None: never).

    `wrap_up`: the agent's work after this call (None: as long as the queue gives). `stays`: how often it goes on
    when asked whether to go on waiting, before it leaves (None: always). `customer`: who it is, known to sticky
    queues when it calls again ("" for somebody who never called).
    """

    id: CallId
    at: Millis
    talk: Millis
    queue: QueueName
    patience: Millis | None = None
    priority: int = 0
    skills: tuple[str, ...] = ()
    wrap_up: Millis | None = None
    stays: int | None = None
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent's hours, without `until` to the end; NotReady in each of `breaks`."""

    agent: Agent
    since: Millis = 0
    until: Millis | None = None
    breaks: tuple[tuple[Millis, Millis], ...] = ()


@dataclass(frozen=True, slots=True)
class Ring:
    """What an agent does with a phone that rings; `after` the queue's ring-for it is not answered at all."""

    after: Millis = 0
    how: Literal["answers", "declines"] = "answers"


@dataclass(slots=True)
class Outcome:
    """What became of a caller. `end`: answered, abandoned, left, or the exit by which the queue gave it back."""

    caller: Caller
    end: str = ""
    waited: Millis = 0
    agent: AgentId = ""
    expected: float | None = None  # seconds of wait, as estimated at the entry
    told: list[tuple[Millis, Announce]] = field(default_factory=list)


State = tuple[AgentState, str, Millis]  # what an agent is, why, and since when


@dataclass(frozen=True, slots=True)
class SaysReady:
    """The agent says Ready, if it is still in the state in which it was then."""

    agent: AgentId
    instead_of: State


class Simulation:
    """Everything outside the engine: phones, talks, wrap-up, shifts, breaks, patience.

    `ring` says what an agent does with a phone that rings (by default it answers after `answer_in`). Who is
    NotReady because its phone rang too often is Ready again after `back_after`. `hours`: what the queues' calendars
    say, and when. `observe` is given every record with its time, in the order of the journal.
    """

    def __init__(
        self,
        rules: Iterable[QueueRule],
        shifts: Iterable[Shift],
        *,
        answer_in: Millis = 0,
        seed: int = 0,
        ring: Callable[[AgentId], Ring] | None = None,
        back_after: Callable[[AgentId], Millis] = lambda _: 300_000,
        hours: Iterable[tuple[Millis, QueueHours]] = (),
        observe: Callable[[Millis, Entry], None] | None = None,
    ) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self.acd = Acd(self._rules.values(), seed=seed)
        self.now: Millis = 0
        self.outcomes: dict[CallId, Outcome] = {}
        self._ring = ring or (lambda _: Ring(answer_in))
        self._back_after = back_after
        self._records = Chronicle(observe) if observe else None
        self._coming: list[tuple[Millis, int, Event | SaysReady]] = []
        self._order = 0
        self._last: Millis = 0
        self._offers: dict[OfferId, OfferCall] = {}
        self._asked: dict[CallId, int] = {}
        self._agents: dict[AgentId, Agent] = {}
        self._states: dict[AgentId, State] = {}
        self._last_agents: dict[str, AgentId] | None = None  # of customers; None where no queue asks for them
        if any(strategy_named(rule.strategy).waits_for_last_agent for rule in self._rules.values()):
            self._last_agents = {}
        for when, said in hours:
            self._at(when, said)
        for shift in shifts:
            self._plan(shift)

    def _plan(self, shift: Shift) -> None:
        agent = shift.agent.id
        self._agents[agent] = shift.agent
        self._at(shift.since, AgentChanged(shift.agent))
        self._at(shift.since, AgentLoggedOn(agent))
        self._at(shift.since, AgentBecameReady(agent))
        for begin, end in shift.breaks:
            self._at(begin, AgentBecameNotReady(agent, BREAK))
            self._at(end, AgentBecameReady(agent))
        if shift.until is not None:
            self._at(shift.until, AgentLoggedOff(agent))

    def serve(self, callers: Iterable[Caller]) -> list[Outcome]:
        """Runs until nothing can happen any more; the outcomes in the order of the callers.

        A caller for whom nobody ever comes and who never hangs up has an outcome without an end.
        """
        for caller in callers:
            self.outcomes[caller.id] = Outcome(caller)
            self._at(caller.at, CallQueued(caller.id, caller.queue, caller.priority, caller.skills))
            if caller.patience is not None:
                self._at(caller.at + caller.patience, CallAbandoned(caller.id))
        if self._records and self._coming:
            self._records.take(self._coming[0][0], QueuesChanged(tuple(self._rules.values())), ())
        while (event := self._next()) is not None:
            self._tell(event)
        return list(self.outcomes.values())

    def _at(self, when: Millis, event: Event | SaysReady) -> None:
        self._order += 1
        if not isinstance(event, AnnouncementMade | QueueHours):
            self._last = max(self._last, when)
        heapq.heappush(self._coming, (when, self._order, event))

    def _next(self) -> Event | SaysReady | None:
        due = self.acd.next_deadline()
        if self._coming and (due is None or self._coming[0][0] <= due):
            self.now, _, event = heapq.heappop(self._coming)
            return event
        if due is None or due > self._last + LONGEST:
            return None
        self.now = max(self.now, due)
        return TimePassed()

    # --- what happens, and what follows from it

    def _tell(self, happens: Event | SaysReady) -> None:
        event = self._present(happens)
        if event is None:
            return
        match event:
            case CallAbandoned(call=call):
                self._end(call, "abandoned")
            case CallLeft(call=call):
                self._end(call, "left")
        decisions = self.acd.handle(event, self.now)
        if self._records:
            self._records.take(self.now, event, decisions)
        for decision in decisions:
            self._follow(decision)
        match event:
            case CallQueued(call=call):
                place = self.acd.place(call)
                self.outcomes[call].expected = place.wait if place and not place.offered_to else 0.0
            case OfferDeclined(offer=offer) | OfferNotAnswered(offer=offer):
                del self._offers[offer]
            case TalkEnded(offer=offer):
                self._talked(self._offers.pop(offer))

    def _present(self, happens: Event | SaysReady) -> Event | None:
        """What happens now of what was to happen; None where something else came before it."""
        match happens:
            case CallAbandoned(call=call) | CallLeft(call=call):
                return None if self.outcomes[call].end else happens
            case OfferAnswered(offer=offer) | OfferDeclined(offer=offer) | OfferNotAnswered(offer=offer):
                return happens if offer in self._offers else None
            case CallQueued(call=call) if self._last_agents:
                return replace(happens, last_agent=self._last_agents.get(self.outcomes[call].caller.customer, ""))
            case SaysReady(agent=agent, instead_of=state):
                return AgentBecameReady(agent) if self._states.get(agent) == state else None
        return happens

    def _follow(self, decision: Decision) -> None:
        match decision:
            case OfferCall():
                self._rings(decision)
            case WithdrawOffer(offer=offer):
                del self._offers[offer]
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
            case Comfort(call=call):
                self._at(self.now, AnnouncementMade(call))
            case AskToStay(call=call):
                self._answers(call)
            case ShowAgentState():
                self._shown(decision)

    def _rings(self, offer: OfferCall) -> None:
        self._offers[offer.offer] = offer
        ring = self._ring(offer.agent)
        if ring.after >= offer.ring_for:
            self._at(self.now + offer.ring_for, OfferNotAnswered(offer.offer))
        elif ring.how == "declines":
            self._at(self.now + ring.after, OfferDeclined(offer.offer, "declined"))
        else:
            self._at(self.now + ring.after, OfferAnswered(offer.offer))

    def _answers(self, call: CallId) -> None:
        """Whether the caller goes on waiting."""
        self._asked[call] = self._asked.get(call, 0) + 1
        stays = self.outcomes[call].caller.stays
        self._at(self.now, AnnouncementMade(call) if stays is None or self._asked[call] <= stays else CallLeft(call))

    def _shown(self, shown: ShowAgentState) -> None:
        before = self._states.get(shown.agent)
        if before is None or before[:2] != (shown.state, shown.reason):
            self._states[shown.agent] = (shown.state, shown.reason, self.now)
        if shown.state is AgentState.NOT_READY and shown.reason == NO_ANSWER:
            self._at(self.now + self._back_after(shown.agent), SaysReady(shown.agent, self._states[shown.agent]))

    def _talked(self, offer: OfferCall) -> None:
        customer = self.outcomes[offer.call].caller.customer
        if customer and self._last_agents is not None:
            self._last_agents[customer] = offer.agent
        self._wrap_up(offer)

    def _wrap_up(self, offer: OfferCall) -> None:
        """The agent works as long as this call takes, whatever its queue gives."""
        needed, given = self.outcomes[offer.call].caller.wrap_up, self._agents[offer.agent].wrap_up
        state = self._states[offer.agent]
        if needed is None or state != (AgentState.WORKING_AFTER_CALL, "", self.now):
            return
        given = self._rules[offer.queue].wrap_up if given is None else given
        if needed > given:
            self._tell(WrapUpExtended(offer.agent, needed - given))
        elif needed < given:
            self._at(self.now + needed, SaysReady(offer.agent, state))

    def _end(self, call: CallId, how: str) -> None:
        outcome = self.outcomes[call]
        outcome.end = how
        outcome.waited = self.now - outcome.caller.at
