"""The house put together: which part is wired to which. Used by the service, the simulator and the tests alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from acd.engine import Acd
from acd.model import Agent, AgentState, ShowAgentState
from config.appliance import Config
from config.values import UserError
from crm.callers import Callers
from crm.host import Host, Queries
from crm.web import open_web
from cti.server import Command, ControlServer
from ivr.services import HoursState, Services, Web
from journal.writer import Journal, JournalBroken
from runtime.acd_loop import AcdLoop
from runtime.admission import Admission
from runtime.agent_leg import AgentDialler
from runtime.calls import CallDesk
from runtime.closures import ClosableCalendars, Closures
from runtime.control import House
from runtime.draining import Drain
from runtime.flowbook import Book, Flowbook, destinations
from runtime.folding import Folder
from runtime.mailroom import Mailroom
from runtime.recovery import Recovery
from runtime.roster import Roster
from runtime.services import CallJournal, LibraryVoice, ZonedClock
from runtime.spoken_phrases import SpokenPhrases
from runtime.standing import Standing, new_life
from runtime.star_codes import StarCodes
from runtime.states import AgentStates
from runtime.transfers import Transfers
from runtime.whispering import asked_to_accept, whispered
from speech.ears import Ears
from speech.library import Library
from store.rows import Agent as StoredAgent
from store.store import Store, StoreFailed
from switch.port import CallId, Switch
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Appliance:
    """Every part of a running house. `start` and `stop` are its whole life."""

    config: Config
    clock: Clock
    switch: Switch
    store: Store
    roster: Roster
    host: Host
    library: Library
    ears: SpokenPhrases
    flowbook: Flowbook
    journal: Journal
    folder: Folder
    acd: AcdLoop
    admission: Admission
    desk: CallDesk
    recovery: Recovery
    drain: Drain
    states: AgentStates
    closures: Closures
    mailroom: Mailroom
    house: House
    commands: Mapping[str, Command]
    control: ControlServer

    def start(self) -> None:
        """Begins to take calls, where the last life left off. `recovery.take_up` is to follow."""
        began = self.recovery.begin()
        self.states.start()
        self.acd.start(began=began)
        _tell_agents(self.roster, self.acd)
        self.acd.load(self.flowbook.book.queues)
        self.recovery.restore(known_agents={agent.id: (agent.state, agent.reason) for agent in self.roster.agents})
        self.roster.start()
        self.folder.start()
        self.mailroom.start()
        self.control.start()
        self.switch.serve(self.desk.on_call, admits=self.desk.admits)

    def stop(self) -> None:
        """Takes no more calls, writes down what is known, and closes. Calls on the switch go on.

        From the moment in which the journal is closed nothing has an effect any more: what this life did not
        write down the next one finds as it was.
        """
        self.recovery.stop()
        self.desk.close()
        self.acd.stop()
        self.journal.close()
        self.switch.stop()
        self.control.stop()
        self.mailroom.stop()
        self.folder.stop()
        self.roster.stop()
        self.states.stop()
        self.host.close()
        self.store.close()
        self.library.close()
        self.ears.close()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all the rest of the house stands on."""

    config: Config
    clock: Clock
    switch: Switch
    standing: Standing
    journal: Journal
    store: Store
    roster: Roster
    host: Host
    library: Library
    sounds: Path
    flowbook: Flowbook

    @property
    def voice(self) -> LibraryVoice:
        return LibraryVoice(self.library, self.sounds)

    @property
    def zoned(self) -> ZonedClock:
        return ZonedClock(self.clock, self.config.zone)


def assemble(
    config: Config,
    *,
    clock: Clock,
    switch: Switch,
    library: Library,
    standing: Standing | None = None,
    sounds: Path | None = None,
    host: Host | None = None,
    web: Web | None = None,
    or_last_flows: bool = False,
) -> Appliance:
    """The house that a configuration describes, ready to be started. Raises UserError.

    `standing` is what the life before left, where somebody has read it already; `sounds` is the folder of the beep,
    `host` the CRM, `web` all web services, where they are not the configuration's own. With `or_last_flows` files of
    flows that are wrong keep no caller out: the edition that was in force last serves, and the log says so.
    """
    store, roster = _staff(config, clock)
    standing = standing or new_life(config.data_dir / "journal", clock.wall())
    ground = _Ground(
        config=config,
        clock=clock,
        switch=switch,
        standing=standing,
        journal=_journal(config, clock, standing),
        store=store,
        roster=roster,
        host=host or Host(config.crm.url, clock, connections=config.crm.connections),
        library=library,
        sounds=sounds or config.sounds_dir,
        flowbook=_flowbook(config, clock, switch, library, roster, or_last=or_last_flows),
    )
    return _built(ground, web or open_web(config.web, clock))


