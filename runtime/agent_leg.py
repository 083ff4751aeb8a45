"""One offer on its way to one agent: ring, whisper, wait to be joined, talk. One greenlet each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gevent
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
from ivr.services import CallerFacts, CannotSpeak, QueueRequest
from runtime.standing import OpenOffer
from switch.port import (
    UNKNOWN_END,
    Call,
    CallEnded,
    CallId,
    CannotPlay,
    Cause,
    Key,
    Media,
    NoSuchCall,
    NotAnswered,
    Notice,
    OutboundCall,
    Parted,
    Switch,
    SwitchLost,
    telephone,
)
from switch.shared.clock import Clock, Millis
from switch.shared.mailbox import Mailbox

log = structlog.get_logger(__name__)

DECLINED = {Cause.BUSY, Cause.REJECTED}
ACCEPT, REFUSE, END_TALK = "1", "2", "*"
ANSWERS = frozenset({ACCEPT, REFUSE})
ASK_TIMES = 2
ASK_WAIT: Millis = 4_000  # after the words, before they are said again
LET_GO_WITHIN = 5.0  # seconds in which an offer that is over lets go of its telephone

Report = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Offered:
    """What an agent is offered: who calls, from which queue, and how long to ring."""

    offer: str
    call: str
    queue: str
    agent: Agent
    ring_for: float
    request: QueueRequest
    whisper: bool = True  # whether the agent hears who calls


@dataclass(frozen=True, slots=True)
class Withdrawn(Notice):
    """The offer is void: stop ringing or whispering, hang up."""

    offer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Talking(Notice):
    """Caller and agent were joined."""

    offer: str


class LegLost(Exception):
    """The connection of an agent's leg broke while it was joined, or about to be: on the switch it may talk on."""


class AgentLeg:
    """The mailbox of an offer, usable before the agent's phone rings. `id` is that of the leg, once there is one."""

    def __init__(self, offered: Offered) -> None:
        self.offered = offered
        self.id: CallId | None = None
        self.call: Call | None = None
        self.connected_at: Millis | None = None
        self.accepted = False  # by the agent: a telephone that was only picked up may be anybody
        self._early: list[Notice] = []

    def post(self, notice: Notice) -> None:
        if self.call is None:
            self._early.append(notice)
        else:
            self.call.post(notice)

    def dialled(self, call: OutboundCall) -> None:
        self.id, self.call = call.id, call
        for notice in self._early:
            call.post(notice)


def found(offer: str, talk: OpenOffer, agent: Agent | None) -> AgentLeg:
    """The leg of an offer of the life before."""
    request = QueueRequest(talk.queue, 0, (), {}, "", CallerFacts())
    leg = AgentLeg(Offered(offer, talk.call, talk.queue, agent or Agent(talk.agent), 0.0, request))
    if talk.stage == "talking":
        leg.connected_at = talk.since
    return leg


