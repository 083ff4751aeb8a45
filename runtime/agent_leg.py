"""One offer on its way to one agent: ring, whisper, wait to be joined, talk. One greenlet each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from acd.model import (
    Agent,
    ConnectFailed,
    Event,
    OfferAnswered,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    TalkEnded,
)
from ivr.services import CannotSpeak, QueueRequest
from switch.port import (
    Call,
    CallEnded,
    CallId,
    CannotPlay,
    Cause,
    Media,
    NotAnswered,
    Notice,
    OutboundCall,
    Parted,
    Switch,
    SwitchLost,
)
from switch.shared.clock import Millis

log = structlog.get_logger(__name__)

DECLINED = {Cause.BUSY, Cause.REJECTED}


@dataclass(frozen=True, slots=True)
class Offered:
    """What an agent is offered: who calls, from which queue, and how long to ring."""

    offer: str
    call: str
    queue: str
    agent: Agent
    ring_for: float
    request: QueueRequest


@dataclass(frozen=True, slots=True)
class Withdrawn(Notice):
    """The offer is void: stop ringing or whispering, hang up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Talking(Notice):
    """Caller and agent were joined."""


class AgentLeg:
    """The mailbox of an offer, usable before the agent's phone rings."""

    def __init__(self, offered: Offered) -> None:
        self.offered = offered
        self.call: Call | None = None
        self.connected_at: Millis | None = None
        self._early: list[Notice] = []

    def post(self, notice: Notice) -> None:
        if self.call is None:
            self._early.append(notice)
        else:
            self.call.post(notice)

    def dialled(self, call: OutboundCall) -> None:
        self.call = call
        for notice in self._early:
            call.post(notice)


class AgentDialler:
    """Rings agents over a switch.

    `whisper` gives what the agent hears before the join; its failure costs the whisper, not the call.
    """

    def __init__(self, switch: Switch, whisper: Callable[[Offered], Sequence[Media]]) -> None:
        self._switch = switch
        self._whisper = whisper

    def __call__(self, leg: AgentLeg, report: Callable[[Event], None]) -> None:
        offered = leg.offered
        try:
            call = self._switch.dial(
                offered.agent.phone,
                call_id=CallId(str(uuid.uuid4())),
                caller=offered.request.caller.number,
                caller_name=offered.request.caller.name,
                ring_for=offered.ring_for,
            )
        except SwitchLost:
            report(OfferFailed(offered.offer, Cause.SWITCH_LOST.value))
            return
        leg.dialled(call)
        try:
            report_end = self._accept(offered, call, report)
            if report_end is not None:
                report(report_end)
        finally:
            call.hang_up()

    def _accept(self, offered: Offered, call: OutboundCall, report: Callable[[Event], None]) -> Event | None:
        """Rings and whispers; returns how it ended, None when it was withdrawn."""
        whisper = self._prepared(offered)
        try:
            if call.answered() is not None:
                return None
        except NotAnswered as refused:
            return _not_answered(offered.offer, refused.cause)
        try:
            if call.play(whisper) is not None:
                return None
        except CallEnded:
            return OfferDeclined(offered.offer, "hung up before the caller came")
        except CannotPlay:
            log.exception("agent leg: the whisper could not be played")
        report(OfferAnswered(offered.offer))
        return self._talk(offered, call)

    def _talk(self, offered: Offered, call: OutboundCall) -> Event | None:
        joined = False
        try:
            while True:
                match call.wait(None):
                    case Withdrawn():
                        return None
                    case Talking():
                        joined = True
                    case Parted():
                        return TalkEnded(offered.offer)
        except CallEnded:
            return TalkEnded(offered.offer) if joined else ConnectFailed(offered.offer)

    def _prepared(self, offered: Offered) -> Sequence[Media]:
        try:
            return self._whisper(offered)
        except CannotSpeak:
            log.exception("agent leg: no whisper, it could not be spoken")
            return ()


def _not_answered(offer: str, cause: Cause) -> Event:
    if cause is Cause.NO_ANSWER:
        return OfferNotAnswered(offer)
    if cause in DECLINED:
        return OfferDeclined(offer, cause.value)
    return OfferFailed(offer, cause.value)