def _built(ground: _Ground, web: Web) -> Appliance:
    config, clock, journal = ground.config, ground.clock, ground.journal
    ears = SpokenPhrases(Ears(config.speech), config.data_dir / "utterances", clock)
    states = AgentStates(ground.store, clock)
    closures = Closures(config.data_dir, clock, note=journal.append)
    mailroom = _mailroom(ground)
    acd = _acd(ground, states, closures)
    admission = Admission(
        clock,
        calls=config.limits.calls,
        per_second=config.limits.calls_per_second,
        lag=config.limits.hub_lag,
    )
    services = _services(ground, acd, web=web, ears=ears, closures=closures, mailroom=mailroom)
    desk = _desk(ground, acd, admission, services)
    recovery = Recovery(
        ground.standing,
        switch=ground.switch,
        desk=desk,
        acd=acd,
        mailboxes=mailroom.mailboxes,
        journal=journal,
        clock=clock,
    )
    drain = Drain(desk, ground.standing, clock)
    folder = Folder(journal, ground.store, clock, keep=timedelta(days=config.journal.keep))
    house = House(
        switch=ground.switch,
        flowbook=ground.flowbook,
        desk=desk,
        acd=acd,
        journal=journal,
        folder=folder,
        clock=clock,
        roster=ground.roster,
        mailroom=mailroom,
        drain=drain,
        closures=closures,
    )
    commands = house.commands()
    control = ControlServer(config.run_dir / "hotline.sock", commands)
    journal.readers.append(control.publish)
    ground.roster.on_look = partial(_tell_roster, ground.roster, acd, ground.flowbook)
    return Appliance(
        config=config,
        clock=clock,
        switch=ground.switch,
        store=ground.store,
        roster=ground.roster,
        host=ground.host,
        library=ground.library,
        ears=ears,
        flowbook=ground.flowbook,
        journal=journal,
        folder=folder,
        acd=acd,
        admission=admission,
        desk=desk,
        recovery=recovery,
        drain=drain,
        states=states,
        closures=closures,
        mailroom=mailroom,
        house=house,
        commands=commands,
        control=control,
    )


def _staff(config: Config, clock: Clock) -> tuple[Store, Roster]:
    """Our tables, and who works here. Raises UserError."""
    try:
        store = Store(config.database.url, clock, within=config.database.within)
        roster = Roster(store, config.data_dir / "roster.json", clock)
        roster.open()
    except StoreFailed as error:
        raise UserError(f"database.url: {error}; make or upgrade the tables with: ./appliance.py db init") from error
    return store, roster


def _journal(config: Config, clock: Clock, standing: Standing) -> Journal:
    """Raises UserError."""
    try:
        return Journal(config.data_dir / "journal", clock, standing)
    except JournalBroken as error:
        raise UserError(f"the journal cannot be written: {error}") from error


def _flowbook(
    config: Config, clock: Clock, switch: Switch, library: Library, roster: Roster, *, or_last: bool
) -> Flowbook:
    flowbook = Flowbook(
        config,
        boxes=roster.boxes,
        skills=_skills(roster.agents),
        phones=_phones(roster.agents),
        capabilities=switch.capabilities,
        library=library,
        clock=clock,
        or_last=or_last,
    )
    for problem in flowbook.problems:
        log.error("flows: the files are wrong; mend them and save, and they are taken", problem=str(problem))
    if flowbook.problems:
        log.error("flows: the edition that was in force last serves meanwhile", edition=flowbook.edition.number)
    return flowbook


def _mailroom(ground: _Ground) -> Mailroom:
    return Mailroom(
        ground.config,
        store=ground.store,
        switch=ground.switch,
        clock=ground.clock,
        journal=ground.journal,
        voice=ground.voice,
        language=lambda: ground.flowbook.book.language,
    )