class AgentDialler:
    """Rings agents over a switch; the leg of an agent whose phone stays off hook is kept for its next call.

    Where a leg's connection breaks in a talk, what it does raises LegLost and has reported no end.

    `whisper` gives what the agent hears before the join, `ask` the words that tell how to accept; the failure
    of either costs the words, not the call.
    """

    def __init__(
        self,
        switch: Switch,
        clock: Clock,
        *,
        whisper: Callable[[Offered], Sequence[Media]],
        ask: Callable[[Offered], Sequence[Media]],
    ) -> None:
        self._switch = switch
        self._clock = clock
        self._whisper = whisper
        self._ask = ask
        self._lines: dict[str, PermanentLine] = {}

    def __call__(self, leg: AgentLeg, report: Report) -> None:
        if leg.offered.agent.permanent:
            self._over_a_permanent_line(leg, report)
        elif call := self._dial(leg, report):
            try:
                _tell(self._ring(leg, call, report), report)
            finally:
                _let_go(call)

    def gone(self, agent: str) -> None:
        """The agent has logged off: its phone need not stay off hook."""
        if line := self._lines.get(agent):
            line.drop()

    # --- a phone that stays off hook

    def _over_a_permanent_line(self, leg: AgentLeg, report: Report) -> None:
        line = self._lines.setdefault(leg.offered.agent.id, PermanentLine(self._clock))
        with line.turn() as taken:
            if not taken:
                report(OfferFailed(leg.offered.offer, "the line is in use"))
            elif call := line.take(leg.offered.agent.phone):
                leg.dialled(call)
                leg.accepted = True
                words = self._who_calls(leg.offered)
                self._serve(line, leg, call, lambda: self._whisper_and_talk(leg, call, words, report), report)
            elif dialled := self._dial(leg, report):
                self._serve(line, leg, dialled, lambda: self._ring(leg, dialled, report), report)

    def _serve(
        self,
        line: PermanentLine,
        leg: AgentLeg,
        call: OutboundCall,
        offer: Callable[[], Event | None],
        report: Report,
    ) -> None:
        """Makes the offer over this leg, and keeps the leg where the agent has ever accepted on it."""
        try:
            end = offer()
        except BaseException:
            call.hang_up()
            raise
        if leg.accepted:
            line.keep(call)
        else:
            _let_go(call)
        _tell(end, report)

    # --- one offer

    def _dial(self, leg: AgentLeg, report: Report) -> OutboundCall | None:
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
            return None
        leg.dialled(call)
        return call

    def watch(self, leg: AgentLeg, on: CallId, report: Report) -> None:
        """Watches a talk that we had lost sight of, on that leg, and reports its end."""
        offer, leg.id = leg.offered.offer, on
        try:
            call = self._switch.adopt(on)
        except NoSuchCall:
            report(TalkEnded(offer))
            return
        except SwitchLost as lost:
            raise LegLost from lost
        leg.call = call
        try:
            ended = self._talk(leg.offered, call, joined=True) if call.was_joined else None  # it was over before
            report(ended or TalkEnded(offer))
        finally:
            call.hang_up()

    def _ring(self, leg: AgentLeg, call: OutboundCall, report: Report) -> Event | None:
        """Rings, whispers and talks; returns how it ended, None when it was withdrawn."""
        offered, elsewhere = leg.offered, telephone(leg.offered.agent.phone) is not None
        words = [*self._who_calls(offered)]  # while it rings
        if elsewhere:
            words += self._prepared(self._ask, offered)
        try:
            if call.answered() is not None:
                return None
        except NotAnswered as refused:
            return _not_answered(offered.offer, refused.cause)
        if elsewhere:
            return self._ask_and_talk(leg, call, words, report)
        leg.accepted = True
        return self._whisper_and_talk(leg, call, words, report)

    def _whisper_and_talk(
        self, leg: AgentLeg, call: OutboundCall, words: Sequence[Media], report: Report
    ) -> Event | None:
        try:
            if call.play(words) is not None:
                return None
        except CallEnded as ended:
            return _gone_early(OfferDeclined(leg.offered.offer, "hung up before the caller came"), ended.cause)
        except CannotPlay:
            log.exception("agent leg: the whisper could not be played")
        report(OfferAnswered(leg.offered.offer))
        return self._talk(leg.offered, call)

    def _ask_and_talk(self, leg: AgentLeg, call: OutboundCall, words: Sequence[Media], report: Report) -> Event | None:
        """Whoever answers a telephone somewhere is the agent only with the key to accept: voicemail presses none."""
        offered = leg.offered
        try:
            for _ in range(ASK_TIMES):
                match self._answer(call, words):
                    case Key(digit=digit) if digit == ACCEPT:
                        leg.accepted = True
                        report(OfferAnswered(offered.offer))
                        return self._talk(offered, call)
                    case Key():
                        return OfferDeclined(offered.offer, Cause.REJECTED.value)
                    case Notice():
                        return None
        except CallEnded as ended:
            return _gone_early(OfferNotAnswered(offered.offer), ended.cause)
        return OfferNotAnswered(offered.offer)

    def _answer(self, call: OutboundCall, words: Sequence[Media]) -> Key | Notice | Parted | None:
        """The key that accepts or declines, a withdrawal, or None when neither came in time."""
        try:
            call.play(words, stop_on=ANSWERS)
        except CannotPlay:
            log.exception("agent leg: the question whether to accept could not be played")
        until = self._clock.now() + ASK_WAIT
        while (left := until - self._clock.now()) > 0:
            item = call.wait(left / 1000)
            if not isinstance(item, Key) or item.digit in ANSWERS:
                return item
        return None

    def _talk(self, offered: Offered, call: Call, *, joined: bool = False) -> Event | None:
        try:
            while True:
                match call.wait(None):
                    case Withdrawn(offer=offer) if offer == offered.offer:
                        return None
                    case Talking(offer=offer) if offer == offered.offer:
                        joined = True
                    case Key(digit=digit) if digit == END_TALK and joined and offered.agent.permanent:
                        call.part()
                    case Parted():
                        return TalkEnded(offered.offer)
        except CallEnded as ended:
            if ended.cause in UNKNOWN_END:
                raise LegLost from ended
            return TalkEnded(offered.offer) if joined else ConnectFailed(offered.offer)

    def _who_calls(self, offered: Offered) -> Sequence[Media]:
        return self._prepared(self._whisper, offered) if offered.whisper else ()

    def _prepared(self, words: Callable[[Offered], Sequence[Media]], offered: Offered) -> Sequence[Media]:
        try:
            return words(offered)
        except CannotSpeak:
            log.exception("agent leg: something could not be spoken")
            return ()


