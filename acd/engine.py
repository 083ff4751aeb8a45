"""The ACD's engine: one event and the time in, the decisions that follow from them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Literal

from acd import announcing, overflow
from acd.agents import LOGGED_OFF, READY, TABLE, WORKING_AFTER_CALL, Input, LiveAgent
from acd.calls import Offer, Stage, WaitingCall
from acd.deadlines import Deadlines, Timed
from acd.floor import Floor
from acd.lines import Queue
from acd.model import (
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    AgentView,
    AnnouncementMade,
    CallAbandoned,
    CallConnected,
    CallId,
    CallLeft,
    CallQueued,
    CallView,
    Connect,
    ConnectFailed,
    Decision,
    EndWait,
    Event,
    Millis,
    MoveCall,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferFailed,
    OfferId,
    OfferNotAnswered,
    QueueRule,
    QueuesChanged,
    QueueView,
    ShowAgentState,
    TalkEnded,
    TimePassed,
    WithdrawOffer,
)

Withdrawal = Literal["caller gone", "no answer", "agent left", "queue gone", "answered elsewhere"]

FULL_RETRY: Millis = 5_000  # how soon a caller is tried again in a queue that was full


class Acd:
    """Decides who talks to whom. Never raises for what an event says: what it does not know, it ignores and counts.

    The same events at the same times give the same decisions. `seed` draws between equals and stands
    in every offer's id: give another one in each life of the process, so that no answer of an earlier
    life is taken for one of this.
    """

    def __init__(self, queues: Iterable[QueueRule] = (), *, seed: int = 0) -> None:
        self.ignored: Counter[str] = Counter()  # events about nothing that is known, by their type
        self._seed = seed
        self._now: Millis = 0
        self._out: list[Decision] = []
        self._floor = Floor(seed)
        self._calls: dict[CallId, WaitingCall] = {}
        self._talks: dict[CallId, Offer] = {}
        self._offers: dict[OfferId, Offer] = {}
        self._deadlines = Deadlines()
        self._offers_made = 0
        self._calls_seen = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            QueuesChanged: self._queues_changed,
            AgentChanged: self._agent_changed,
            AgentRemoved: self._agent_removed,
            AgentLoggedOn: lambda event: self._agent_says(event, Input.LOG_ON, "logged on"),
            AgentLoggedOff: lambda event: self._agent_says(event, Input.LOG_OFF, ""),
            AgentBecameReady: lambda event: self._agent_says(event, Input.BE_READY, ""),
            AgentBecameNotReady: lambda event: self._agent_says(event, Input.BE_NOT_READY, event.reason),
            CallQueued: self._call_queued,
            CallAbandoned: self._call_abandoned,
            CallLeft: self._call_left,
            AnnouncementMade: self._announcement_made,
            OfferAnswered: self._offer_answered,
            OfferDeclined: lambda event: self._offer_refused(event, event.cause),
            OfferNotAnswered: self._offer_not_answered,
            OfferFailed: lambda event: self._offer_refused(event, event.cause),
            CallConnected: self._call_connected,
            ConnectFailed: self._connect_failed,
            TalkEnded: self._talk_ended,
            TimePassed: lambda _: None,
        }
        for rule in queues:
            self._floor.open(rule)

    def handle(self, event: Event, now: Millis) -> list[Decision]:
        """What is to be done because of the event and of every deadline that came before it, in that order."""
        self._now = max(self._now, now)
        self._out = []
        while (thing := self._deadlines.pop(self._now)) is not None:
            self._time_is_up(thing)
        self._handlers[type(event)](event)
        while queues := self._floor.emptied():
            for queue in queues:
                self._look_after(queue)
        return self._out

    def next_deadline(self) -> Millis | None:
        """When TimePassed is due, if nothing else comes before; None: only an event can change anything."""
        return self._deadlines.next()

    # --- views

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(agent.view() for _, agent in sorted(self._floor.agents.items()))

    def queues(self) -> tuple[QueueView, ...]:
        return tuple(
            QueueView(queue.rule.name, tuple(call.id for call in queue.calls()))
            for queue in self._floor.queues.values()
        )

    def position(self, call: CallId) -> int | None:
        """How many wait before this caller in its queue, plus one; None when it does not wait."""
        waiting = self._calls.get(call)
        return waiting.queue.position(waiting) if waiting else None

    def place(self, call: CallId) -> CallView | None:
        """All that is known of a waiting caller; None when it does not wait."""
        waiting = self._calls.get(call)
        if waiting is None:
            return None
        position = waiting.queue.position(waiting)
        return CallView(
            id=waiting.id,
            queue=waiting.queue.rule.name,
            position=position,
            arrived=waiting.arrived,
            rank=waiting.key[0],
            wait=waiting.queue.pace.wait(position - 1, waiting.line.working),
            offered_to=tuple(offer.agent.rule.id for offer in waiting.offers),
        )

    # --- queues

    def _queues_changed(self, event: QueuesChanged) -> None:
        rules = {rule.name: rule for rule in event.queues}
        floor = self._floor
        replaced = [queue for queue in floor.queues.values() if rules.get(queue.rule.name) != queue.rule]
        for agent in floor.agents.values():
            floor.take(agent)
        for queue in replaced:
            if queue.rule.name not in rules:
                floor.close(queue)
        for rule in rules.values():
            if rule.name not in floor.queues or floor.queues[rule.name].rule != rule:
                floor.open(rule)
        for agent in floor.agents.values():
            if self._is_free(agent):
                floor.free(agent)
        for queue in replaced:
            for call in queue.calls():
                self._rehouse(call)
        for queue in sorted(floor.queues.values(), key=lambda queue: -queue.rule.weight):
            self._look_after(queue)

    def _rehouse(self, call: WaitingCall) -> None:
        """Gives a call whose queue is gone to the same queue's new rule, to its successor, or back to its flow."""
        if call.connecting:
            return  # it is nearly with its agent; should that fail, it comes here again
        old = call.queue
        new = self._floor.queues.get(old.rule.name)
        if new:
            self._leave_queue(call)
            call.forget_limits()
            for offer in call.offers:
                offer.queue = new
            self._join_queue(call, new)
            return
        freed = self._withdraw_all(call, "queue gone")
        successor = self._floor.queues.get(old.rule.successor)
        if successor:
            self._move(call, successor)
        else:
            self._end(call, "overflowed")
        self._employ_all(freed)

    def _look_after(self, queue: Queue) -> None:
        """Looks at every caller of a queue anew: its rules or its agents have changed."""
        for call in queue.calls():
            if self._calls.get(call.id) is call and call.queue is queue:
                self._come_back(call)

    # --- agents

    def _agent_changed(self, event: AgentChanged) -> None:
        agent = self._floor.change(event.agent, self._now)
        if agent.gone:
            agent.gone, agent.pending = False, None
        self._employ(agent)

    def _agent_removed(self, event: AgentRemoved) -> None:
        agent = self._floor.agents.get(event.agent)
        if agent is None or agent.gone:
            self._ignore(event)
            return
        agent.gone = True
        self._follow(agent, Input.LOG_OFF, "removed")
        self._employ(agent)

    def _agent_says(self, event: Any, input_: Input, reason: str) -> None:
        agent = self._floor.agents.get(event.agent)
        if agent is None or agent.gone or input_ not in TABLE[agent.state]:
            self._ignore(event)
            return
        self._follow(agent, input_, reason)
        self._employ(agent)

    def _follow(self, agent: LiveAgent, input_: Input, reason: str) -> None:
        before = agent.state
        moved = self._floor.turn(agent, input_, reason, self._now)
        if agent.offer:
            if agent.pending and agent.offer.stage is Stage.RINGING:
                call = agent.offer.call
                self._withdraw(agent.offer, "agent left")
                self._come_back(call)
            return
        agent.held = False
        self._deadlines.set(agent, None)
        match before:
            case AgentState.LOGGED_OFF:
                agent.begin_shift(self._now)
            case AgentState.WORKING_AFTER_CALL:
                self._wrapped_up(agent)
            case AgentState.NOT_READY:
                agent.no_answers = 0
        if agent.state is READY and before is not READY:
            agent.ready_since = self._now
        if moved:
            self._show(agent)

    def _is_free(self, agent: LiveAgent) -> bool:
        return agent.state is READY and not agent.held and not agent.gone

    def _employ(self, agent: LiveAgent) -> None:
        """Gives a free agent its next call, or lets calls find it; forgets one that was removed."""
        if self._is_free(agent):
            if agent.indexed:
                return
            call = self._floor.best_call(agent)
            if call:
                self._offer(call, agent)
            else:
                self._floor.free(agent)
        elif agent.gone and agent.state is LOGGED_OFF and agent.rule.id in self._floor.agents:
            self._floor.remove(agent)

    def _employ_all(self, agents: Iterable[LiveAgent]) -> None:
        for agent in agents:
            self._employ(agent)

    def _release(self, agent: LiveAgent, input_: Input, reason: str, hold: Millis = 0) -> None:
        """The agent has no call any more; what it asked for meanwhile is followed now."""
        self._floor.turn(agent, input_, reason, self._now)
        pending, agent.pending = agent.pending, None
        if pending:
            self._floor.turn(agent, *pending, self._now)
        self._show(agent)
        if agent.state is READY and hold > 0:
            agent.held = True
            self._deadlines.set(agent, self._now + hold)

    def _wrapped_up(self, agent: LiveAgent) -> None:
        if agent.last_talk:
            agent.last_talk.queue.pace.handled(self._now - agent.last_talk.offered_at)
            agent.last_talk = None

    def _show(self, agent: LiveAgent) -> None:
        self._out.append(ShowAgentState(agent.rule.id, agent.state, agent.reason, agent.call))

    # --- calls

    def _call_queued(self, event: CallQueued) -> None:
        talk = self._talks.get(event.call)
        if talk:
            self._end_talk(talk)  # who waits again talks no more
        if event.call in self._calls:
            self._ignore(event)
            return
        queue = self._floor.queues.get(event.queue)
        if queue is None:
            self._ignore(event)
            self._out.append(EndWait(event.call, event.queue, "unavailable"))
            return
        self._calls_seen += 1
        call = self._calls[event.call] = WaitingCall(event, self._calls_seen, self._now)
        self._join_queue(call, queue)
        self._serve(call)
        if not call.offers and len(queue.waiting) > queue.rule.longest_queue:
            self._end(call, "overflowed")
        elif call.offers or not self._overflow(call):
            self._rearm(call)

    def _join_queue(self, call: WaitingCall, queue: Queue) -> None:
        queue.put(call)
        self._stand(call)
        if call.announce_due is None:
            announcing.begin(call)

    def _leave_queue(self, call: WaitingCall) -> None:
        if call.in_line:
            call.in_line = False
            call.line.waiting.remove(call.key)
        call.queue.remove(call)
        self._deadlines.set(call, None)

    def _stand(self, call: WaitingCall) -> None:
        """Lets a call be offered to free agents exactly while it may ring (another) one."""
        if call.connecting:
            wanted = False
        elif call.offers:
            ringing = self._now - call.ringing_since
            wanted = len(call.offers) < call.queue.strategy.phones(call.queue.rule, ringing)
        else:
            wanted = True
        if wanted is call.in_line:
            return
        call.in_line = wanted
        if wanted:
            call.line.waiting.add(call.key)
        else:
            call.line.waiting.remove(call.key)

    def _serve(self, call: WaitingCall) -> None:
        """Rings the agents who are free for it, as many as its queue lets ring at once."""
        while call.in_line:
            agent = self._floor.best_agent(call)
            if agent is None:
                return
            self._offer(call, agent)

    def _come_back(self, call: WaitingCall) -> None:
        """A call is looked at anew: its limits first, then the agents."""
        if call.queue.gone:
            self._rehouse(call)
            return
        if self._overflow(call):
            return
        if call.announce_due is not None and call.announce_due <= self._now:
            said = announcing.announcement(call, self._now)
            if said:
                self._out.append(said)
        self._stand(call)
        self._serve(call)
        self._rearm(call)

    def _overflow(self, call: WaitingCall) -> bool:
        """Carries out the limits that were reached; True when the call is in this queue no more."""
        if call.connecting:
            return False
        for number, rule in list(overflow.due_rules(call, self._now)):
            if rule.relax:
                self._relax(call, number, rule.relax)
            elif rule.exit:
                self._employ_all(self._withdraw_all(call, "caller gone"))
                self._end(call, rule.exit)
                return True
            elif self._overflow_to(call, rule.to_queue):
                return True
        return False

    def _relax(self, call: WaitingCall, number: int, skill: str) -> None:
        call.spent |= {number}
        call.relaxed |= {skill}
        if call.in_line:
            call.in_line = False
            call.line.waiting.remove(call.key)
        call.queue.take_from_line(call)
        call.queue.put_in_line(call)
        self._stand(call)
        self._serve(call)

    def _overflow_to(self, call: WaitingCall, name: str) -> bool:
        """Moves a call unless it was there before or that queue is full; then it stays and is tried again."""
        target = self._floor.queues.get(name)
        if target is None or name in call.visited or name == call.queue.rule.name:
            return False
        if len(target.waiting) >= target.rule.longest_queue:
            call.retry_at = self._now + FULL_RETRY
            return False
        freed = self._withdraw_all(call, "caller gone")
        self._move(call, target)
        self._employ_all(freed)
        return True

    def _move(self, call: WaitingCall, queue: Queue) -> None:
        call.visited |= {call.queue.rule.name}
        self._leave_queue(call)
        call.forget_queue()
        call.entered = self._now
        self._out.append(MoveCall(call.id, queue.rule.name))
        self._join_queue(call, queue)
        self._serve(call)
        if call.offers or not self._overflow(call):
            self._rearm(call)

    def _end(self, call: WaitingCall, exit_: str) -> None:
        self._leave_queue(call)
        del self._calls[call.id]
        self._out.append(EndWait(call.id, call.queue.rule.name, exit_))

    def _call_abandoned(self, event: CallAbandoned) -> None:
        talk = self._talks.get(event.call)
        if talk:
            self._end_talk(talk)
        else:
            self._go(event, abandoned=True)

    def _call_left(self, event: CallLeft) -> None:
        self._go(event, abandoned=False)

    def _go(self, event: CallAbandoned | CallLeft, *, abandoned: bool) -> None:
        call = self._calls.pop(event.call, None)
        if call is None:
            self._ignore(event)
            return
        freed = self._withdraw_all(call, "caller gone")
        self._leave_queue(call)
        call.queue.pace.waited(self._now - call.entered, abandoned=abandoned)
        self._employ_all(freed)

    def _announcement_made(self, event: AnnouncementMade) -> None:
        call = self._calls.get(event.call)
        if call is None or not call.speaking:
            self._ignore(event)
            return
        announcing.spoken(call, self._now)
        self._rearm(call)

    # --- offers

    def _offer(self, call: WaitingCall, agent: LiveAgent) -> None:
        rule = call.queue.rule
        self._offers_made += 1
        offer = Offer(f"{self._seed}-{self._offers_made}", call, agent, self._now)
        self._offers[offer.id] = offer
        self._floor.turn(agent, Input.OFFER, "", self._now)
        agent.offer, agent.call, agent.last_offered = offer, call.id, self._now
        if not call.offers:
            call.ringing_since = self._now
        call.offers += (offer,)
        call.queue.last_agent = agent
        self._stand(call)
        self._deadlines.set(offer, self._now + rule.ring_for + rule.answer_within)
        self._show(agent)
        self._out.append(OfferCall(offer.id, call.id, rule.name, agent.rule.id, rule.ring_for))

    def _drop(self, offer: Offer) -> None:
        """The offer is over: whatever is still said about it is ignored from now on."""
        del self._offers[offer.id]
        self._deadlines.set(offer, None)
        call, agent = offer.call, offer.agent
        call.offers = tuple(other for other in call.offers if other is not offer)
        if call.connecting is offer:
            call.connecting = None
        agent.offer, agent.call = None, ""

    def _withdraw(self, offer: Offer, reason: Withdrawal) -> None:
        """Takes an offer back without blame. The agent is not employed yet, nor its call served."""
        self._drop(offer)
        self._out.append(WithdrawOffer(offer.id, offer.agent.rule.id, reason))
        self._release(offer.agent, Input.RELEASE, "")

    def _withdraw_all(self, call: WaitingCall, reason: Withdrawal) -> list[LiveAgent]:
        agents = [offer.agent for offer in call.offers]
        for offer in call.offers:
            self._withdraw(offer, reason)
        return agents

    def _fail(self, offer: Offer, reason: str, *, hold: Millis, bench: bool = False) -> None:
        """The offer came to nothing by the agent's side: the call keeps its place, others come before this agent."""
        self._drop(offer)
        self._release(offer.agent, Input.BENCH if bench else Input.RELEASE, reason, hold)
        self._come_back(offer.call)
        self._employ(offer.agent)

    def _ring_out(self, offer: Offer) -> None:
        agent, rule = offer.agent, offer.queue.rule
        agent.no_answers += 1
        bench = 0 < rule.no_answer_limit <= agent.no_answers
        self._fail(offer, "no answer", hold=rule.no_answer_delay, bench=bench)

    def _known(self, event: Any, *stages: Stage) -> Offer | None:
        offer = self._offers.get(event.offer)
        if offer is None or offer.stage not in stages:
            self._ignore(event)
            return None
        return offer

    def _offer_answered(self, event: OfferAnswered) -> None:
        offer = self._known(event, Stage.RINGING)
        if offer is None:
            return
        call = offer.call
        offer.stage = Stage.CONNECTING
        call.connecting = offer
        self._deadlines.set(offer, self._now + offer.queue.rule.connect_within)
        self._out.append(Connect(offer.id, call.id, offer.agent.rule.id))
        others = [other for other in call.offers if other is not offer]
        for other in others:
            self._withdraw(other, "answered elsewhere")
        self._stand(call)
        self._rearm(call)
        self._employ_all(other.agent for other in others)

    def _offer_refused(self, event: OfferDeclined | OfferFailed, cause: str) -> None:
        offer = self._known(event, Stage.RINGING, Stage.CONNECTING)
        if offer:
            self._fail(offer, cause, hold=offer.queue.rule.reject_delay)

    def _offer_not_answered(self, event: OfferNotAnswered) -> None:
        offer = self._known(event, Stage.RINGING)
        if offer:
            self._ring_out(offer)

    def _connect_failed(self, event: ConnectFailed) -> None:
        offer = self._known(event, Stage.CONNECTING)
        if offer:
            self._fail(offer, "hung up before the caller came", hold=offer.queue.rule.reject_delay)

    def _call_connected(self, event: CallConnected) -> None:
        offer = self._known(event, Stage.CONNECTING)
        if offer:
            self._begin_talk(offer)

    def _begin_talk(self, offer: Offer) -> None:
        call, agent = offer.call, offer.agent
        offer.stage = Stage.TALKING
        offer.connected_at = self._now
        self._deadlines.set(offer, None)
        self._leave_queue(call)
        call.queue.pace.waited(self._now - call.entered, abandoned=False)
        del self._calls[call.id]
        self._talks[call.id] = offer
        agent.no_answers = 0
        agent.calls += 1
        self._floor.turn(agent, Input.CONNECT, "", self._now)
        self._show(agent)

    def _talk_ended(self, event: TalkEnded) -> None:
        offer = self._known(event, Stage.CONNECTING, Stage.TALKING)
        if offer is None:
            return
        if offer.stage is Stage.CONNECTING:
            self._begin_talk(offer)  # the two words crossed: this one came first
        self._end_talk(offer)

    def _end_talk(self, offer: Offer) -> None:
        agent = offer.agent
        del self._talks[offer.call.id]
        self._drop(offer)
        agent.talk_ended = self._now
        agent.talk_time += self._now - offer.connected_at
        agent.last_talk = offer
        wrap_up = offer.queue.rule.wrap_up if agent.rule.wrap_up is None else agent.rule.wrap_up
        self._release(agent, Input.TALK_END, "")
        if agent.state is not WORKING_AFTER_CALL:
            self._wrapped_up(agent)
            self._employ(agent)
        elif wrap_up > 0:
            self._deadlines.set(agent, self._now + wrap_up)
        else:
            self._end_wrap_up(agent)

    def _end_wrap_up(self, agent: LiveAgent) -> None:
        self._wrapped_up(agent)
        agent.ready_since = self._now
        self._floor.turn(agent, Input.WRAP_UP_END, "", self._now)
        self._show(agent)
        self._employ(agent)

    # --- time

    def _time_is_up(self, thing: Timed) -> None:
        match thing:
            case Offer(stage=Stage.RINGING):
                self._out.append(WithdrawOffer(thing.id, thing.agent.rule.id, "no answer"))
                self._ring_out(thing)
            case Offer():
                self._out.append(WithdrawOffer(thing.id, thing.agent.rule.id, "no answer"))
                self._fail(thing, "not connected", hold=thing.queue.rule.reject_delay)
            case LiveAgent(state=AgentState.WORKING_AFTER_CALL):
                self._end_wrap_up(thing)
            case LiveAgent():
                self._follow(thing, Input.BE_READY, "")
                self._employ(thing)
            case WaitingCall():
                self._come_back(thing)

    def _rearm(self, call: WaitingCall) -> None:
        """Sets the time at which something is next due for a waiting call."""
        times = [overflow.next_limit(call, self._now), call.announce_due]
        if call.retry_at > self._now:
            times.append(call.retry_at)
        if call.offers and not call.connecting:
            more = call.queue.strategy.next_phone(call.queue.rule, self._now - call.ringing_since)
            times.append(None if more is None else self._now + more)
        known = [time for time in times if time is not None]
        self._deadlines.set(call, max(min(known), self._now + 1) if known else None)

    def _ignore(self, event: Event) -> None:
        self.ignored[type(event).__name__] += 1
