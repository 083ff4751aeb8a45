"""The offers under way: whose telephone rings for whom, who talks, and what the journal is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import gevent
import structlog

from acd.model import (
    Agent,
    CallConnected,
    ConnectFailed,
    Event,
    OfferAnswered,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    TalkEnded,
    TalkFound,
)
from acd.records import Entry, entry
from journal.writer import Journal
from runtime.agent_leg import LET_GO_WITHIN, AgentLeg, LegLost, Offered, Report, Talking, Withdrawn, found
from runtime.standing import OpenOffer
from switch.port import CallId
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

OfferEvent = OfferAnswered | OfferDeclined | OfferNotAnswered | OfferFailed | CallConnected | ConnectFailed | TalkEnded
OVER = (OfferDeclined, OfferNotAnswered, OfferFailed, ConnectFailed, TalkEnded)


class Dialler(Protocol):
    """Rings an agent for an offer; what becomes of it is told to `report`. Raises LegLost where nobody knows."""

    def __call__(self, leg: AgentLeg, report: Report) -> None: ...

    def watch(self, leg: AgentLeg, on: CallId, report: Report) -> None:
        """Watches a talk that we had lost sight of until it ends."""
        ...


@dataclass(frozen=True, slots=True)
class Detached:
    """An agent's leg that is out of our hands, and since when."""

    leg: CallId
    since: Millis


class OffersUnderWay:
    """Each with its agent's leg, which has a greenlet of its own. What happens to them is told to `report`."""

    def __init__(self, *, dial: Dialler, report: Report, journal: Journal, clock: Clock) -> None:
        self._dial = dial
        self._report = report
        self._journal = journal
        self._clock = clock
        self._legs: dict[str, AgentLeg] = {}
        self._at_phone: dict[str, gevent.Greenlet[..., None]] = {}  # the last offer to each agent
        self.detached: dict[str, Detached] = {}  # those whose leg's connection broke in a talk
        self.on_detached: Callable[[], None] = lambda: None

    def __contains__(self, offer: object) -> bool:
        return offer in self._legs

    def get(self, offer: str) -> AgentLeg | None:
        return self._legs.get(offer)

    # --- in their course

    def ring(self, offered: Offered) -> None:
        leg = self._legs[offered.offer] = AgentLeg(offered)
        agent = offered.agent.id
        self._at_phone[agent] = gevent.spawn(self._run, leg, self._at_phone.get(agent))

    def withdraw(self, offer: str, reason: str) -> None:
        if leg := self._forget(offer):
            leg.post(Withdrawn(offer, reason))

    def told(self, event: Event) -> None:
        """Something happened, and stands in the journal."""
        if isinstance(event, CallConnected) and event.offer in self._legs:
            self._legs[event.offer].post(Talking(event.offer))
        if isinstance(event, OVER):
            leg = self._forget(event.offer)
            if leg and isinstance(event, ConnectFailed):  # whoever of the two was gone: the agent talks with nobody
                leg.post(Withdrawn(event.offer, "not joined"))

    def record(self, event: OfferEvent, now: Millis, entered: Callable[[str], Millis | None]) -> Entry:
        """What happened to an offer, with whose call and agent it was, and how long they waited and talked.

        `entered` says since when a call has waited, None where it waits no more.
        """
        type, _, plain = entry(event)
        leg = self._legs.get(event.offer)
        if leg is None:
            return type, "", plain
        offered = leg.offered
        facts: dict[str, object] = {**plain, "queue": offered.queue, "agent": offered.agent.id}
        match event:
            case CallConnected():
                leg.connected_at = now
                if (since := entered(offered.call)) is not None:
                    facts["waited"] = now - since
            case TalkEnded() if leg.connected_at is not None:
                facts["talked"] = now - leg.connected_at
        return type, offered.call, facts

    def _run(self, leg: AgentLeg, before: gevent.Greenlet[..., None] | None) -> None:
        """Makes an offer as soon as the one before has let go of the phone, which may take one call at a time."""
        if before is not None:
            before.join(LET_GO_WITHIN)
        if leg.offered.offer not in self._legs:
            return  # withdrawn meanwhile: nothing need ring
        try:
            self._dial(leg, self._report)
        except LegLost:
            self._detach(leg)
        except Exception:
            log.exception("acd: an offer broke off", offer=leg.offered.offer)
            self._report(OfferFailed(leg.offered.offer, "broke off"))

    def _forget(self, offer: str) -> AgentLeg | None:
        self.detached.pop(offer, None)
        return self._legs.pop(offer, None)

    # --- those that were lost sight of

    def _detach(self, leg: AgentLeg) -> None:
        """The agent is Busy until the switch has said what became of its leg."""
        offer = leg.offered.offer
        if leg.id is not None and offer in self._legs:
            self.detached[offer] = Detached(leg.id, self._clock.now())
            self.on_detached()

    def gone(self, offer: str) -> None:
        """The leg of a detached offer is not on the switch, or talks with nobody."""
        self.detached.pop(offer, None)
        if leg := self._legs.get(offer):
            self._report(ConnectFailed(offer) if leg.connected_at is None else TalkEnded(offer))

    def take_over(self, talks: Mapping[str, OpenOffer], agents: Mapping[str, Agent]) -> None:
        for offer, talk in talks.items():
            self._legs[offer] = found(offer, talk, agents.get(talk.agent))

    def watch(self, offer: str, on: CallId) -> None:
        """The two of this offer talk on, the agent on that leg: watches them to the end."""
        leg = self._legs[offer]
        self.detached.pop(offer, None)
        if leg.connected_at is None:  # the life before did not live to see it
            leg.connected_at = self._clock.now()
            self._report(TalkFound(offer, leg.offered.call, leg.offered.queue, leg.offered.agent.id))
        self._at_phone[leg.offered.agent.id] = gevent.spawn(self._watch, leg, on)

    def _watch(self, leg: AgentLeg, on: CallId) -> None:
        try:
            self._dial.watch(leg, on, self._report)
        except LegLost:
            self._detach(leg)
        except Exception:
            log.exception("acd: a talk cannot be watched", offer=leg.offered.offer)
            self._report(TalkEnded(leg.offered.offer))

    def over(self, offer: str) -> None:
        """The talk of the life before was over before anybody looked; of one that had not begun nothing is left."""
        leg = self._legs[offer]
        if leg.connected_at is not None:
            self._report(TalkEnded(offer))
            return
        del self._legs[offer]
        withdrawn = {"offer": offer, "agent": leg.offered.agent.id, "reason": "restart"}
        self._journal.append("WithdrawOffer", leg.offered.call, **withdrawn)