class PermanentLine:
    """The leg of an agent whose phone stays off hook: one offer at a time has it, and leaves it for the next.

    It is dialled with the first offer, and again with the next one after the agent has hung up.
    """

    def __init__(self, clock: Clock) -> None:
        self._call: OutboundCall | None = None
        self._wanted = True
        self._free: Mailbox[bool] = Mailbox(clock)
        self._free.put(True)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Waits until the offer before has let go of the line; False when it did not in time."""
        taken = self._free.get(LET_GO_WITHIN) is not None
        self._wanted = True
        try:
            yield taken
        finally:
            if taken:
                self._free.put(True)
                if not self._wanted:
                    self.drop()

    def take(self, phone: str) -> OutboundCall | None:
        """The leg, where the agent has neither hung up nor another phone now.

        What was posted to it for an offer that is over is dropped.
        """
        call, self._call = self._call, None
        if call is not None and call.dialled != phone:
            call.hang_up()
            return None
        try:
            while call is not None and call.wait(0) is not None:
                continue
        except CallEnded:
            return None
        return call

    def keep(self, call: OutboundCall) -> None:
        self._call = call

    def drop(self) -> None:
        """Hangs up, as soon as nobody talks any more. Does not wait for the switch: this may be who offers calls."""
        self._wanted = False
        if len(self._free) and self._call is not None:
            gevent.spawn(self._call.hang_up)
            self._call = None


def _let_go(call: OutboundCall) -> None:
    """Hangs up, and waits until the telephone can ring for the next caller."""
    call.hang_up()
    call.await_gone(LET_GO_WITHIN)


def _tell(end: Event | None, report: Report) -> None:
    if end is not None:
        report(end)


def _gone_early(said: OfferDeclined | OfferNotAnswered, cause: Cause) -> Event:
    """What whoever answered says by hanging up; nothing where the end is unknown."""
    return OfferFailed(said.offer, cause.value) if cause in UNKNOWN_END else said


def _not_answered(offer: str, cause: Cause) -> Event:
    if cause is Cause.NO_ANSWER:
        return OfferNotAnswered(offer)
    if cause in DECLINED:
        return OfferDeclined(offer, cause.value)
    return OfferFailed(offer, cause.value)
