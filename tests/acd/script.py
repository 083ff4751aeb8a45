"""A way to write ACD tests as what goes in and what comes out, at which second."""

from __future__ import annotations

from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOn,
    CallConnected,
    CallQueued,
    Connect,
    Decision,
    Event,
    OfferAnswered,
    OfferCall,
    QueueRule,
    ShowAgentState,
    TalkEnded,
    TimePassed,
)


class Script:
    """An engine, and the seconds that pass around it. Every decision is kept in `said`."""

    def __init__(self, *queues: QueueRule, seed: int = 0) -> None:
        self.acd = Acd(queues, seed=seed)
        self.now = 0
        self.said: list[tuple[int, Decision]] = []

    def tell(self, event: Event, *, at: float | None = None) -> list[Decision]:
        """The decisions that follow from an event, `at` seconds; deadlines before it come first, each at its time."""
        if at is not None:
            self.until(at)
        return self._handle(event)

    def until(self, at: float) -> list[Decision]:
        """Lets time pass to `at` seconds, as the shell does: TimePassed at every deadline."""
        end, out = round(at * 1000), []
        assert end >= self.now, "a script only goes forward"
        while (due := self.acd.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            out += self._handle(TimePassed())
            after = self.acd.next_deadline()
            assert after is None or after > self.now, "time passing always moves the deadline"
        self.now = end
        return out

    def _handle(self, event: Event) -> list[Decision]:
        out = self.acd.handle(event, self.now)
        self.said += [(self.now, decision) for decision in out]
        return out

    # --- what tests say often

    def agent(self, id: str, *queues: str, skills: dict[str, int] | None = None, **facts: object) -> None:
        """An agent who is there and Ready."""
        self.tell(AgentChanged(Agent(id, queues=queues or ("service",), skills=skills or {}, **facts)))
        self.tell(AgentLoggedOn(id))
        self.tell(AgentBecameReady(id))

    def call(self, id: str, queue: str = "service", *, at: float | None = None, **facts: object) -> list[Decision]:
        return self.tell(CallQueued(id, queue, **facts), at=at)

    def accept(self, offer: OfferCall) -> None:
        """The agent answers and the two talk."""
        assert Connect(offer.offer, offer.call, offer.agent) in self.tell(OfferAnswered(offer.offer))
        self.tell(CallConnected(offer.offer))

    def serve(self, offer: OfferCall, *, talk: float) -> list[Decision]:
        """Accepts an offer and ends the talk after so many seconds."""
        self.accept(offer)
        self.until(self.now / 1000 + talk)
        return self.tell(TalkEnded(offer.offer))

    def state(self, agent: str) -> str:
        """``Ready``, or ``NotReady (no answer)``."""
        view = next(view for view in self.acd.agents() if view.id == agent)
        return f"{view.state} ({view.reason})" if view.reason else str(view.state)

    def waiting(self, queue: str = "service") -> list[str]:
        return next(list(view.waiting) for view in self.acd.queues() if view.name == queue)


def offers(decisions: list[Decision]) -> list[OfferCall]:
    return [decision for decision in decisions if isinstance(decision, OfferCall)]


def only_offer(decisions: list[Decision]) -> OfferCall:
    (offer,) = offers(decisions)
    return offer


def rung(decisions: list[Decision]) -> list[tuple[str, str]]:
    """Who was rung for whom: ``[("c1", "1001")]``."""
    return [(offer.call, offer.agent) for offer in offers(decisions)]


def besides_states(decisions: list[Decision]) -> list[Decision]:
    """What is left when the changes of agents' states are put aside."""
    return [decision for decision in decisions if not isinstance(decision, ShowAgentState)]
