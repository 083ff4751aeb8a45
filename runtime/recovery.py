"""After a start: what the journal says was under way is found on the switch, and taken up, watched or ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
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
from runtime.standing import STARTED, AgentStood, OpenCall, OpenOffer, Standing, boot_id
from switch.port import Call, CallId, NoSuchCall, Snapshot, Switch, SwitchLost
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

AT_A_TIME = 8  # calls that are taken over: more, and each of them hears a longer gap in the music
GATE_SECONDS = 4.0  # after which callers are served, whoever is not back yet
LOOK_SECONDS = 2.0  # between two looks for calls that are not back
PATROL_SECONDS = 20.0  # between two looks where all are back

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
        self._unknown: frozenset[CallId] = frozenset()
        desk.message_of = self._message_of
        desk.on_returned = lambda call: acd.not_awaited([call])

    # --- before calls come

    def begin(self) -> Millis:
        """A new life, in the journal. Returns since when the oldest thing that agents do has been so."""
        now = self._clock.now()
        self._journal.append(STARTED, boot=boot_id(), now=now, pid=os.getpid())
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
            places={id: call.place for id, call in self._desk.returning.items() if call.place},
        )

    # --- once the switch is there

    def take_up(self) -> None:
        """Takes up what lives on the switch, and ends in the journal what does not. Raises SwitchLost."""
        strays = self._switch.strays()
        watched = self._sort_talks(strays)
        for id, stray in strays.items():
            if stray.outbound and id not in watched:
                self._switch.drop(id)
        self._end_lost(strays)
        pool = Pool(AT_A_TIME)
        for id in sorted(self._desk.returning, key=self._turn):
            if id in strays:
                pool.spawn(self._take_over, id, talking=strays[id].joined_to is not None)
        self._acd.open_within(GATE_SECONDS)

    def watch(self) -> None:
        """Looks after calls that have not come back, and after those that nobody controls. Never returns."""
        while True:
            self._clock.sleep(LOOK_SECONDS if self._desk.returning else PATROL_SECONDS)
            try:
                self._look()
            except SwitchLost:
                self._unknown = frozenset()

    # --- details

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

    def _look(self) -> None:
        strays = self._switch.strays()
        self._end_lost(strays)
        unknown = frozenset(strays)
        for id in unknown & self._unknown:  # twice in a row: it is not just on its way to us
            stray = strays[id]
            if stray.joined_to is not None and not stray.outbound and id not in self._desk.returning:
                continue
            log.warning("a call that nobody controls", call=id, outbound=stray.outbound)
            if stray.outbound:
                self._switch.drop(id)
            else:
                gevent.spawn(self._take_over, id, talking=stray.joined_to is not None)
        self._unknown = unknown

    def _take_over(self, id: CallId, *, talking: bool) -> None:
        if id in self._desk.in_progress:
            return  # the dialplan was faster
        try:
            call = self._switch.adopt(id)
        except (NoSuchCall, SwitchLost) as error:
            log.info("a call was not taken over", call=id, reason=str(error))
            return
        gevent.spawn(self._drive, call, talking=talking)

    def _drive(self, call: Call, *, talking: bool) -> None:
        try:
            self._desk.on_call(call, talking=talking)
        finally:
            call.hang_up()

    def _turn(self, id: CallId) -> tuple[bool, Millis]:
        """Who waits comes first, in the order of arrival."""
        place = self._desk.returning[id].place
        return place is None, place.arrived if place else 0

    def _end_lost(self, strays: Mapping[CallId, Snapshot]) -> None:
        """Ends, in the journal, the calls that are no longer on the switch."""
        lost = sorted(self._desk.returning.keys() - strays.keys() - self._desk.in_progress.keys())
        for id in lost:
            self._message(id, self._desk.returning[id])
            del self._desk.returning[id]
            self._acd.not_awaited([id])
            self._journal.append("CallEnded", id, cause="unknown", outcome="ended while no appliance was running")
        if lost:
            log.warning("calls ended while no appliance was running", calls=len(lost))

    def _message_of(self, id: CallId, past: OpenCall) -> Message | None:
        try:
            return self._message(id, past)
        except SwitchLost as error:
            log.error("a message that was being left cannot be looked for", call=id, error=str(error))
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
        history.append((was.since, AgentLoggedOff(agent)))
    elif was.wish == AgentState.NOT_READY:
        history.append((was.since, AgentBecameNotReady(agent, was.wish_reason)))
    return history
