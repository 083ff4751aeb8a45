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
from ivr.language.templates import CannotEvaluate, template
from ivr.services import CannotSpeak, HoursState, Services, Web
from journal.writer import Journal, JournalBroken
from runtime.acd_loop import AcdLoop
from runtime.admission import Admission
from runtime.agent_leg import AgentDialler, Offered
from runtime.calls import CallDesk
from runtime.closures import ClosableCalendars, Closures
from runtime.control import House
from runtime.draining import Drain
from runtime.flowbook import Book, Flowbook, destinations
from runtime.folding import Folder
from runtime.mailroom import Mailroom
from runtime.recovery import Recovery
from runtime.services import CallJournal, LibraryVoice, ZonedClock
from runtime.spoken_phrases import SpokenPhrases
from runtime.standing import Standing, new_life
from runtime.star_codes import StarCodes
from runtime.states import AgentStates
from runtime.transfers import Transfers
from speech.ears import Ears
from speech.library import Library
from store.rows import Agent as StoredAgent
from store.store import Store, StoreFailed
from switch.port import CallId, Media, Switch
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Appliance:
    """Every part of a running house. `start` and `stop` are its whole life."""

    config: Config
    clock: Clock
    switch: Switch
    store: Store
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
        agents = load_agents(self.store, self.acd)
        self.acd.load(self.flowbook.book.queues)
        self.recovery.restore(known_agents={agent.id: (agent.state, agent.reason) for agent in agents})
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
        self.states.stop()
        self.host.close()
        self.store.close()
        self.library.close()
        self.ears.close()


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
) -> Appliance:
    """The house that a configuration describes, ready to be started. Raises UserError.

    `standing` is what the life before left, where somebody has read it already; `sounds` is the folder of the beep,
    `host` the CRM, `web` all web services, where they are not the configuration's own.
    """
    try:
        store = Store(config.database.url, clock, within=config.database.within)
        agents = store.agents()
        boxes = [box.name for box in store.boxes()]
    except StoreFailed as error:
        raise UserError(f"database.url: {error}; make or upgrade the tables with: ./appliance.py db init") from error
    ears = SpokenPhrases(Ears(config.speech), config.data_dir / "utterances", clock)
    try:
        standing = standing or new_life(config.data_dir / "journal", clock.wall())
        journal = Journal(config.data_dir / "journal", clock, standing)
    except JournalBroken as error:
        raise UserError(f"the journal cannot be written: {error}") from error
    host = host or Host(config.crm.url, clock, connections=config.crm.connections)
    asked = web or open_web(config.web, clock)
    flowbook = Flowbook(
        config,
        boxes=boxes,
        skills=_skills(agents),
        phones=_phones(agents),
        capabilities=switch.capabilities,
        library=library,
        clock=clock,
    )
    voice = LibraryVoice(library, sounds or config.sounds_dir)
    zoned = ZonedClock(clock, config.zone)
    states = AgentStates(store, clock)
    closures = Closures(config.data_dir, clock, note=journal.append)
    mailroom = Mailroom(
        config,
        store=store,
        switch=switch,
        clock=clock,
        journal=journal,
        voice=voice,
        language=lambda: flowbook.book.language,
    )

    dialler = AgentDialler(switch, clock, whisper=_whisper(voice), ask=_accept(voice))

    def agent_shown(shown: ShowAgentState) -> None:
        states.show(shown)
        if shown.state is AgentState.LOGGED_OFF:
            dialler.gone(shown.agent)

    def hours(calendar: str) -> HoursState:
        return ClosableCalendars(flowbook.book.calendars, closures).state(calendar, zoned.now())

    acd = AcdLoop(
        Acd(seed=standing.epoch),  # no two lives give an offer the same id
        clock=clock,
        journal=journal,
        dial=dialler,
        on_agent_state=agent_shown,
        last_agent=partial(_last_agent, store),
        hours=hours,
    )

    transfers = Transfers(
        destinations(config),
        config.data_dir,
        clock,
        per_caller=config.transfers.per_caller,
        per_day=config.transfers.per_day,
        today=zoned.now,
        is_agent=lambda phone: acd.agent_with_phone(phone) is not None,
    )

    def services(call: CallId, book: Book) -> Services:
        return Services(
            voice=LibraryVoice(library.with_texts(book.prompts), sounds or config.sounds_dir),
            hosts=Queries(host, book.queries),
            web=asked,
            calendars=ClosableCalendars(book.calendars, closures),
            closures=closures,
            transfers=transfers,
            mailboxes=mailroom.mailboxes,
            recordings=mailroom.recordings,
            queues=acd,
            journal=CallJournal(journal, call),
            clock=zoned,
            ears=ears,
        )

    star_codes = StarCodes(
        agent_of=acd.agent_with_phone,
        set_state=acd.agent_state,
        extend=acd.extend_wrap_up,
        reasons=lambda: flowbook.book.reasons,
        voice=voice,
        language=flowbook.book.language,
        journal=journal,
    )
    limits = config.limits
    admission = Admission(clock, calls=limits.calls, per_second=limits.calls_per_second, lag=limits.hub_lag)
    desk = CallDesk(
        book=lambda: flowbook.book,
        callers=lambda: Callers(Queries(host, flowbook.book.queries), config.country),
        services=services,
        star_codes=star_codes,
        admission=admission,
        standing=standing,
        journal=journal,
        clock=clock,
    )
    recovery = Recovery(
        standing, switch=switch, desk=desk, acd=acd, mailboxes=mailroom.mailboxes, journal=journal, clock=clock
    )
    drain = Drain(desk, standing, clock)
    desk.book_of = flowbook.book_of
    folder = Folder(journal, store, clock, keep=timedelta(days=config.journal.keep))
    house = House(
        switch=switch,
        flowbook=flowbook,
        desk=desk,
        acd=acd,
        journal=journal,
        folder=folder,
        clock=clock,
        reload_agents=lambda: len(load_agents(store, acd)),
        look_around=lambda: _look_around(store, flowbook),
        mailroom=mailroom,
        drain=drain,
        closures=closures,
    )
    commands = house.commands()
    control = ControlServer(config.run_dir / "hotline.sock", commands)
    journal.readers.append(control.publish)
    return Appliance(
        config,
        clock,
        switch,
        store,
        host,
        library,
        ears,
        flowbook,
        journal,
        folder,
        acd,
        admission,
        desk,
        recovery,
        drain,
        states,
        closures,
        mailroom,
        house,
        commands,
        control,
    )


