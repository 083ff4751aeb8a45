"""What the journal says is under way and nobody has is found on the switch, and taken up, watched or ended.

After a start that is all that was; later it is whose connection to the switch broke.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import gevent
import structlog
from gevent.pool import Pool

from acd.model import (
    AgentBecameNotReady,
    AgentBecameReady,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentState,
    Event,
    TalkEnded,
    TalkFound,
)
from ivr.services import CannotKeep, Mailboxes, Message
from journal.writer import Journal
from runtime.acd_loop import AcdLoop
from runtime.calls import CallDesk
from runtime.offers import Detached
from runtime.rounds import Round
from runtime.standing import STARTED, AgentStood, OpenCall, OpenOffer, Standing, Waited, boot_id
from switch.port import Call, CallId, Cause, NoSuchCall, Parted, Snapshot, Switch, SwitchLost
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

UNKNOWN = "unknown"  # why a call ended that nobody saw end
AT_A_TIME = 8  # calls that are taken over: more, and each of them hears a longer gap in the music
GATE_SECONDS = 4.0  # after which callers are served, whoever is not back yet
LOOK_SECONDS = 2.0  # between two looks for calls that are not back
AWAY_SECONDS = 30.0  # after which calls count as lost with a switch that is away; most that fail are back much sooner
PATROL_SECONDS = 20.0  # between two looks where all are back
ARRIVES_WITHIN = 0.5  # seconds in which a call that is nowhere on the switch may still be heard of by us

History = list[tuple[Millis, Event]]


class Recovery:
    """Goes from the journal's word to the switch's: `begin` and `restore`, then `take_up`, then `watch`."""

    def __init__(
        self,
        standing: Standing,
        *,
        switch: Switch,
        desk: CallDesk,
        acd: AcdLoop,
        mailboxes: Mailboxes,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._standing = standing
        self._switch = switch
        self._desk = desk
        self._acd = acd
        self._mailboxes = mailboxes
        self._journal = journal
        self._clock = clock
        self._talks: dict[str, OpenOffer] = {}
        self._unknown: dict[CallId, Millis] = {}  # since when nobody controls them
        self._looks = Round(self._look_around, clock)
        self._pool = Pool(AT_A_TIME)
        self._taking: set[CallId] = set()  # or about to be
        self._takes: gevent.Greenlet[..., None] | None = None
        self._alone: set[str] = set()  # offers whose agent's leg was seen with nobody
        self._endings = Pool()
        self._ending: set[CallId] = set()  # by those
        desk.message_of = self._message_of
        desk.on_returned = lambda call: acd.not_awaited([call])
        desk.on_detached = self._looks.ask
        acd.on_detached(self._looks.ask)
        desk.keep_place = acd.keep

    # --- before calls come

    def begin(self) -> Millis:
        """A new life, in the journal. Returns since when the oldest thing that agents do has been so."""
        now = self._clock.now()
        self._journal.append(STARTED, boot=boot_id(), now=now, pid=os.getpid(), epoch=self._standing.epoch)
        return min((agent.since for agent in self._standing.agents.values()), default=now)

    def restore(self, *, known_agents: Mapping[str, tuple[str, str]]) -> None:
        """Puts agents, talks and places where they stood. `known_agents`: states of those the journal does not know."""
        now = self._clock.now()
        stood = dict(self._standing.agents)
        for agent, (state, reason) in known_agents.items():
            stood.setdefault(agent, AgentStood(state, reason, "", now))
        self._desk.returning = {CallId(id): deepcopy(call) for id, call in self._standing.calls.items()}
        self._talks = {id: deepcopy(offer) for id, offer in self._standing.offers.items()}
        history: History = []
        for agent, was in stood.items():
            talk = next(((id, talk) for id, talk in self._talks.items() if _talks(talk, agent)), None)
            history += _history(agent, was, talk)
        self._acd.relive(
            sorted(history, key=lambda entry: entry[0]),
            stood=self._standing.agents,
            talks=self._talks,
            places=_places(self._desk.returning),
        )

    # --- once the switch is there

    def take_up(self) -> None:
        """Sorts what lives on the switch and ends in the journal what does not; its callers follow one after the other.

        Raises SwitchLost.
        """
        expected = set(self._desk.returning)
        strays = self._switch.strays()
        watched = self._sort_talks(strays)
        for id, stray in strays.items():
            if stray.outbound and id not in watched and not self._talks_on(stray):
                self._switch.drop(id)
        self._end_lost(expected - strays.keys())
        callers = [strays[id] for id in sorted(self._desk.returning.keys() & strays.keys(), key=self._turn)]
        self._taking |= {caller.id for caller in callers}
        self._takes = gevent.spawn(self._take_all, callers)

    def start(self) -> None:
        """From now on looks after calls that have not come back, and after those that nobody controls."""
        self._looks.start()

    def stop(self) -> None:
        self._looks.stop()
        self._endings.kill()
        if self._takes is not None:
            self._takes.kill()

    # --- details

    def _take_all(self, callers: Sequence[Snapshot]) -> None:
        self._acd.open_within(GATE_SECONDS)
        for caller in callers:
            self._pool.spawn(self._take_over, caller.id, talking=caller.joined_to is not None)  # waits for its turn

    def _sort_talks(self, strays: Mapping[CallId, Snapshot]) -> set[CallId]:
        """Watches the talks that go on, and ends the others; the agents' legs that talk."""
        talking: set[CallId] = set()
        talks, self._talks = self._talks, {}
        agents = {leg.joined_to: leg.id for leg in strays.values() if leg.outbound and leg.joined_to is not None}
        for offer, talk in talks.items():
            if (leg := agents.get(CallId(talk.call))) is not None and talk.stage != "ringing":
                talking.add(leg)
                self._acd.watch(offer, leg)
            else:
                self._acd.over(offer)
        return talking

    def _look_around(self) -> float:
        try:
            self._look()
        except SwitchLost:
            self._unknown = {}
            self._give_up()
        missing = self._desk.returning or self._unknown or self._acd.detached
        return LOOK_SECONDS if missing else PATROL_SECONDS

    def _give_up(self) -> None:
        """Ends, in the journal, the calls of a switch that has been away for too long."""
        since = self._clock.now() - round(AWAY_SECONDS * 1000)
        for id in [id for id, at in self._desk.detached.items() if at <= since]:
            self._end(id, Cause.SWITCH_LOST, Cause.SWITCH_LOST.value)
        for offer in [offer for offer, leg in self._acd.detached.items() if leg.since <= since]:
            self._acd.gone(offer)

    def _look(self) -> None:
        expected, talks = set(self._desk.returning), dict(self._acd.detached)
        strays = self._switch.strays()
        self._find_agents(talks, strays)
        self._end_lost(expected - strays.keys())
        now = self._clock.now()
        unknown = [
            stray for stray in strays.values() if not self._talks_on(stray) and not self._desk.deferred(stray.id)
        ]
        self._unknown = {stray.id: self._unknown.get(stray.id, now) for stray in unknown}
        due = [stray for stray in unknown if now - self._unknown[stray.id] >= LOOK_SECONDS * 1000]
        for stray in sorted(due, key=lambda stray: self._turn(stray.id)):  # none of them is just on its way to us
            self._take(stray)

    def _find_agents(self, talks: Mapping[str, Detached], strays: Mapping[CallId, Snapshot]) -> None:
        """Watches the agents' legs that talk on, and frees the agents of the others. Raises SwitchLost."""
        self._alone &= talks.keys()
        if not talks:
            return
        living = self._switch.calls()
        for offer, lost in talks.items():
            leg = living.get(lost.leg)
            if offer not in self._acd.detached:
                continue  # the caller's side has seen the end
            if leg is not None and leg.joined_to is None and offer not in self._alone:
                self._alone.add(offer)  # its talk may be about to begin: the next look tells
                continue
            self._alone.discard(offer)
            if leg is None or leg.joined_to is None:
                self._acd.gone(offer)
            elif lost.leg in strays:
                self._acd.watch(offer, lost.leg)

    def _take(self, stray: Snapshot) -> None:
        if stray.id in self._taking:
            return
        log.warning("a call that nobody controls", call=stray.id, outbound=stray.outbound)
        if stray.outbound:
            self._switch.drop(stray.id)
        else:
            self._pool.spawn(self._take_over, stray.id, talking=stray.joined_to is not None)

    def _talks_on(self, stray: Snapshot) -> bool:
        """Whether a leg is joined to another, and need not be taken: a caller of ours is watched all the same."""
        return stray.joined_to is not None and stray.id not in self._desk.returning

    def _take_over(self, id: CallId, *, talking: bool) -> None:
        self._taking.add(id)
        try:
            if id in self._desk.in_progress:
                return  # the dialplan was faster
            call = self._switch.adopt(id)
        except (NoSuchCall, SwitchLost) as error:
            log.info("a call was not taken over", call=id, reason=str(error))
            return
        finally:
            self._taking.discard(id)
        if talking and not call.was_joined:  # the talk has ended since it was looked at, and nobody has seen it
            call.post(Parted())
        gevent.spawn(self._drive, call, talking=talking)

    def _drive(self, call: Call, *, talking: bool) -> None:
        try:
            self._desk.on_call(call, talking=talking)
        finally:
            call.hang_up()

    def _turn(self, id: CallId) -> tuple[bool, Millis, int]:
        """Who waits comes first, in the order of arrival."""
        past = self._desk.returning.get(id)
        place = past.place if past else None
        return place is None, place.arrived if place else 0, past.queued if past else 0

    def _end_lost(self, missing: Set[CallId]) -> None:
        """Ends, in the journal, those of the missing calls that are nowhere on the switch. Raises SwitchLost.

        A moment later, if they are nowhere still: a caller who came to us and hung up as we looked is told of by
        the switch in this order, and has its end then.
        """
        lost = self._nowhere(missing - self._ending)
        if lost:
            self._ending |= lost
            self._endings.spawn(self._end_those_lost_still, lost)

    def _nowhere(self, missing: Set[CallId]) -> Set[CallId]:
        """Those who are neither on the switch nor in our hands. Raises SwitchLost."""
        if not missing:
            return missing
        # A call that is just coming to us is no stray any more, and not yet in anybody's hands.
        lost = missing - self._switch.calls().keys() - self._desk.in_progress.keys()
        return lost & self._desk.returning.keys()

    def _end_those_lost_still(self, lost: Set[CallId]) -> None:
        self._clock.sleep(ARRIVES_WITHIN)
        try:
            self._end_all(self._nowhere(lost))
        except SwitchLost:
            pass  # the next look finds them again
        except Exception:
            log.exception("calls that are gone could not be ended; they are looked for again")
        finally:
            self._ending -= lost

    def _end_all(self, lost: Set[CallId]) -> None:
        for id in sorted(lost):
            if id in self._desk.detached:
                self._end(id, Cause.SWITCH_LOST, Cause.SWITCH_LOST.value)
            else:
                self._end(id, UNKNOWN, "ended while no appliance was running")
        if lost:
            log.warning("calls ended while nobody controlled them", calls=len(lost))

    def _end(self, id: CallId, cause: str, outcome: str) -> None:
        """Ends it in the journal, unless it comes back while its message is looked for."""
        if past := self._desk.returning.get(id):
            self._message_of(id, past)
        if id in self._desk.returning:
            self._acd.not_awaited([id])
            self._desk.give_up(id, cause, outcome)

    def _message_of(self, id: CallId, past: OpenCall) -> Message | None:
        try:
            return self._message(id, past)
        except SwitchLost as error:
            log.error("a message that was being left cannot be looked for", call=id, error=str(error))
            if past.box:
                self._mailboxes.leave(Path(past.file))
            return None

    def _message(self, id: CallId, past: OpenCall) -> Message | None:
        """Keeps the message that was being left, as far as it was spoken. Raises SwitchLost."""
        file = Path(past.file)
        if not past.box or not self._switch.salvage(id, file):
            return None
        try:
            return self._mailboxes.keep(
                past.box, file, call=id, visit=past.visit, caller=past.caller, caller_name=past.caller_name
            )
        except CannotKeep as error:
            log.error("a message that was being left could not be kept", call=id, error=str(error))
            return None


