"""A simulated day in the records that the shell would write of it, so that whoever reads the one can read the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acd.model import (
    AgentId,
    CallAbandoned,
    CallConnected,
    CallId,
    CallLeft,
    CallQueued,
    Decision,
    EndWait,
    Event,
    Millis,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferId,
    OfferNotAnswered,
    QueueName,
    TalkEnded,
    TimePassed,
)
from acd.records import Entry, entry

OfOffer = OfferAnswered | OfferDeclined | OfferNotAnswered | CallConnected | TalkEnded

_ARRIVED = {"caller": "", "caller_name": "", "dialled": "", "flow": "", "version": 0}


class Chronicle:
    """Turns events and decisions into records and gives each to `observe` with its time."""

    def __init__(self, observe: Callable[[Millis, Entry], None]) -> None:
        self._observe = observe
        self._offers: dict[OfferId, tuple[CallId, QueueName, AgentId]] = {}
        self._since: dict[CallId, Millis] = {}  # the entry into the first queue, then the beginning of the talk

    def take(self, now: Millis, event: Event, decisions: Sequence[Decision]) -> None:
        """What happened, then what was decided because of it, then what has ended by it."""
        match event:
            case TimePassed():
                pass
            case CallQueued(call=call):
                self._since[call] = now
                self._observe(now, ("CallArrived", call, _ARRIVED))
                self._observe(now, entry(event))
            case OfferAnswered() | OfferDeclined() | OfferNotAnswered() | CallConnected() | TalkEnded():
                self._observe(now, self._of_offer(event, now))
            case _:
                self._observe(now, entry(event))
        for decision in decisions:
            if isinstance(decision, OfferCall):
                self._offers[decision.offer] = (decision.call, decision.queue, decision.agent)
            self._observe(now, entry(decision))
        self._end(now, event)
        for decision in decisions:
            if isinstance(decision, EndWait):
                self._end(now, decision)

    def _of_offer(self, event: OfOffer, now: Millis) -> Entry:
        type, _, plain = entry(event)
        call, queue, agent = self._offers[event.offer]
        facts: dict[str, object] = {**plain, "queue": queue, "agent": agent}
        match event:
            case CallConnected():
                facts["waited"] = now - self._since[call]
                self._since[call] = now
            case TalkEnded():
                facts["talked"] = now - self._since[call]
        return type, call, facts

    def _end(self, now: Millis, fact: Event | EndWait) -> None:
        match fact:
            case CallAbandoned(call=call):
                self._ended(now, call, "caller left")
            case CallLeft(call=call) | EndWait(call=call):
                self._ended(now, call, "flow ended")
            case TalkEnded(offer=offer):
                self._ended(now, self._offers.pop(offer)[0], "flow ended")

    def _ended(self, now: Millis, call: CallId, outcome: str) -> None:
        del self._since[call]
        self._observe(now, ("CallEnded", call, {"cause": "normal", "outcome": outcome}))
