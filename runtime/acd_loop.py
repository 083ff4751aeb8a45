"""The one greenlet that owns the ACD's state: events in, decisions journaled, then carried out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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
    AgentState,
    AgentView,
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
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    QueueHours,
    QueueRule,
    QueuesChanged,
    QueueView,
    ShowAgentState,
    TalkEnded,
    TalkFound,
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
    MusicChanged,
    PromptDue,
    QueueOver,
    QueueRequest,
    TalkRecording,
)
from journal.writer import Journal
from runtime.agent_leg import LET_GO_WITHIN, AgentLeg, Offered, Talking, Withdrawn, found
from runtime.gate import Gate
from runtime.standing import AgentStood, OpenOffer, Waited
from switch.port import Call, CallId
from switch.shared.clock import Clock, Millis
from switch.shared.mailbox import Mailbox

log = structlog.get_logger(__name__)

INBOX_LIMIT = 100_000
HOURS_EVERY: Millis = 5_000  # between two looks at the calendars of queues in which somebody waits
ASK_SECONDS = 5.0
AFTER_AN_ERROR_SECONDS = 0.1  # a deadline that cannot be handled stays due, and must not hold the hub

OfferEvent = OfferAnswered | OfferDeclined | OfferNotAnswered | OfferFailed | CallConnected | ConnectFailed | TalkEnded
SAID_AGAIN = (AgentLoggedOn, TalkEnded, CallLeft)  # by who is there already, and by both sides of a talk at its end
OFFER_OVER = (OfferDeclined, OfferNotAnswered, OfferFailed, ConnectFailed, TalkEnded)


class Dialler(Protocol):
    """Rings an agent for an offer; what becomes of it is told to `report`."""

    def __call__(self, leg: AgentLeg, report: Callable[[Event], None]) -> None: ...

    def watch(self, leg: AgentLeg, on: CallId, report: Callable[[Event], None]) -> None:
        """Watches a talk of the life before this one until it ends."""
        ...


@dataclass(slots=True)
class QueuedPlace:
    """A caller's place in a queue, as `ivr.services.Place` promises it to the queue step."""

    id: str
    call: Call
    request: QueueRequest
    queue: str
    music: str
    keys: Mapping[str, str]
    entered_at: Millis
    loop: AcdLoop = field(repr=False)
    offer: str = ""
    left: bool = False
    talking: bool = False

    def stands_in(self, rule: QueueRule) -> None:
        """The caller waits by this rule now: another queue's, or its queue's new one."""
        self.queue, self.keys = rule.name, rule.while_waiting
        if self.music != rule.music:
            self.music = rule.music
            self.call.post(MusicChanged(self.id))

    def announced(self) -> None:
        self.loop.post(AnnouncementMade(self.call.id))

    def connected(self) -> None:
        self.talking = True
        self.loop.post(CallConnected(self.offer))

    def connect_failed(self) -> None:
        self.loop.post(ConnectFailed(self.offer))

    def leave(self, reason: Literal["abandoned", "left", "answered", "lost"]) -> None:
        if self.left:
            return
        self.left = True
        self.loop.leave(self, reason)