def _places(calls: Mapping[CallId, OpenCall]) -> Mapping[str, Waited]:
    """Where each of them waited; those of the same millisecond keep the order in which they came."""
    places: dict[str, Waited] = {}
    waited = [(call.place, call.queued, id) for id, call in calls.items() if call.place]
    last: Millis | None = None
    for place, _, id in sorted(waited, key=lambda each: (each[0].arrived, each[1])):
        last = place.arrived if last is None else max(place.arrived, last + 1)
        places[id] = replace(place, arrived=last)
    return places


def _talks(talk: OpenOffer, agent: str) -> bool:
    return talk.stage == "talking" and talk.agent == agent


def _history(agent: str, was: AgentStood, talk: tuple[str, OpenOffer] | None) -> History:
    """The events that bring an agent to where it stood; an offer that was on its way is not among them."""
    state = AgentState(was.state)
    if state is AgentState.LOGGED_OFF and talk is None:
        return []
    history: History = [(was.since, AgentLoggedOn(agent))]
    if state is AgentState.NOT_READY:
        history.append((was.since, AgentBecameNotReady(agent, was.reason)))
    elif state is not AgentState.LOGGED_OFF:
        history.append((was.since, AgentBecameReady(agent)))
    if talk is not None:
        offer, found = talk
        history.append((was.since, TalkFound(offer, found.call, found.queue, agent)))
    elif state is AgentState.WORKING_AFTER_CALL and was.offer:
        history.append((was.since, TalkFound(was.offer, was.offer, was.queue, agent)))
        history.append((was.since, TalkEnded(was.offer)))
    if was.wish == AgentState.LOGGED_OFF:
        history.append((was.since, AgentLoggedOff(agent, was.wish_reason)))
    elif was.wish == AgentState.NOT_READY:
        history.append((was.since, AgentBecameNotReady(agent, was.wish_reason)))
    return history
