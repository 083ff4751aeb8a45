"""Any order of events, late, repeated, crossed and lost ones included: what must hold always, holds.

A record of our own is kept of every decision, and the engine's choices are compared with the slow and
obvious way to make them.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd.announcing import SPOKEN_WITHIN
from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    Announce,
    AnnouncementMade,
    AskToStay,
    CallAbandoned,
    CallConnected,
    CallerLost,
    CallLeft,
    CallQueued,
    Comfort,
    Connect,
    ConnectFailed,
    Decision,
    EndWait,
    Event,
    MoveCall,
    NoteResult,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    QueueHours,
    QueueRule,
    QueuesChanged,
    ResultGiven,
    ShowAgentState,
    TalkEnded,
    TalkFound,
    TimePassed,
    WithdrawOffer,
    WrapUpExtended,
)
from acd.routing import strategies
from acd.skills import Needs, needs
from tests.acd.drawn import AGENTS, QUEUES, SKILLS, agent_ids, agents, call_ids, queue_rules
from tests.acd.obvious import STRATEGIES, Figures

UNENGAGED = (AgentState.LOGGED_OFF, AgentState.NOT_READY, AgentState.READY)
OFFER_EVENTS = (OfferAnswered, OfferNotAnswered, CallConnected, ConnectFailed, TalkEnded)


class AnyOrder(RuleBasedStateMachine):
    @initialize(rules=queue_rules(QUEUES), staff=st.lists(agents, min_size=3, max_size=5))
    def open(self, rules: tuple[QueueRule, ...], staff: list[Agent]) -> None:
        self.clock = 0
        self.now = 0  # as the engine sees it: what its clock said, but never back
        self.first_rules = rules
        self.rules = {rule.name: rule for rule in rules}
        self.figures = Figures()
        self.staff: dict[str, Agent] = {}
        self.seed = 7
        self.acd = Acd(rules, seed=self.seed)
        self.log: list[tuple[Event, int, list[Decision]]] = []
        self.waiting: dict[str, CallQueued] = {}
        self.queue_of: dict[str, str] = {}
        self.entered: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.entries: dict[str, int] = {}
        self.offers: dict[str, tuple[str, str]] = {}  # live: offer -> call, agent
        self.stage: dict[str, str] = {}
        self.all_offers: list[str] = []
        self.spoken: dict[str, int] = {}
        self.visited: dict[str, set[str]] = {}
        self.rung_since: dict[str, int] = {}
        self.declined: set[tuple[str, str]] = set()  # call and agent, since the call came
        self.saying: dict[str, int] = {}  # until when what was said is not over
        self.lost: dict[str, CallQueued] = {}  # whose connection broke, as they come back
        for agent in staff:
            self.change_agent(agent)
            self.tell(AgentLoggedOn(agent.id))
            self.tell(AgentBecameReady(agent.id))

    # --- what goes in

    def tell(self, event: Event) -> None:
        before, free = set(self.offers), self.free()
        decisions = self.acd.handle(event, self.clock)
        self.log.append((event, self.clock, decisions))
        for decision in decisions:
            self.record(decision)
        if not isinstance(event, QueuesChanged):  # those move whom a removed queue held, wherever there is room or not
            self.check_moves([decision for decision in decisions if isinstance(decision, MoveCall)])
        new = [offer for offer in self.offers if offer not in before]
        self.check_choices(new)
        if not isinstance(event, AgentChanged | QueuesChanged):  # deadlines came before, by the old facts
            unmoved = free - {decision.agent for decision in decisions if isinstance(decision, ShowAgentState)}
            self.check_agents(new, unmoved)

    def advance(self, seconds: float) -> None:
        self.clock += int(seconds * 1000)
        self.now = max(self.now, self.clock)

    @rule(seconds=st.sampled_from((0, 0.5, 3, 9, 31, 100)))
    def time_passes(self, seconds: float) -> None:
        end = self.clock + int(seconds * 1000)
        while (due := self.acd.next_deadline()) is not None and due <= end:
            self.advance(max(0, due - self.clock) / 1000)
            self.tell(TimePassed())
            after = self.acd.next_deadline()
            assert after is None or after > self.now
        self.advance((end - self.clock) / 1000)

    @rule(seconds=st.sampled_from((1, 60)))
    def the_clock_goes_back(self, seconds: int) -> None:
        self.tell(TimePassed())  # so that the engine has seen the later time
        self.clock -= seconds * 1000
        self.tell(TimePassed())

    @rule(seconds=st.sampled_from((1, 50)))
    def the_shell_is_late(self, seconds: int) -> None:
        self.advance(seconds)
        self.tell(TimePassed())

    @rule(
        call=call_ids,
        queue=st.sampled_from((*QUEUES, "nowhere")),
        priority=st.integers(0, 3),
        skills=st.lists(st.sampled_from((*SKILLS, "claims 3", "yue preferred", "")), max_size=2).map(tuple),
        last_agent=st.sampled_from(("", *AGENTS)),
        before=st.sampled_from((None, None, None, 60_000)),
    )
    def queue_call(self, *, call, queue, priority, skills, last_agent, before) -> None:
        arrived = None if before is None else self.now - before
        event = CallQueued(call, queue, priority, skills, arrived, last_agent=last_agent)
        self.comes(event)
        if call in self.waiting and not self.stages_of(call) and self.queue_of[call] == queue:
            assert len(self.standing_in(queue)) <= self.rules[queue].longest_queue or self.waiting[call] is not event

    def comes(self, event: CallQueued) -> None:
        call = event.call
        if call not in self.waiting:
            for offer in [offer for offer, (other, _) in self.offers.items() if other == call]:
                self.over(offer)  # it talked, and talks no more
            self.entries[call] = self.entries.get(call, 0) + 1
            self.waits(event)
        self.tell(event)

    def waits(self, event: CallQueued) -> None:
        """From now on the engine knows of it what stands in the event, and nothing else."""
        call = event.call
        self.waiting[call] = event
        self.queue_of[call] = event.queue
        self.entered[call] = self.now if event.entered is None else event.entered
        self.spoken.pop(call, None)
        self.saying.pop(call, None)
        self.visited.pop(call, None)
        self.declined -= {(call, agent) for agent in AGENTS}

    def as_it_stands(self, call: str) -> CallQueued:
        """How a caller is queued who waits already, and must not lose its place."""
        arrived, entered = self.acd.place(call).arrived, self.entered[call]
        return replace(self.waiting[call], queue=self.queue_of[call], arrived=arrived, entered=entered)

    @rule(call=call_ids)
    def a_connection_breaks(self, call: str) -> None:
        if call in self.waiting:
            self.lost[call] = self.as_it_stands(call)
            self.end(call)
        self.tell(CallerLost(call))

    @precondition(lambda self: self.lost)
    @rule(data=st.data())
    def who_was_lost_comes_back(self, data) -> None:
        call = data.draw(st.sampled_from(sorted(self.lost)))
        self.comes(self.lost.pop(call))

    @rule()
    def a_copy_goes_on(self) -> None:
        """Made of the events, it is no worse than the one that saw them come."""
        self.acd = self.replayed()

    def replayed(self) -> Acd:
        again = Acd(self.first_rules, seed=self.seed)
        for event, now, decisions in self.log:
            assert again.handle(event, now) == decisions, "the same events give the same decisions"
        return again

    @rule(seconds=st.sampled_from((0, 40)))
    def the_process_is_killed(self, seconds: int) -> None:
        """The next one is told by the shell what outlived it: agents, talks, and who waits, each in its place."""
        self.replayed()
        views, waiting = self.acd.agents(), [self.as_it_stands(call) for call in self.waiting]
        talks = [offer for offer in self.offers if self.stage[offer] == "talking"]
        for offer in [offer for offer in self.offers if offer not in talks]:
            self.over(offer)
        held, self.offers, self.waiting = self.offers, {}, {}
        self.clock = self.now  # the next one never saw it go back
        self.advance(seconds)
        self.seed += 1
        self.first_rules, self.log, self.figures = tuple(self.rules.values()), [], Figures()
        self.acd = Acd(self.first_rules, seed=self.seed)
        for view in views:
            self.change_agent(self.staff[view.id])
            if view.state is not AgentState.LOGGED_OFF:
                self.tell(AgentLoggedOn(view.id))
            if view.state not in (AgentState.LOGGED_OFF, AgentState.NOT_READY):
                self.tell(AgentBecameReady(view.id))
        for offer in talks:
            call, agent = self.offers[offer] = held[offer]
            self.tell(TalkFound(offer, call, self.queue_of[call], agent))
        for event in sorted(waiting, key=lambda each: each.arrived):
            self.waits(event)
            self.tell(event)

    @rule(call=call_ids, left=st.booleans())
    def caller_goes(self, call: str, left: bool) -> None:
        if call in self.waiting:
            self.end(call)
        elif not left:
            for offer in [offer for offer, (other, _) in self.offers.items() if other == call]:
                self.over(offer)
        self.tell(CallLeft(call) if left else CallAbandoned(call))

    @rule(call=call_ids)
    def announcement_made(self, call: str) -> None:
        self.saying.pop(call, None)
        self.tell(AnnouncementMade(call))

    @rule()
    def every_announcement_is_over(self) -> None:
        for call in sorted(self.waiting):
            self.saying.pop(call, None)
            self.tell(AnnouncementMade(call))

    @precondition(lambda self: self.offers)
    @rule(data=st.data(), held_up=st.sampled_from((0, 0, 0, 40)))
    def the_next_word_about_an_offer(self, data, held_up: int) -> None:
        """`held_up`: for so many seconds the word lay in the inbox, and nobody looked at the deadlines either."""
        self.advance(held_up)
        offer = data.draw(st.sampled_from(sorted(self.offers)))
        words = {
            "ringing": (
                OfferAnswered(offer),
                OfferAnswered(offer),
                OfferNotAnswered(offer),
                OfferDeclined(offer, "busy"),
            ),
            "answered": (CallConnected(offer), CallConnected(offer), ConnectFailed(offer)),
            "talking": (TalkEnded(offer),),
        }
        self.say_of_offer(data.draw(st.sampled_from(words[self.stage[offer]])))

    @precondition(lambda self: self.all_offers)
    @rule(data=st.data())
    def any_word_about_any_offer(self, data) -> None:
        offer = data.draw(st.sampled_from([*self.all_offers[-12:], "7-0", ""]))
        kind = data.draw(st.sampled_from((*OFFER_EVENTS, OfferDeclined, OfferFailed)))
        self.say_of_offer(kind(offer, "busy") if kind in (OfferDeclined, OfferFailed) else kind(offer))

    def say_of_offer(self, event) -> None:
        """What we expect of the offer itself; what follows from it, the decisions say."""
        offer = event.offer
        stage = self.stage.get(offer) if offer in self.offers else None
        match event, stage:
            case OfferAnswered(), "ringing":
                pass  # the Connect says so
            case ((OfferDeclined() | OfferFailed()), ("ringing" | "answered")):
                self.refused(offer)
            case OfferNotAnswered(), "ringing":
                self.refused(offer)
            case ConnectFailed(), "answered":
                self.refused(offer)
            case CallConnected(), "answered":
                self.stage[offer] = "talking"
                self.talks(offer)
            case TalkEnded(), "answered":
                self.talks(offer)
                self.over(offer)
            case TalkEnded(), "talking":
                self.over(offer)
        self.tell(event)

    @rule(agent=agent_ids, kind=st.sampled_from((AgentLoggedOn, AgentLoggedOff, AgentBecameReady)))
    def agent_says(self, agent: str, kind) -> None:
        self.tell(kind(agent))

    @rule(agent=agent_ids)
    def agent_comes_to_work(self, agent: str) -> None:
        self.tell(AgentLoggedOn(agent))
        self.tell(AgentBecameReady(agent))

    @rule(agent=agent_ids)
    def agent_pauses(self, agent: str) -> None:
        self.tell(AgentBecameNotReady(agent, "lunch"))

    @rule(agent=agent_ids, by=st.sampled_from((-1_000, 0, 5_000)))
    def agent_needs_longer(self, agent: str, by: int) -> None:
        self.tell(WrapUpExtended(agent, by))

    @rule(agent=agent_ids, result=st.sampled_from(("solved", "lost")))
    def agent_gives_result(self, agent: str, result: str) -> None:
        self.tell(ResultGiven(agent, result))

    @rule(call=call_ids, queue=st.sampled_from((*QUEUES, "nowhere")), agent=agent_ids)
    def a_talk_is_found(self, call: str, queue: str, agent: str) -> None:
        """As after a restart, though here the agent may be at anything."""
        self.tell(TimePassed())  # what is due comes first in any case
        idle = [view.id for view in self.acd.agents() if view.state in UNENGAGED]
        known = call in self.waiting or call in [other for other, _ in self.offers.values()]
        offer = f"before-{len(self.all_offers)}"
        if agent in idle and not known:
            self.offers[offer], self.stage[offer] = (call, agent), "talking"
            self.queue_of[call] = queue
            self.all_offers.append(offer)
        self.tell(TalkFound(offer, call, queue, agent))

    @rule(queue=st.sampled_from((*QUEUES, "nowhere")), state=st.sampled_from(("open", "closed", "emergency")))
    def the_calendar_says(self, queue: str, state: str) -> None:
        self.tell(QueueHours(queue, state))

    @rule(agent=agents)
    def change_agent(self, agent: Agent) -> None:
        self.staff[agent.id] = agent
        self.tell(AgentChanged(agent))

    @rule(agent=agent_ids)
    def remove_agent(self, agent: str) -> None:
        self.tell(AgentRemoved(agent))

    @rule(data=st.data(), names=st.sets(st.sampled_from(QUEUES), min_size=1))
    def change_queues(self, data, names) -> None:
        rules = data.draw(queue_rules(tuple(sorted(names))))
        self.rules = {rule.name: rule for rule in rules}
        self.tell(QueuesChanged(rules))

    # --- what comes out

    def record(self, decision: Decision) -> None:
        match decision:
            case OfferCall(offer=offer, call=call, agent=agent):
                assert call in self.waiting, "only who waits is offered"
                assert offer not in self.all_offers, "an offer's id is never used again"
                assert agent not in [who for _, who in self.offers.values()], "an agent never has two calls"
                assert "answered" not in self.stages_of(call), "who is being connected is not offered"
                if self.strategy_of(call) not in ("ring-all", "ring-progressively"):
                    assert not self.stages_of(call), "one phone at a time"
                if not self.stages_of(call):
                    self.rung_since[call] = self.now
                self.offers[offer] = (call, agent)
                self.stage[offer] = "ringing"
                self.all_offers.append(offer)
            case WithdrawOffer(offer=offer, agent=agent, reason=reason):
                assert self.offers[offer][1] == agent, "only what lives is withdrawn, and once"
                if reason == "no answer":
                    self.refused(offer)
                else:
                    self.over(offer)
            case Connect(offer=offer, call=call, agent=agent):
                assert self.offers[offer] == (call, agent)
                assert self.stage[offer] == "ringing"
                assert "answered" not in self.stages_of(call), "a call never has two live connects"
                self.stage[offer] = "answered"
            case EndWait(call=call, queue=queue, exit=exit):
                if exit == "overflowed" and queue in self.rules and not self.has_waited_enough(call, exit):
                    assert self.entered[call] == self.now, "sent away at the door, or never"
                    assert self.waiting[call].entered is None, "who waited there before is let in"
                    assert len(self.standing_in(queue)) > self.rules[queue].longest_queue
                self.end(call)
            case MoveCall(call=call, queue=queue):
                assert call in self.waiting
                self.visited.setdefault(call, set()).add(self.queue_of[call])
                self.queue_of[call] = queue
                self.entered[call] = self.now
                self.saying.pop(call, None)
            case Announce(call=call, position=position):
                assert call in self.waiting
                self.speak(call)
                if position is not None:
                    assert position <= self.spoken.get(call, position), "a position is never spoken as rising"
                    self.spoken[call] = position
            case Comfort(call=call) | AskToStay(call=call):
                self.speak(call)
            case NoteResult(call=call, agent=agent):
                view = next(view for view in self.acd.agents() if view.id == agent)
                assert view.state in (AgentState.BUSY, AgentState.WORKING_AFTER_CALL)
                assert view.call in (call, "")
            case ShowAgentState():
                self.figures.shown(decision, self.now)

    def has_waited_enough(self, call: str, exit: str) -> bool:
        waited = self.now - self.entered[call]
        return any(step.exit == exit and step.after <= waited for step in self.rules[self.queue_of[call]].overflow)

    def speak(self, call: str) -> None:
        assert "answered" not in self.stages_of(call), "nothing is said while the agent is being connected"
        assert self.now >= self.saying.get(call, self.now), "one thing is said at a time"
        self.saying[call] = self.now + SPOKEN_WITHIN

    def strategy_of(self, call: str) -> str:
        rule = self.rules.get(self.queue_of[call])
        return rule.strategy if rule else ""

    def stages_of(self, call: str) -> list[str]:
        return [self.stage[offer] for offer, (other, _) in self.offers.items() if other == call]

    def refused(self, offer: str) -> None:
        self.declined.add(self.offers[offer])
        self.over(offer)

    def talks(self, offer: str) -> None:
        call, agent = self.offers[offer]
        self.figures.calls[agent] += 1
        self.end(call)

    def over(self, offer: str) -> None:
        del self.offers[offer]

    def end(self, call: str) -> None:
        del self.waiting[call]
        self.ends[call] = self.ends.get(call, 0) + 1

    # --- what must hold

    def free(self) -> set[str]:
        return {view.id for view in self.acd.agents() if view.state is AgentState.READY and not view.reason}

    def standing_in(self, queue: str) -> list[str]:
        return [call for call in self.waiting if self.queue_of[call] == queue]

    def needs(self, call: str) -> Needs:
        rule, waited = self.rules[self.queue_of[call]], self.now - self.entered[call]
        relaxed = frozenset(step.relax for step in rule.overflow if step.relax and step.after <= waited)
        return needs(rule, self.waiting[call].skills, relaxed)

    def able(self, agent: str, call: str) -> bool:
        """The slow and obvious way: by the rules, the skills and the time waited."""
        who, rule = self.staff[agent], self.rules.get(self.queue_of[call])
        if rule is None or rule.name not in who.queues:
            return False
        return self.needs(call).fit(who.skills)

    def held_for_another(self, call: str) -> bool:
        """Whether it may wait for its last agent alone: one who is at work, able, and has not declined it."""
        friend, rule = self.waiting[call].last_agent, self.rules[self.queue_of[call]]
        if rule.strategy != "sticky" or friend not in self.staff or (call, friend) in self.declined:
            return False
        state = next((view.state for view in self.acd.agents() if view.id == friend), AgentState.LOGGED_OFF)
        at_work = state not in (AgentState.LOGGED_OFF, AgentState.NOT_READY)
        return at_work and self.able(friend, call) and self.now < self.entered[call] + rule.sticky_for

    def place(self, call: str) -> tuple[int, int, int]:
        rule, view = self.rules[self.queue_of[call]], self.acd.place(call)
        return (-rule.weight, view.rank, view.arrived)

    def check_choices(self, new: list[str]) -> None:
        """Nobody who could have been served by the same agent and comes first was passed over."""
        idle = [call for call in self.waiting if not self.stages_of(call)]
        for offer in new:
            call, agent = self.offers[offer]
            if call not in self.waiting or agent not in self.staff or self.strategy_of(call) == "sticky":
                continue
            for other in idle:
                if self.able(agent, other) and not self.held_for_another(other):
                    assert self.place(other) >= self.place(call), (other, call)

    def seeks(self, call: str, queue: str) -> bool:
        """Whether a caller would overflow to a queue now, by the first of its lines alone: later ones come later."""
        rule = self.rules.get(self.queue_of[call])
        if rule is None or queue not in self.rules or queue in {rule.name, *self.visited.get(call, ())}:
            return False
        waited, stages = self.now - self.entered[call], self.stages_of(call)
        due = [step.after for step in rule.overflow if step.to_queue == queue and step.after <= waited]
        return "answered" not in stages and (any(due) or (bool(due) and not stages))

    def rank_in(self, queue: str, call: str) -> tuple[int, int]:
        arrived = self.acd.place(call).arrived
        return (arrived - self.waiting[call].priority * self.rules[queue].priority_credit, arrived)

    def check_moves(self, moves: list[MoveCall]) -> None:
        """Nobody who would overflow to the same queue, and comes first there, was passed over."""
        for call, queue in ((move.call, move.queue) for move in moves if move.call in self.waiting):
            for other in self.waiting:
                if queue == self.queue_of[call] and self.seeks(other, queue):
                    assert self.rank_in(queue, other) >= self.rank_in(queue, call), (other, call)

    @invariant()
    def nobody_seeks_a_queue_that_has_room(self) -> None:
        for view in self.acd.queues():
            if len(view.waiting) < self.rules[view.name].longest_queue:
                assert not [call for call in self.waiting if self.seeks(call, view.name)]

    def check_agents(self, new: list[str], free: set[str]) -> None:
        """Nobody who was free all the time, and comes first by the queue's strategy, was passed over."""
        for offer in new:
            call, agent = self.offers[offer]
            if call not in self.waiting or agent not in self.staff or self.strategy_of(call) not in STRATEGIES:
                continue
            rule, wanted = self.rules[self.queue_of[call]], self.needs(call)
            chosen = self.figures.place(self.staff[agent], rule, wanted)
            for other in free:
                if self.able(other, call):
                    assert chosen <= self.figures.place(self.staff[other], rule, wanted), (agent, other)

    @invariant()
    def the_views_agree_with_what_was_said(self) -> None:
        seen = [call for queue in self.acd.queues() for call in queue.waiting]
        gone = [call for call in self.waiting if self.queue_of[call] not in self.rules]
        assert sorted(seen) == sorted(set(self.waiting) - set(gone))
        assert all("answered" in self.stages_of(call) for call in gone), (
            "only who is being connected outlives its queue"
        )
        for queue in self.acd.queues():
            ranks = [self.acd.place(call).rank for call in queue.waiting]
            assert ranks == sorted(ranks)

    @invariant()
    def an_agent_has_a_call_exactly_when_its_state_says_so(self) -> None:
        calls = {agent: call for call, agent in self.offers.values()}
        for view in self.acd.agents():
            has_call = view.state in (AgentState.RESERVED, AgentState.BUSY)
            assert has_call == (view.id in calls)
            assert view.call == calls.get(view.id, "")

    @invariant()
    def no_caller_waits_beside_an_able_agent(self) -> None:
        free = self.free()
        for call in self.waiting:
            if not self.stages_of(call) and not self.held_for_another(call):
                assert not [agent for agent in free if self.able(agent, call)], call

    @invariant()
    def as_many_phones_ring_as_may(self) -> None:
        free = self.free()
        for call in self.waiting:
            stages = self.stages_of(call)
            if stages and "answered" not in stages and self.queue_of[call] in self.rules:
                rule = self.rules[self.queue_of[call]]
                may = strategies()[rule.strategy].phones(rule, self.now - self.rung_since[call])
                assert len(stages) >= may or not [agent for agent in free if self.able(agent, call)], call

    @invariant()
    def who_is_reserved_or_wraps_up_has_a_deadline(self) -> None:
        bound = {AgentState.RESERVED, AgentState.WORKING_AFTER_CALL}
        if any(view.state in bound for view in self.acd.agents()):
            assert self.acd.next_deadline() is not None

    def teardown(self) -> None:
        if not hasattr(self, "acd"):
            return
        self.clock = self.now  # it is right in the end
        for call in list(self.waiting):
            self.caller_goes(call, left=False)
        for offer in list(self.offers):
            self.say_of_offer(TalkEnded(offer))
        self.time_passes(60)
        assert not self.offers
        assert self.ends == self.entries, "every call that entered ended its wait exactly once"
        stuck = {AgentState.RESERVED, AgentState.BUSY, AgentState.WORKING_AFTER_CALL}
        assert not [view for view in self.acd.agents() if view.state in stuck]
        self.replayed()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=120, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