@dataclass(slots=True)
class _Asked:
    """An event, and somebody who waits for what is decided."""

    event: Event
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

    Nothing else touches the engine. Every method may be called from any greenlet and returns at once.
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
        self._dial = dial
        self._on_agent_state = on_agent_state
        self._last_agent = last_agent
        self._hours = hours
        self._said_hours: dict[str, HoursState] = {}
        self._with_calendar: tuple[QueueRule, ...] = ()
        self._is_sticky = False  # some queue is: whoever is queued may come there by overflow
        self._look_again: Millis = 0
        self._inbox: Mailbox[Event | _Asked | _Then | _Now] = Mailbox(clock, limit=INBOX_LIMIT)
        self._places: dict[str, QueuedPlace] = {}
        self._legs: dict[str, AgentLeg] = {}
        self._at_phone: dict[str, gevent.Greenlet[..., None]] = {}  # the last offer to each agent
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
        for offer, talk in talks.items():
            self._legs[offer] = found(offer, talk, self._agents.get(talk.agent))
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
        leg = self._legs[offer]
        if leg.connected_at is None:  # the life before did not live to see it
            leg.connected_at = self._clock.now()
            self.post(TalkFound(offer, leg.offered.call, leg.offered.queue, leg.offered.agent.id))
        gevent.spawn(self._watch, leg, on)

    def _watch(self, leg: AgentLeg, on: CallId) -> None:
        try:
            self._dial.watch(leg, on, self.post)
        except Exception:
            log.exception("acd: a talk cannot be watched", offer=leg.offered.offer)
            self.post(TalkEnded(leg.offered.offer))

    def over(self, offer: str) -> None:
        """The talk of this offer was over before anybody looked; of one that had not begun nothing is left."""
        leg = self._legs[offer]
        if leg.connected_at is not None:
            self.post(TalkEnded(offer))
            return
        del self._legs[offer]
        withdrawn = {"offer": offer, "agent": leg.offered.agent.id, "reason": "restart"}
        self._journal.append("WithdrawOffer", leg.offered.call, **withdrawn)

    # --- what calls and agents say

    def load(self, queues: tuple[QueueRule, ...]) -> None:
        self._rules = {rule.name: rule for rule in queues}
        self._with_calendar = tuple(rule for rule in queues if rule.calendar)
        self._is_sticky = any(rule.strategy == Sticky.name for rule in queues)
        self.post(QueuesChanged(queues))
        for place in self._places.values():
            if place.queue in self._rules:
                place.stands_in(self._rules[place.queue])

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
        self._tell_hours([rule])
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

    def leave(self, place: QueuedPlace, reason: str) -> None:
        if self._places.get(place.call.id) is not place:
            return  # the engine has given it back to its flow already
        del self._places[place.call.id]
        if reason == "lost":
            if not place.talking:  # else the agent's leg says when the talk has ended
                self.post(CallerLost(place.call.id))
        elif place.talking:
            self.post(TalkEnded(place.offer))
            self.post(CallLeft(place.call.id))  # no ghost stays where the engine had given the connect up
        elif reason == "left":
            self.post(CallLeft(place.call.id))
        else:
            self.post(CallAbandoned(place.call.id))

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

    def ask_agent_state(self, agent: str, state: AgentState, reason: str, by: str = "") -> AgentView:
        """As `agent_state`, and returns what the agent is when that was handled."""
        for event in _towards(agent, state, reason, by):
            self.ask(event)
        return next(view for view in self._engine.agents() if view.id == agent)

    def extend_wrap_up(self, agent: str, seconds: float) -> bool:
        """Gives an agent so much longer for the work after its call; False when there is no such work."""
        wraps_up = (agent, AgentState.WORKING_AFTER_CALL) in {(view.id, view.state) for view in self._engine.agents()}
        if wraps_up:
            self.ask(WrapUpExtended(agent, round(seconds * 1000)))
        return wraps_up

    def results_for(self, agent: str) -> tuple[str, ...]:
        """What may come of the calls of an agent, in any of its queues."""
        rules = (self._rules[queue] for queue in self._agents[agent].queues if queue in self._rules)
        return tuple(dict.fromkeys(result for rule in rules for result in rule.results))

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
            deadline = self._look_at_calendars()
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
                item.decisions = decisions
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
            entries.insert(0, self._offer_entry(event, now) if isinstance(event, OfferEvent) else entry(event))
        if entries:
            self._journal.append_all(entries)
        if isinstance(event, CallConnected) and event.offer in self._legs:
            self._legs[event.offer].post(Talking(event.offer))
        if isinstance(event, OFFER_OVER):
            self._legs.pop(event.offer, None)
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

    def _look_at_calendars(self) -> Millis | None:
        """Looks, now and then, at those of queues in which somebody waits; when something is next due."""
        deadline = self._engine.next_deadline()
        rules = [rule for rule in self._with_calendar if self._engine.waiting(rule.name)]
        if not rules:
            return deadline
        now = self._clock.now()
        if now >= self._look_again:
            self._look_again = now + HOURS_EVERY
            self._tell_hours(rules)
        return self._look_again if deadline is None else min(deadline, self._look_again)

    def _tell_hours(self, rules: Iterable[QueueRule]) -> None:
        """Tells the engine what the calendars of some queues say, where it is something new."""
        for rule in rules:
            said: HoursState = self._hours(rule.calendar) if rule.calendar else "open"
            if said != self._said_hours.get(rule.name, "open"):
                self._said_hours[rule.name] = said
                self.post(QueueHours(rule.name, said))

    def _is_news(self, event: Event) -> bool:
        """Whether the event is worth a record: late ones are not, nor what both sides of a talk report."""
        match event:
            case TimePassed():
                return False
            case CallLeft(call=call) | CallAbandoned(call=call) | CallerLost(call=call):
                return self._engine.place(call) is not None
        return not isinstance(event, OfferEvent) or event.offer in self._legs

    def _offer_entry(self, event: OfferEvent, now: Millis) -> Entry:
        """What happened to an offer, with whose call and agent it was, and how long they waited and talked."""
        type, _, plain = entry(event)
        leg = self._legs.get(event.offer)
        if leg is None:
            return type, "", plain
        offered = leg.offered
        facts: dict[str, object] = {**plain, "queue": offered.queue, "agent": offered.agent.id}
        match event:
            case CallConnected():
                leg.connected_at = now
                if place := self._places.get(offered.call):
                    facts["waited"] = now - place.entered_at
            case TalkEnded() if leg.connected_at is not None:
                facts["talked"] = now - leg.connected_at
        return type, offered.call, facts

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case OfferCall():
                self._ring(decision)
            case WithdrawOffer(offer=offer, reason=reason):
                if leg := self._legs.pop(offer, None):
                    leg.post(Withdrawn(offer, reason))
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
        place, agent = self._places.get(offer.call), self._agents[offer.agent]
        if place is None:
            return  # it left while the decision was made; its CallAbandoned is in the inbox
        rule = self._rules.get(offer.queue)  # None: it was removed, and the engine has yet to hear of that
        leg = self._legs[offer.offer] = AgentLeg(
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
        self._at_phone[agent.id] = gevent.spawn(self._run_leg, leg, self._at_phone.get(agent.id))

    def _run_leg(self, leg: AgentLeg, before: gevent.Greenlet[..., None] | None) -> None:
        """Makes an offer as soon as the one before has let go of the phone, which may take one call at a time."""
        if before is not None:
            before.join(LET_GO_WITHIN)
        try:
            self._dial(leg, self.post)
        except Exception:
            log.exception("acd: an offer broke off", offer=leg.offered.offer)
            self.post(OfferFailed(leg.offered.offer, "broke off"))

    def _connect(self, offer: str, call: str) -> None:
        leg, place = self._legs.get(offer), self._places.get(call)
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
            return (AgentLoggedOff(agent, by),)
        case AgentState.READY:
            return AgentLoggedOn(agent), AgentBecameReady(agent, by)
        case AgentState.NOT_READY:
            return AgentLoggedOn(agent), AgentBecameNotReady(agent, reason, by)
    raise ValueError(f"{state} is a state that only calls bring about")