def load_agents(store: Store, acd: AcdLoop) -> Sequence[StoredAgent]:
    """Tells the ACD who the store's agents are, and returns them. Raises StoreFailed."""
    agents = store.agents()
    for agent in agents:
        acd.set_agent(
            Agent(
                agent.id,
                name=agent.name,
                phone=agent.phone,
                queues=tuple(membership.queue for membership in agent.queues),
                ranks={membership.queue: membership.rank for membership in agent.queues},
                skills=agent.skills,
                wrap_up=None if agent.wrap_up is None else round(agent.wrap_up * 1000),
                permanent=agent.permanent,
            )
        )
    return agents


def _look_around(store: Store, flowbook: Flowbook) -> None:
    """Lets the next reload of the flows count on the mailboxes and skills that there are now."""
    try:
        boxes, agents = [box.name for box in store.boxes()], store.agents()
    except StoreFailed:
        return  # what was known before is the best that is known
    flowbook.surroundings = replace(
        flowbook.surroundings, boxes=boxes, skills=_skills(agents) or None, phones=_phones(agents)
    )


def _phones(agents: Sequence[StoredAgent]) -> frozenset[str]:
    return frozenset(agent.phone for agent in agents)


def _skills(agents: Sequence[StoredAgent]) -> frozenset[str]:
    return frozenset(skill for agent in agents for skill in agent.skills)


def _whisper(voice: LibraryVoice) -> Callable[[Offered], Sequence[Media]]:
    """What an agent hears before the caller: the queue, and the caller's name where it is known."""

    def whisper(offered: Offered) -> Sequence[Media]:
        language, name = offered.request.language, offered.request.caller.name
        queue = voice.catalogue_text(f"queue-{offered.queue}", language) or offered.queue
        prompt = voice.catalogue_text("whisper-named" if name else "whisper", language)
        try:
            said = template(prompt).speech({"queue": queue, "name": name}, language)
        except (CannotEvaluate, ValueError) as error:
            raise CannotSpeak(f"whisper: {error}") from error
        return voice.text(said, language)

    return whisper


def _accept(voice: LibraryVoice) -> Callable[[Offered], Sequence[Media]]:
    """What an agent at any telephone hears behind the whisper."""
    return lambda offered: voice.prompt("press-to-accept", offered.request.language)


def _last_agent(store: Store, caller: str) -> str:
    """Whom this caller talked to last; "" for nobody, or when the database cannot be asked now."""
    try:
        return store.last_agent(caller) if caller else ""
    except StoreFailed as error:
        log.warning("the caller's last agent cannot be looked up", error=str(error))
        return ""
