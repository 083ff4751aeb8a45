"""The one greenlet that owns the ACD's state: events in, decisions journaled, then carried out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent
import structlog
from gevent.event import Event as Signal

from acd.engine import Acd
from acd.forecast import band
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    AgentView,
    Announce,
    AskToStay,
    CallAbandoned,
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
    OfferCall,
    QueueRule,
    QueuesChanged,
    QueueView,
    ShowAgentState,
    TalkEnded,
    TimePassed,
    WithdrawOffer,
    WrapUpExtended,
)
from acd.records import Entry, entry
from acd.routing.sticky import Sticky
from ivr.services import (
    AgentReady,
    AnnouncementDue,
    HoursState,
    PromptDue,
    QueueOver,
    QueueRequest,
    TalkRecording,
)
from journal.writer import Journal
from runtime.agent_leg import Offered
from runtime.gate import Gate
from runtime.offers import Detached, Dialler, OfferEvent, OffersUnderWay
from runtime.places import Left, QueuedPlace
from runtime.queue_hours import CalendarsOfQueues
from runtime.standing import AgentStood, OpenOffer, Waited
from switch.port import Call, CallId
from switch.shared.clock import Clock, Millis
from switch.shared.mailbox import Mailbox

log = structlog.get_logger(__name__)

INBOX_LIMIT = 100_000
ASK_SECONDS = 5.0
SAID_AGAIN = (AgentLoggedOn, TalkEnded, CallLeft)  # by who is there already, and by both sides of a talk at its end
AFTER_AN_ERROR_SECONDS = 0.1  # a deadline that cannot be handled stays due, and must not hold the hub


@dataclass(slots=True)
class _Asked:
    """An event, and somebody who waits for what is decided, and for whether that call waits on."""

    event: Event
    call: str = ""
    waits: bool = True
    handled: Signal = field(default_factory=Signal)
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Then:
    """In the inbox: what happened in the life before, at its own time. It stands in the journal already."""

    at: Millis
    event: Event


@dataclass(frozen=True, slots=True)
class _Now:
    """In the inbox behind the life before, with what the journal says that agents were at its end."""

    stood: Mapping[str, AgentStood]
    handled: Signal = field(default_factory=Signal)


class AcdLoop:
    """Carries events to the engine one by one and its decisions out to calls and agents' phones.

    Nothing else touches the engine. Every method may be called from any greenlet and returns at once; only those that
    ask for an answer wait for it, for a few seconds at most.
    """

    def __init__(
        self,
        engine: Acd,
        *,
        clock: Clock,
        journal: Journal,
        dial: Dialler,
        on_agent_state: Callable[[ShowAgentState], None] = lambda _: None,
        last_agent: Callable[[str], str] = lambda _: "",
        hours: Callable[[str], HoursState] = lambda _: "open",
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._journal = journal
        self._on_agent_state = on_agent_state
        self._last_agent = last_agent
        self._is_sticky = False  # some queue is: whoever is queued may come there by overflow
        self._inbox: Mailbox[Event | _Asked | _Then | _Now] = Mailbox(clock, limit=INBOX_LIMIT)
        self._places: dict[str, QueuedPlace] = {}
        self._offers = OffersUnderWay(dial=dial, report=self.post, journal=journal, clock=clock)
        self._calendars = CalendarsOfQueues(clock, hours=hours, report=self.post)
        self._agents: dict[str, Agent] = {}
        self._rules: dict[str, QueueRule] = {}
        self._visits = itertools.count(1)
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._began: Millis | None = None  # while the life before is relived: when it began
        self._shown: dict[str, ShowAgentState] = {}
        self._kept: dict[str, Waited] = {}
        self._gate = Gate(clock, let_in=self._put, credit=self._credit)

    # --- what others say

    def start(self, *, began: Millis | None = None) -> None:
        """`began`: the rules and agents that are told now stood then already; `relive` is to follow."""
        self._began = began
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def post(self, event: Event) -> None:
        match event:
            case CallQueued():
                self._gate.comes(event)
                return
            case CallAbandoned(call=call) | CallLeft(call=call) | CallerLost(call=call):
                self._gate.goes(call)
        self._put(event)

    def _put(self, event: Event) -> None:
        if not self._inbox.put(event):
            log.error("acd: an event was dropped, the inbox is full", happened=type(event).__name__)

    # --- after a restart

    def relive(
        self,
        history: Sequence[tuple[Millis, Event]],
        *,
        stood: Mapping[str, AgentStood],
        talks: Mapping[str, OpenOffer],
        places: Mapping[str, Waited],
    ) -> None:
        """Brings agents and talks to where they stood; those who waited keep their places when they `enter` again.

        Returns when that is done. Until `open_within` nobody is offered to anybody.
        """
        self._offers.take_over(talks, self._agents)
        self._kept = dict(places)
        if talks or places:
            self._gate.close(places)
        for at, event in history:
            self._inbox.put(_Then(at, event))
        present = _Now(stood)
        self._inbox.put(present)
        present.handled.wait(ASK_SECONDS)

    def open_within(self, seconds: float) -> None:
        """See `Gate.open_within`."""
        self._gate.open_within(seconds)

    def not_awaited(self, calls: Collection[str]) -> None:
        """These will not come back to the queue."""
        for call in calls:
            self._kept.pop(call, None)
            self._gate.not_awaited(call)

    def keep(self, call: str, place: Waited) -> None:
        """This caller, whose connection broke, may come back to its place."""
        self._kept[call] = place

    def watch(self, offer: str, on: CallId) -> None:
        """The two of this offer talk on, the agent on that leg: watches them to the end."""
        self._offers.watch(offer, on)

    def over(self, offer: str) -> None:
        """The talk of this offer was over before anybody looked."""
        self._offers.over(offer)

    # --- agents' legs whose connection broke

    @property
    def detached(self) -> Mapping[str, Detached]:
        """The legs in a talk that are out of our hands, by their offers: `watch` or `gone` is to follow for each."""
        return self._offers.detached

    def on_detached(self, told: Callable[[], None]) -> None:
        """Has it told as soon as there is one."""
        self._offers.on_detached = told

    def gone(self, offer: str) -> None:
        """The leg of a detached offer is not on the switch, or talks with nobody."""
        self._offers.gone(offer)

    # --- what calls and agents say

    def load(self, queues: tuple[QueueRule, ...]) -> None:
        self._rules = {rule.name: rule for rule in queues}
        self._calendars.load(queues)
        self._is_sticky = any(rule.strategy == Sticky.name for rule in queues)
        self.post(QueuesChanged(queues))
        for place in self._places.values():
            if place.queue in self._rules:
                place.stands_in(self._rules[place.queue])

    def set_agents(self, agents: Sequence[Agent]) -> None:
        """These are all who work here: who is none of them any more is removed, after its talk where it has one."""
        for gone in sorted(self._agents.keys() - {agent.id for agent in agents}):
            del self._agents[gone]
            self.post(AgentRemoved(gone))
        for agent in agents:
            self.set_agent(agent)

    def set_agent(self, agent: Agent) -> None:
        self._agents[agent.id] = agent
        self.post(AgentChanged(agent))

    def knows_agent(self, agent: str) -> bool:
        return agent in self._agents

    def agent_state(self, agent: str, state: AgentState, reason: str = "", by: str = "") -> None:
        """What an agent asks for by star code, command or console; `by` is the supervisor who asks in its place."""
        for event in _towards(agent, state, reason, by):
            self.post(event)

    def recording(self, queue: str) -> TalkRecording | None:
        """See `ivr.services.Queues`."""
        rule = self._rules.get(queue)
        return TalkRecording(rule.record.announce, rule.record.keep) if rule and rule.record else None

    def enter(self, call: Call, request: QueueRequest) -> QueuedPlace:
        """Queues a call and returns its place. See `ivr.services.Queues`."""
        kept = self._kept.pop(call.id, None)
        if kept is not None and kept.queue not in self._rules:
            kept = None
        rule = self._rules[kept.queue if kept else request.queue]
        place = QueuedPlace(
            id=f"{call.id}/{next(self._visits)}",
            call=call,
            request=request,
            queue=rule.name,
            music=rule.music,
            keys=rule.while_waiting,
            entered_at=kept.arrived if kept else self._clock.now(),
            loop=self,
        )
        self._places[call.id] = place
        self._calendars.tell(rule)
        if kept:
            self.post(CallQueued(call.id, **vars(kept)))
            return place
        self.post(
            CallQueued(
                call.id,
                request.queue,
                priority=request.priority,
                skills=tuple(request.skills),
                last_agent=self._last_agent(call.caller) if self._is_sticky else "",
            )
        )
        return place

    def leave(self, place: QueuedPlace, reason: Left) -> None:
        if self._places.get(place.call.id) is not place:
            return  # the engine has given it back to its flow already
        del self._places[place.call.id]
        if reason == "lost":
            if not place.talking:  # else the agent's leg says when the talk has ended
                self.post(CallerLost(place.call.id))
        elif place.talking:
            self.post(TalkEnded(place.offer))
            self.post(CallLeft(place.call.id, "agent gone"))  # no ghost stays where the engine gave the connect up
        elif reason == "left":
            self.post(CallLeft(place.call.id))
        else:
            self.post(CallAbandoned(place.call.id))

    def connect_failed(self, place: QueuedPlace) -> bool:
        """Whether the caller waits on; not where the word that its talk has ended came first."""
        asked = _Asked(ConnectFailed(place.offer), place.call.id)
        if not self._inbox.put(asked) or not asked.handled.wait(ASK_SECONDS):
            return True
        if asked.waits or self._places.get(asked.call) is not place:  # or its flow has it back
            return True
        del self._places[asked.call]
        return False

    def ask(self, event: Event) -> list[Decision]:
        """As `post`, and returns what was decided when the event was handled."""
        asked = _Asked(event)
        if self._inbox.put(asked):
            asked.handled.wait(ASK_SECONDS)
        return asked.decisions

    def answers(self) -> bool:
        """Whether the loop still does its work: waits for a few seconds until it has come to a question of ours."""
        asked = _Asked(TimePassed())
        return self._inbox.put(asked) and bool(asked.handled.wait(ASK_SECONDS))

    def ask_agent_state(self, agent: str, state: AgentState, reason: str, by: str = "") -> AgentView | None:
        """As `agent_state`, and returns what the agent is when that was handled; None where it has been removed."""
        for event in _towards(agent, state, reason, by):
            self.ask(event)
        return next((view for view in self._engine.agents() if view.id == agent), None)

    def extend_wrap_up(self, agent: str, seconds: float) -> bool:
        """Gives an agent so much longer for the work after its call; False when there is no such work."""
        wraps_up = (agent, AgentState.WORKING_AFTER_CALL) in {(view.id, view.state) for view in self._engine.agents()}
        if wraps_up:
            self.ask(WrapUpExtended(agent, round(seconds * 1000)))
        return wraps_up

    def talks_by(self, agent: str) -> QueueRule | None:
        """See `Acd.talks_by`."""
        return self._engine.talks_by(agent)

    def agent_name(self, agent: str) -> str:
        return self._agents[agent].name if agent in self._agents else ""

    def agent_with_phone(self, phone: str) -> str | None:
        return next((agent.id for agent in self._agents.values() if agent.phone == phone), None)

    def waited(self, call: str) -> Millis:
        place = self._places.get(call)
        return self._clock.now() - place.entered_at if place else 0

    def agents(self) -> tuple[AgentView, ...]:
        return self._engine.agents()

    def queues(self) -> tuple[QueueView, ...]:
        return self._engine.queues()

    @property
    def ignored(self) -> Mapping[str, int]:
        """How many events of each kind were about nothing known."""
        return self._engine.ignored

    # --- the loop

    def _run(self) -> None:
        while True:
            deadline = self._deadline()
            within = None if deadline is None else max(0, deadline - self._clock.now()) / 1000
            item = self._inbox.get(within) or TimePassed()
            event = item.event if isinstance(item, _Asked) else item
            try:
                decisions = self._live(event)
            except Exception:
                log.exception("acd: an event could not be handled", happened=type(event).__name__)
                self._clock.sleep(AFTER_AN_ERROR_SECONDS)
                decisions = []
            if isinstance(item, _Asked):
                item.decisions, item.waits = decisions, self._engine.place(item.call) is not None
                item.handled.set()

    def _live(self, event: Event | _Then | _Now) -> list[Decision]:
        match event:
            case _Then(at=at, event=past):
                self._show(self._engine.handle(past, at))
            case _Now(stood=stood, handled=handled):
                self._arrive(stood)
                handled.set()
            case _:
                return self._handle(event)
        return []

    def _show(self, decisions: Sequence[Decision]) -> None:
        """Nobody waits yet, so decisions are about agents' states alone; the last of each is what counts."""
        self._shown |= {shown.agent: shown for shown in decisions if isinstance(shown, ShowAgentState)}

    def _arrive(self, stood: Mapping[str, AgentStood]) -> None:
        """The life before is over, from here on time is now. What agents are that no record says, is written down."""
        self._began = None
        self._show(self._engine.handle(TimePassed(), self._clock.now()))
        for agent, shown in self._shown.items():
            was = stood.get(agent)
            if was is None or (was.state, was.reason) != (shown.state, shown.reason):
                self._journal.append_all([entry(shown)])
            self._on_agent_state(shown)

    def _handle(self, event: Event) -> list[Decision]:
        now = self._clock.now() if self._began is None else self._began
        news = self._is_news(event)
        ignored = self._engine.ignored.total()
        decisions = self._engine.handle(event, now)
        if self._engine.ignored.total() > ignored:
            self._say_once(event)
        if not news and not decisions:
            return []
        entries = [entry(decision) for decision in decisions]
        if not isinstance(event, TimePassed):
            entries.insert(0, self._entry(event, now))
        if entries:
            self._journal.append_all(entries)
        self._offers.told(event)
        for decision in sorted(decisions, key=_is_shown):
            self._carry_out(decision)
        return decisions

    def _say_once(self, event: Event) -> None:
        """Logs the first event of a kind that was about nothing known; `status` has how many there were."""
        kind = type(event).__name__
        if self._engine.ignored[kind] == 1 and not isinstance(event, SAID_AGAIN):
            log.warning(
                "acd: an event about nothing that is known, or that is over; further ones are counted", happened=kind
            )

    def _deadline(self) -> Millis | None:
        """When something is next due, None: when something happens."""
        due = (self._engine.next_deadline(), self._calendars.look(self._engine.waiting))
        return min((at for at in due if at is not None), default=None)

    def _is_news(self, event: Event) -> bool:
        """Whether the event is worth a record: late ones are not, nor what both sides of a talk report."""
        match event:
            case TimePassed():
                return False
            case CallLeft(call=call) | CallAbandoned(call=call) | CallerLost(call=call):
                return self._engine.place(call) is not None
        return not isinstance(event, OfferEvent) or event.offer in self._offers

    def _entry(self, event: Event, now: Millis) -> Entry:
        return self._offers.record(event, now, self._entered) if isinstance(event, OfferEvent) else entry(event)

    def _entered(self, call: str) -> Millis | None:
        place = self._places.get(call)
        return place.entered_at if place else None

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case OfferCall():
                self._ring(decision)
            case WithdrawOffer(offer=offer, reason=reason):
                self._offers.withdraw(offer, reason)
            case Connect(offer=offer, call=call):
                self._connect(offer, call)
            case Announce(call=call, position=position, wait=wait):
                told = None if wait is None else band(wait)
                self._tell(call, lambda place: AnnouncementDue(place.id, position, told))
            case Comfort(call=call, prompt=prompt) | AskToStay(call=call, prompt=prompt):
                self._tell(call, lambda place: PromptDue(place.id, prompt))
            case EndWait(call=call, exit=exit):
                over: Any = exit
                self._tell(call, lambda place: QueueOver(place.id, over))
                self._places.pop(call, None)
            case MoveCall(call=call, queue=queue):
                place = self._places.get(call)
                if place and queue in self._rules:  # else the engine moves it on when it hears that the queue is gone
                    place.stands_in(self._rules[queue])
            case ShowAgentState():
                self._on_agent_state(decision)

    def _ring(self, offer: OfferCall) -> None:
        place, agent = self._places.get(offer.call), self._agents.get(offer.agent)
        if place is None or agent is None:
            return  # it left while the decision was made; its CallAbandoned or AgentRemoved is in the inbox
        rule = self._rules.get(offer.queue)  # None: it was removed, and the engine has yet to hear of that
        self._offers.ring(
            Offered(
                offer.offer,
                offer.call,
                offer.queue,
                agent,
                offer.ring_for / 1000,
                place.request,
                whisper=rule is None or rule.whisper,
            )
        )

    def _connect(self, offer: str, call: str) -> None:
        leg, place = self._offers.get(offer), self._places.get(call)
        if leg is None or leg.call is None:
            self.post(ConnectFailed(offer))
        elif place is not None:
            place.offer = offer
            offered = leg.offered
            recording = self.recording(offered.queue)
            place.call.post(AgentReady(place.id, leg.call, offered.queue, offered.agent.id, recording))

    def _credit(self, queue: str) -> Millis:
        return self._rules[queue].priority_credit if queue in self._rules else 0

    def _tell(self, call: str, notice: Callable[[QueuedPlace], AnnouncementDue | PromptDue | QueueOver]) -> None:
        if place := self._places.get(call):
            place.call.post(notice(place))


def _is_shown(decision: Decision) -> bool:
    """Whether it only shows something, which can wait until telephones ring."""
    return isinstance(decision, ShowAgentState)


def _towards(agent: str, state: AgentState, reason: str, by: str) -> tuple[Event, ...]:
    """What happens when an agent is asked into a state."""
    match state:
        case AgentState.LOGGED_OFF:
            return (AgentLoggedOff(agent, reason, by),)
        case AgentState.READY:
            return AgentLoggedOn(agent), AgentBecameReady(agent, by)
        case AgentState.NOT_READY:
            return AgentLoggedOn(agent), AgentBecameNotReady(agent, reason, by)
    raise ValueError(f"{state} is a state that only calls bring about")
