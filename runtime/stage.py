"""A hotline on the simulated exchange: for `call`, `demo`, scenarios and tests.

Its journal, messages and tables are scratch; its flows, prompts and CRM are the real ones. So a
simulated call hears what a real caller would, and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from acd.model import AgentState
from config.appliance import SQLITE, Config
from crm.catalogue import Query
from crm.host import Host, QueryFailed, Row
from crm.web import picked
from ivr.services import WebFailed, WebRequest
from runtime.assembly import Appliance, assemble
from speech.library import Library
from store.database import Database, Reason
from store.demo import add_agents, add_boxes
from store.schema import upgrade
from store.store import Store, StoreFailed
from switch.shared.clock import Clock, RealClock
from switch.simulated import Exchange, Phone, SimulatedSwitch

TABLES = "hotline.db"


def make_tables(config: Config, scratch: Path) -> None:
    """Makes scratch tables with the agents and mailboxes of the real ones, or of the demo where there are none."""
    url = f"{SQLITE}{scratch / TABLES}"
    clock = RealClock()
    database = Database(url, clock, name="scratch", threads=1, create=True)
    upgrade(database)
    database.close()
    store = Store(url, clock, threads=1)
    try:
        _copy(config, store, clock)
        add_boxes(store)
        add_agents(store)
    finally:
        store.close()


def _copy(config: Config, scratch: Store, clock: Clock) -> None:
    try:
        real = Store(config.database.url, clock, threads=1, within=config.database.within)
        try:
            boxes, agents = real.boxes(), real.agents()
        finally:
            real.close()
    except StoreFailed:
        return  # not set up yet; the demo's stand in
    for box in boxes:
        scratch.add_mailbox(box.name, greeting=box.greeting, limit=box.limit)
    for agent in agents:
        scratch.add_agent(
            agent.id,
            agent.name,
            skills=agent.skills,
            queues=agent.queues,
            phone=agent.phone,
            order=agent.order,
        )


class StagedHost(Host):
    """The CRM, which a scenario can take away or make slow."""

    def __init__(self, url: str, clock: Clock, *, connections: int) -> None:
        super().__init__(url, clock, connections=connections, rehearsal=True)
        self._time = clock
        self.state = "up"

    def ask(self, query: Query, parameters: Mapping[str, object]) -> Row | None:
        self._suffer(query)
        return super().ask(query, parameters)

    def write(self, query: Query, parameters: Mapping[str, object], key: str) -> Row | None:
        self._suffer(query)
        return super().write(query, parameters, key)

    def _suffer(self, query: Query) -> None:
        if self.state == "down":
            raise QueryFailed(Reason.DOWN, "the CRM is down, as the scenario says")
        if self.state == "slow":
            self._time.sleep(query.within)
            raise QueryFailed(Reason.SLOW, "the CRM is slow, as the scenario says")


class StagedWeb:
    """`ivr.services.Web` where nobody outside is asked: every service gives one answer, which a scenario may set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answer = "down"  # or slow, or a JSON text

    def ask(self, request: WebRequest) -> Mapping[str, object] | None:
        if self.answer == "down":
            raise WebFailed("nobody outside is asked in a simulated call")
        if self.answer == "slow":
            self._clock.sleep(request.within)
            raise WebFailed(f"no answer in {request.within:g} s")
        return picked(self.answer.encode(), request.wanted) if request.wanted else None


class Stage:
    """The assembled house over an exchange, with every agent's phone on it.

    `scratch` holds the tables that `make_tables` made, and whatever the calls write. With an `exchange` on which
    an earlier stage was killed, this one is the house's next life.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        scratch: Path,
        library: Library,
        *,
        agents_answer_after: float | None,
        agents_talk_for: float | None = None,
        host: Host | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        self.clock = clock
        self.exchange = exchange or Exchange(clock, music=config.sounds_dir)
        self.switch = SimulatedSwitch(self.exchange)
        staged = config.model_copy(
            update={
                "data_dir": scratch,
                "database": config.database.model_copy(update={"url": f"{SQLITE}{scratch / TABLES}"}),
            }
        )
        host = host or Host(config.crm.url, clock, connections=config.crm.connections, rehearsal=True)
        self.web = StagedWeb(clock)
        self.appliance: Appliance = assemble(
            staged, clock=clock, switch=self.switch, library=library, sounds=config.sounds_dir, host=host, web=self.web
        )
        self.phones = {agent.id: agent.phone for agent in self.appliance.roster.agents}
        for agent in self.appliance.roster.agents:
            self.exchange.phones[agent.phone] = Phone(
                agent.phone,
                answers_after=agents_answer_after,
                talks_for=agents_talk_for,
                says=f"{agent.name} ({agent.id})",
            )

    def start(self, *, ready: Collection[str] | None = None) -> None:
        """Opens the house; the agents named (None: all) are Ready."""
        self.appliance.start()
        self.appliance.recovery.take_up()
        self.appliance.recovery.start()
        for agent in self.phones if ready is None else ready:
            self.ready(agent)

    def ready(self, agent: str) -> None:
        self.appliance.acd.agent_state(agent, AgentState.READY)

    def not_ready(self, agent: str) -> None:
        self.appliance.acd.agent_state(agent, AgentState.NOT_READY, "break")

    def stop(self) -> None:
        self.appliance.stop()

    def kill(self) -> None:
        """As kill -9 does: nothing that was still to be done is done, and the exchange lives on."""
        self.appliance.desk.close()
        self.appliance.acd.stop()
        self.appliance.journal.close()
        self.switch.die()
        self.appliance.stop()


def open_stage(config: Config, clock: Clock, scratch: Path, library: Library) -> Stage:
    """A stage on which agents answer and talk for as long as `switch.simulated` says."""
    simulated = config.switch.simulated
    return Stage(
        config,
        clock,
        scratch,
        library,
        agents_answer_after=simulated.agent_answers_after,
        agents_talk_for=simulated.agent_talks_for,
    )