def _acd(ground: _Ground, states: AgentStates, closures: Closures) -> AcdLoop:
    voice = ground.voice
    dialler = AgentDialler(ground.switch, ground.clock, whisper=whispered(voice), ask=asked_to_accept(voice))

    def agent_shown(shown: ShowAgentState) -> None:
        states.show(shown)
        if shown.state is AgentState.LOGGED_OFF:
            dialler.gone(shown.agent)

    def hours(calendar: str) -> HoursState:
        return ClosableCalendars(ground.flowbook.book.calendars, closures).state(calendar, ground.zoned.now())

    return AcdLoop(
        Acd(seed=ground.standing.epoch),  # no two lives give an offer the same id
        clock=ground.clock,
        journal=ground.journal,
        dial=dialler,
        on_agent_state=agent_shown,
        last_agent=partial(_last_agent, ground.store),
        hours=hours,
    )


def _services(
    ground: _Ground, acd: AcdLoop, *, web: Web, ears: SpokenPhrases, closures: Closures, mailroom: Mailroom
) -> Callable[[CallId, Book], Services]:
    """What a call's flow is given, by the call and its book."""
    transfers = Transfers(
        destinations(ground.config),
        ground.config.data_dir,
        ground.clock,
        per_caller=ground.config.transfers.per_caller,
        per_day=ground.config.transfers.per_day,
        today=ground.zoned.now,
        is_agent=lambda phone: acd.agent_with_phone(phone) is not None,
    )
    zoned = ground.zoned

    def services(call: CallId, book: Book) -> Services:
        return Services(
            voice=LibraryVoice(ground.library.with_texts(book.prompts), ground.sounds),
            hosts=Queries(ground.host, book.queries),
            web=web,
            calendars=ClosableCalendars(book.calendars, closures),
            closures=closures,
            transfers=transfers,
            mailboxes=mailroom.mailboxes,
            recordings=mailroom.recordings,
            queues=acd,
            journal=CallJournal(ground.journal, call),
            clock=zoned,
            ears=ears,
        )

    return services


def _desk(
    ground: _Ground, acd: AcdLoop, admission: Admission, services: Callable[[CallId, Book], Services]
) -> CallDesk:
    star_codes = StarCodes(
        agent_of=acd.agent_with_phone,
        set_state=acd.agent_state,
        extend=acd.extend_wrap_up,
        reasons=lambda: ground.flowbook.book.reasons,
        voice=ground.voice,
        language=ground.flowbook.book.language,
        journal=ground.journal,
    )
    desk = CallDesk(
        book=lambda: ground.flowbook.book,
        callers=lambda: Callers(Queries(ground.host, ground.flowbook.book.queries), ground.config.country),
        services=services,
        star_codes=star_codes,
        admission=admission,
        standing=ground.standing,
        journal=ground.journal,
        clock=ground.clock,
    )
    desk.book_of = ground.flowbook.book_of
    return desk


def _tell_roster(roster: Roster, acd: AcdLoop, flowbook: Flowbook) -> None:
    """The ACD hears of the agents, and the next reload of the flows counts on them and on the mailboxes."""
    _tell_agents(roster, acd)
    flowbook.surroundings = replace(
        flowbook.surroundings,
        boxes=roster.boxes,
        skills=_skills(roster.agents) or None,
        phones=_phones(roster.agents),
    )


def _tell_agents(roster: Roster, acd: AcdLoop) -> None:
    acd.set_agents(
        [
            Agent(
                agent.id,
                name=agent.name,
                phone=agent.phone,
                queues=tuple(membership.queue for membership in agent.queues),
                ranks={membership.queue: membership.rank for membership in agent.queues},
                skills=agent.skills,
                wrap_up=None if agent.wrap_up is None else round(agent.wrap_up * 1000),
                permanent=agent.permanent,
                order=agent.order,
            )
            for agent in roster.agents
        ]
    )


def _phones(agents: Sequence[StoredAgent]) -> frozenset[str]:
    return frozenset(agent.phone for agent in agents)


def _skills(agents: Sequence[StoredAgent]) -> frozenset[str]:
    return frozenset(skill for agent in agents for skill in agent.skills)


def _last_agent(store: Store, caller: str) -> str:
    """Whom this caller talked to last; "" for nobody, or when the database cannot be asked now."""
    try:
        return store.last_agent(caller) if caller else ""
    except StoreFailed as error:
        log.warning("the caller's last agent cannot be looked up", error=str(error))
        return ""
