"""The ACD's engine: one event and the time in, the decisions that follow from them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from acd.agents import BE_NOT_READY, BE_READY, FOUND, LOG_OFF, LOG_ON, TABLE, Input, LiveAgent
from acd.board import Board
from acd.calls import CONNECTING, RINGING, TALKING, Offer, WaitingCall
from acd.model import (
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentId,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    AgentView,
    AnnouncementMade,
    CallAbandoned,
    CallConnected,
    CallerLost,
    CallId,
    CallLeft,
    CallQueued,
    CallView,
    ConnectFailed,
    Decision,
    EndWait,
    Event,
    Millis,
    NoteResult,
    OfferAnswered,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    QueueHours,
    QueueName,
    QueueRule,
    QueuesChanged,
    QueueView,
    ResultGiven,
    TalkEnded,
    TalkFound,
    TimePassed,
    WrapUpExtended,
)
from acd.offers import Offers
from acd.waits import Waits

_OF_OFFERS = frozenset(
    {OfferAnswered, OfferDeclined, OfferNotAnswered, OfferFailed, CallConnected, ConnectFailed, TalkEnded}
)


class Acd:
    """Decides who talks to whom. Never raises for what an event says: what it does not know, it ignores and counts.

    The same events at the same times give the same decisions. `seed` draws between equals and stands
    in every offer's id: give another one in each life of the process, so that no answer of an earlier
    life is taken for one of this.
    """

    def __init__(self, queues: Iterable[QueueRule] = (), *, seed: int = 0) -> None:
        self.ignored: Counter[str] = Counter()  # events about nothing that is known, by their type
        self._board = Board(seed)
        self._offers = Offers(self._board, seed)
        self._waits = Waits(self._board, self._offers)
        self._handlers: dict[type, Callable[[Any], bool]] = {
            QueuesChanged: self._queues_changed,
            AgentChanged: self._agent_changed,
            AgentRemoved: self._agent_removed,
            AgentLoggedOn: lambda event: self._agent_says(event.agent, LOG_ON, "logged on"),
            AgentLoggedOff: lambda event: self._agent_says(event.agent, LOG_OFF, event.reason),
            AgentBecameReady: lambda event: self._agent_says(event.agent, BE_READY, ""),
            AgentBecameNotReady: lambda event: self._agent_says(event.agent, BE_NOT_READY, event.reason),
            WrapUpExtended: self._wrap_up_extended,
            ResultGiven: self._result_given,
            QueueHours: self._queue_hours,
            CallQueued: self._call_queued,
            CallAbandoned: self._call_abandoned,
            CallLeft: self._call_left,
            CallerLost: self._caller_lost,
            AnnouncementMade: self._announcement_made,
            OfferAnswered: self._offer_answered,
            OfferDeclined: self._offer_refused,
            OfferNotAnswered: self._offer_not_answered,
            OfferFailed: self._offer_refused,
            CallConnected: self._call_connected,
            ConnectFailed: self._connect_failed,
            TalkEnded: self._talk_ended,
            TalkFound: self._talk_found,
            TimePassed: lambda _: True,
        }
        for rule in queues:
            self._board.floor.open(rule)

    def handle(self, event: Event, now: Millis) -> list[Decision]:
        """What is to be done: first because of the deadlines that have come, then because of the event.

        What is said of an offer comes before its deadline: where the process was held up, the agent
        who answered in time must not be taken for one who did not.
        """
        board, kind = self._board, type(event)
        board.now = max(board.now, now)
        board.out = []
        late = board.deadlines.may_be_due(board.now)
        if late and kind not in _OF_OFFERS and self._time_passes():
            self._settle()
        if not self._handlers[kind](event):
            self.ignored[kind.__name__] += 1
        if late and kind in _OF_OFFERS:
            self._time_passes()
        if board.calls or board.agents or board.floor.left:
            self._settle()
        return board.out

    def next_deadline(self) -> Millis | None:
        """When TimePassed is due, if nothing else comes before; None: only an event can change anything."""
        return self._board.deadlines.next()

    # --- views

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(agent.view() for _, agent in sorted(self._board.floor.agents.items()))

    def queues(self) -> tuple[QueueView, ...]:
        return tuple(
            QueueView(queue.rule.name, tuple(call.id for call in queue.calls()))
            for queue in self._board.floor.queues.values()
        )

    def waiting(self, queue: QueueName) -> int:
        """How many wait in a queue."""
        found = self._board.floor.queues.get(queue)
        return len(found.waiting) if found else 0

    def position(self, call: CallId) -> int | None:
        """How many wait before this caller in its queue, plus one; None when it does not wait."""
        waiting = self._waits.calls.get(call)
        return waiting.queue.position(waiting) if waiting else None

    def place(self, call: CallId) -> CallView | None:
        """All that is known of a waiting caller; None when it does not wait."""
        waiting = self._waits.calls.get(call)
        if waiting is None:
            return None
        position = waiting.queue.position(waiting)
        return CallView(
            id=waiting.id,
            queue=waiting.queue.rule.name,
            position=position,
            arrived=waiting.arrived,
            rank=waiting.key[0],
            wait=waiting.line.wait(position - 1),
            offered_to=tuple(offer.agent.rule.id for offer in waiting.offers),
        )

    def talks_by(self, agent: AgentId) -> QueueRule | None:
        """The rule of the queue from which the agent's talk came, or that of its wrap-up; None when it has neither."""
        found = self._board.floor.agents.get(agent)
        talk = found.talk() if found else None
        return talk.queue.rule if talk else None

    # --- what follows

    def _settle(self) -> None:
        """Brings waiting calls and free agents together until nothing is left to be done."""
        board = self._board
        while True:
            if board.calls:
                calls = list(board.calls)
                board.calls.clear()
                self._waits.settle(calls)
            elif board.agents:
                agents = list(board.agents)
                board.agents.clear()
                self._waits.employ(agents)
            elif board.floor.left:
                board.calls.update(dict.fromkeys(board.floor.disturbed()))
            else:
                return

    def _time_passes(self) -> bool:
        """Carries out every deadline that has come; False when there was none."""
        deadlines, came = self._board.deadlines, False
        while (thing := deadlines.pop(self._board.now)) is not None:
            came = True
            match thing:
                case WaitingCall():
                    self._board.look_at(thing)
                case Offer():
                    self._offers.overdue(thing)
                case LiveAgent(state=AgentState.WORKING_AFTER_CALL):
                    self._offers.end_wrap_up(thing)
                case LiveAgent():  # it was not to be rung for a while
                    self._offers.follow(thing, BE_READY, "")
        return came

    # --- queues and agents; each handler returns False for an event about nothing that is known

    def _queues_changed(self, event: QueuesChanged) -> bool:
        rules = {rule.name: rule for rule in event.queues}
        floor = self._board.floor
        homeless = [call for call in self._waits.calls.values() if call.queue.gone]
        self._board.calls.update(dict.fromkeys(homeless))  # perhaps their queue is there again
        replaced = [queue for queue in floor.queues.values() if rules.get(queue.rule.name) != queue.rule]
        for agent in floor.agents.values():
            if agent.indexed:
                floor.take(agent)
                self._board.agents[agent] = None
        for queue in replaced:
            self._board.calls.update(dict.fromkeys(queue.calls()))
            self._board.calls.update((key[3], None) for key in queue.seekers)
            if queue.rule.name not in rules:
                floor.close(queue)
        for name, rule in rules.items():
            if name not in floor.queues or floor.queues[name].rule != rule:
                floor.open(rule)
        return True

    def _agent_changed(self, event: AgentChanged) -> bool:
        agent = self._board.floor.change(event.agent, self._board.now)
        if agent.gone:
            agent.gone, agent.pending = False, None
        self._board.agents[agent] = None
        return True

    def _agent_removed(self, event: AgentRemoved) -> bool:
        agent = self._board.floor.agents.get(event.agent)
        if agent is None or agent.gone:
            return False
        agent.gone = True
        self._board.agents[agent] = None
        self._offers.follow(agent, LOG_OFF, "removed")
        return True

    def _agent_says(self, id_: AgentId, input_: Input, reason: str) -> bool:
        agent = self._board.floor.agents.get(id_)
        if agent is None or agent.gone or input_ not in TABLE[agent.state]:
            return False
        self._offers.follow(agent, input_, reason)
        return True

    def _wrap_up_extended(self, event: WrapUpExtended) -> bool:
        agent = self._board.floor.agents.get(event.agent)
        if agent is None or agent.state is not AgentState.WORKING_AFTER_CALL or agent.due is None:
            return False
        self._board.deadlines.set(agent, agent.due + max(0, event.by))
        return True

    def _result_given(self, event: ResultGiven) -> bool:
        agent = self._board.floor.agents.get(event.agent)
        talk = agent.talk() if agent else None
        if talk is None:
            return False
        results = talk.queue.rule.results
        if results and event.result not in results:
            return False
        self._board.out.append(NoteResult(talk.call.id, talk.queue.rule.name, event.agent, event.result))
        return True

    def _queue_hours(self, event: QueueHours) -> bool:
        queue = self._board.floor.queues.get(event.queue)
        if queue is None:
            return False
        if queue.hours != event.state:
            queue.hours = event.state
            self._board.calls.update(dict.fromkeys(queue.calls()))
        return True

    # --- calls

    def _call_queued(self, event: CallQueued) -> bool:
        talk = self._offers.talks.get(event.call)
        if talk:
            self._offers.talk_ended(talk)  # who waits again talks no more
        if event.call in self._waits.calls:
            return False
        queue = self._board.floor.queues.get(event.queue)
        if queue is None:
            self._board.out.append(EndWait(event.call, event.queue, "unavailable"))
            return False
        self._waits.enter(event, queue)
        return True

    def _call_abandoned(self, event: CallAbandoned) -> bool:
        talk = self._offers.talks.get(event.call)
        if talk is None:
            return self._go(event.call, abandoned=True)
        self._offers.talk_ended(talk)
        return True

    def _call_left(self, event: CallLeft) -> bool:
        return self._go(event.call, abandoned=False)

    def _caller_lost(self, event: CallerLost) -> bool:
        call = self._waits.calls.get(event.call)
        if call is None:
            return False
        self._waits.lose(call)
        return True

    def _go(self, id_: CallId, *, abandoned: bool) -> bool:
        call = self._waits.calls.get(id_)
        if call is None:
            return False
        self._waits.go(call, abandoned=abandoned)
        return True

    def _announcement_made(self, event: AnnouncementMade) -> bool:
        call = self._waits.calls.get(event.call)
        if call is None or not call.saying:
            return False
        self._waits.announced(call)
        return True

    # --- offers

    def _offer_answered(self, event: OfferAnswered) -> bool:
        offer = self._offers.known(event.offer, RINGING)
        if offer is None:
            return False
        self._offers.answered(offer)
        return True

    def _offer_refused(self, event: OfferDeclined | OfferFailed) -> bool:
        offer = self._offers.known(event.offer, RINGING, CONNECTING)
        if offer is None:
            return False
        self._offers.refused(offer, event.cause)
        return True

    def _offer_not_answered(self, event: OfferNotAnswered) -> bool:
        offer = self._offers.known(event.offer, RINGING)
        if offer is None:
            return False
        self._offers.rang_out(offer)
        return True

    def _connect_failed(self, event: ConnectFailed) -> bool:
        offer = self._offers.known(event.offer, CONNECTING)
        if offer is None:
            return False
        self._offers.refused(offer, "hung up before the caller came")
        return True

    def _call_connected(self, event: CallConnected) -> bool:
        offer = self._offers.known(event.offer, CONNECTING)
        if offer is None:
            return False
        self._connect(offer)
        return True

    def _talk_ended(self, event: TalkEnded) -> bool:
        offer = self._offers.known(event.offer, CONNECTING, TALKING)
        if offer is None:
            return False
        if offer.stage is CONNECTING:
            self._connect(offer)  # the two words crossed: this one came first
        self._offers.talk_ended(offer)
        return True

    def _talk_found(self, event: TalkFound) -> bool:
        agent = self._board.floor.agents.get(event.agent)
        known = event.call in self._waits.calls or event.call in self._offers.talks
        if agent is None or agent.gone or known or FOUND not in TABLE[agent.state]:
            return False
        self._offers.found(event.offer, self._waits.of_a_talk(event.call, event.queue), agent)
        return True

    def _connect(self, offer: Offer) -> None:
        self._offers.connected(offer)
        self._waits.leave(offer.call)
