"""Offers from the first ring to the end of the talk, and what they do to agents."""

from __future__ import annotations

from typing import Literal

from acd.agents import (
    BE_NOT_READY,
    BENCH,
    CONNECT,
    FOUND,
    LOG_OFF,
    LOGGED_OFF,
    NOT_READY,
    OFFER,
    READY,
    RELEASE,
    TALK_END,
    WORKING_AFTER_CALL,
    WRAP_UP_END,
    Input,
    LiveAgent,
)
from acd.board import Board
from acd.calls import CONNECTING, RINGING, TALKING, Offer, Stage, WaitingCall
from acd.model import AgentState, CallId, Connect, Millis, OfferCall, OfferId, WithdrawOffer

Withdrawal = Literal["caller gone", "no answer", "agent left", "queue gone", "answered elsewhere"]


class Offers:
    """Every offer ends exactly once: in a talk, by the agent's side, withdrawn, or by its deadline.

    What is said about an offer that ended, or that does not fit its stage, finds nothing here.
    """

    __slots__ = ("_board", "_made", "_offers", "_seed", "talks")

    def __init__(self, board: Board, seed: int) -> None:
        self._board = board
        self._seed = seed
        self._made = 0
        self._offers: dict[OfferId, Offer] = {}
        self.talks: dict[CallId, Offer] = {}

    def known(self, offer: OfferId, *stages: Stage) -> Offer | None:
        """The offer of that id while it is in one of the stages."""
        found = self._offers.get(offer)
        return found if found and found.stage in stages else None

    # --- the caller's side

    def ring(self, call: WaitingCall, agent: LiveAgent) -> None:
        board, rule = self._board, call.queue.rule
        self._made += 1
        offer = Offer(f"{self._seed}-{self._made}", call, agent, board.now)
        self._offers[offer.id] = offer
        board.turn(agent, OFFER)
        agent.offer, agent.call, agent.last_offered = offer, call.id, board.now
        if not call.offers:
            call.ringing_since = board.now
        call.offers += (offer,)
        call.queue.take_turn(agent)
        board.deadlines.set(offer, board.now + rule.ring_for + rule.answer_within)
        board.show(agent)
        board.out.append(OfferCall(offer.id, call.id, rule.name, agent.rule.id, rule.ring_for))

    def withdraw(self, offer: Offer, reason: Withdrawal) -> None:
        """Takes an offer back without blame; the call is to be looked at by whoever withdraws."""
        self._drop(offer)
        if reason != "agent left":
            offer.queue.give_turn_back(offer.agent)
        self._board.out.append(WithdrawOffer(offer.id, offer.agent.rule.id, reason))
        self._release(offer.agent, RELEASE)

    def withdraw_all(self, call: WaitingCall, reason: Withdrawal) -> None:
        for offer in call.offers:
            self.withdraw(offer, reason)

    # --- the agent's side

    def answered(self, offer: Offer) -> None:
        """The first to answer has the call; the other phones stop ringing."""
        board, call = self._board, offer.call
        offer.stage = CONNECTING
        call.connecting = offer
        board.deadlines.set(offer, board.now + offer.queue.rule.connect_within)
        board.out.append(Connect(offer.id, call.id, offer.agent.rule.id))
        for other in call.offers:
            if other is not offer:
                self.withdraw(other, "answered elsewhere")
        if call.standing is not None:
            board.look_at(call)  # its queue rings several phones: no further one now

    def refused(self, offer: Offer, cause: str) -> None:
        """Declined, busy, unreachable: the call keeps its place, and this agent is not rung again at once."""
        rule = offer.queue.rule
        self._fail(offer, cause, hold=rule.busy_delay if cause == "busy" else rule.reject_delay)

    def rang_out(self, offer: Offer) -> None:
        agent, rule = offer.agent, offer.queue.rule
        agent.no_answers += 1
        bench = 0 < rule.no_answer_limit <= agent.no_answers
        self._fail(offer, "no answer", hold=rule.no_answer_delay, bench=bench)

    def overdue(self, offer: Offer) -> None:
        """The deadline came and nobody had told how the offer ended."""
        self._board.out.append(WithdrawOffer(offer.id, offer.agent.rule.id, "no answer"))
        if offer.stage is RINGING:
            self.rang_out(offer)
        else:
            self.refused(offer, "not connected")

    def connected(self, offer: Offer) -> None:
        """The wait is over. The call is in its queue no more."""
        board, call, agent = self._board, offer.call, offer.agent
        offer.stage = TALKING
        offer.connected_at = board.now
        board.deadlines.set(offer, None)
        call.queue.pace.waited(board.now - call.entered, abandoned=False)
        if call.expected:
            at, expected = call.expected
            call.line.drift.observe(expected, (board.now - at) / 1000)
        self.talks[call.id] = offer
        agent.no_answers = 0
        agent.calls += 1
        board.turn(agent, CONNECT)
        board.show(agent)

    def found(self, id_: OfferId, call: WaitingCall, agent: LiveAgent) -> None:
        """A talk of the life before this one goes on. An agent who was not Ready is not Ready after it either."""
        board, before, reason = self._board, agent.state, agent.reason
        offer = Offer(id_, call, agent, board.now)
        offer.stage = TALKING
        call.offers = (offer,)
        self._offers[id_] = self.talks[call.id] = offer
        board.deadlines.set(agent, None)
        agent.held = False
        board.turn(agent, FOUND)
        agent.offer, agent.call = offer, call.id
        if before is NOT_READY:
            agent.pending = (BE_NOT_READY, reason)
        elif before is LOGGED_OFF:
            agent.pending = (LOG_OFF, "")
        board.show(agent)

    def talk_ended(self, offer: Offer) -> None:
        board, agent = self._board, offer.agent
        del self.talks[offer.call.id]
        self._drop(offer)
        agent.talk_ended = board.now
        agent.talk_time += board.now - offer.connected_at
        agent.last_talk = offer
        wrap_up = offer.queue.rule.wrap_up if agent.rule.wrap_up is None else agent.rule.wrap_up
        if wrap_up <= 0 and not agent.pending:
            board.turn(agent, TALK_END)
            self.end_wrap_up(agent)
            return
        self._release(agent, TALK_END)
        if agent.state is WORKING_AFTER_CALL:
            board.deadlines.set(agent, board.now + wrap_up)
        else:
            self._wrapped_up(agent)

    # --- the agent itself

    def follow(self, agent: LiveAgent, input_: Input, reason: str) -> None:
        """What an agent asks for. While a phone rings, leaving takes the offer back; during a talk it waits."""
        board, before = self._board, agent.state
        moved = board.turn(agent, input_, reason)
        offer = agent.offer
        if offer:
            if agent.pending and offer.stage is RINGING:
                self.withdraw(offer, "agent left")
                board.look_at(offer.call)
            return
        board.deadlines.set(agent, None)
        if agent.held:
            agent.held = False
            board.agents[agent] = None
        match before:
            case AgentState.LOGGED_OFF:
                agent.begin_shift(board.now)
            case AgentState.NOT_READY:
                agent.no_answers = 0
            case AgentState.WORKING_AFTER_CALL:
                self._wrapped_up(agent)
        if moved:
            board.show(agent)

    def end_wrap_up(self, agent: LiveAgent) -> None:
        self._wrapped_up(agent)
        self._board.turn(agent, WRAP_UP_END)
        self._board.show(agent)

    # --- how offers end

    def _fail(self, offer: Offer, reason: str, *, hold: Millis, bench: bool = False) -> None:
        self._drop(offer)
        offer.call.awaited = None
        if offer.agent.rule.id == offer.call.last_agent:
            offer.call.last_agent = ""
        spared = bench or hold > 0
        self._release(offer.agent, BENCH if bench else RELEASE, reason if spared else "", hold)
        self._board.look_at(offer.call)

    def _drop(self, offer: Offer) -> None:
        """The offer is over: whatever is still said about it is ignored from now on."""
        del self._offers[offer.id]
        self._board.deadlines.set(offer, None)
        call, agent = offer.call, offer.agent
        call.offers = tuple([other for other in call.offers if other is not offer])
        if call.connecting is offer:
            call.connecting = None
        agent.offer, agent.call = None, ""

    def _release(self, agent: LiveAgent, input_: Input, reason: str = "", hold: Millis = 0) -> None:
        """The agent has no call any more; what it asked for meanwhile is followed now."""
        board = self._board
        board.turn(agent, input_, reason)
        pending, agent.pending = agent.pending, None
        if pending:
            board.turn(agent, *pending)
        board.show(agent)
        if agent.state is READY and hold > 0:
            agent.held = True
            board.deadlines.set(agent, board.now + hold)

    def _wrapped_up(self, agent: LiveAgent) -> None:
        talk = agent.last_talk
        if talk:
            talk.queue.pace.handled(self._board.now - talk.offered_at)
            agent.last_talk = None
