"""The simulated exchange gives the same journal as real switches: the golden files of tests/live/golden/ bind all."""

import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from commands import main
from config.appliance import read
from journal.reader import Tail
from provision import music
from runtime.stage import TABLES, Stage, make_tables
from speech.library import open_library
from store.rows import Membership
from store.store import Store
from switch.port import Cause
from switch.shared.clock import RealClock, VirtualClock
from switch.simulated import Phone
from tests import golden, golden_calls

CHECKOUT = Path(__file__).resolve().parents[2]
LIVE = CHECKOUT / "tests" / "live" / "flows"
SPEECH = CHECKOUT / "var" / "live" / "speech"  # what live tests had spoken need not be spoken again
OF_THE_STORIES = ("calendars.yaml", "queues.yaml", "message.yaml", "quick.yaml", "unlucky.yaml")
DESK = ("desk", "2000", ("3001", "4001"))


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    """A folder with the flows of the live tests and one desk, tables and a CRM; its configuration."""
    home = tmp_path_factory.mktemp("golden")
    unwanted = shutil.ignore_patterns("*.test.yaml", "*.template")
    shutil.copytree(CHECKOUT / "flows", home / "flows", ignore=unwanted)
    for name in OF_THE_STORIES:
        shutil.copy(LIVE / name, home / "flows")
    queue, number, agents = DESK
    manners = (LIVE / "queues.yaml").read_text().partition("service:")[2]
    with (home / "flows" / "queues.yaml").open("a") as queues:
        queues.write(f"\n{queue}:{manners}")
    with (home / "flows" / "queries.yaml").open("a") as queries:
        queries.write((LIVE / "queries.more").read_text())
    desk = (LIVE / "desk.template").read_text().format(number=number, queue=queue)
    (home / "flows" / f"{queue}.yaml").write_text(desk)
    settings = home / "appliance.yaml"
    settings.write_text(f"prompts-dir: {CHECKOUT / 'prompts'}\n")
    config = read(settings)
    config.data_dir.mkdir()
    SPEECH.mkdir(parents=True, exist_ok=True)
    (config.data_dir / "speech").symlink_to(SPEECH)
    assert main(["--config", str(settings), "db", "init"], CHECKOUT) == 0
    music.make(config.sounds_dir)
    columns = ", ".join(golden_calls.ORDER)
    with sqlite3.connect(config.crm.url.removeprefix("sqlite:///")) as crm:
        crm.execute(f"insert into orders ({columns}) values (:number, :status, :status_text, :eta)", golden_calls.ORDER)
    crm.close()
    make_tables(config, home)
    store = Store(f"sqlite:///{home / TABLES}", RealClock(), threads=1)
    for agent in agents:
        store.add_agent(agent, f"Agent {agent}", skills={}, queues=[Membership(queue)])
    store.close()
    return config


class SimulatedHouse(golden_calls.House):
    """The assembled house on the simulated exchange, in virtual time."""

    queue, number, agents = DESK

    def __init__(self, stage, clock):
        super().__init__()
        self.stage, self.clock = stage, clock
        self._tail = Tail(stage.appliance.journal.directory)
        self._records = []
        self._rung = {}
        stage.exchange.on_phone_rings.append(lambda line: self._rung.__setitem__(line.dialled, line))

    def dial(self, number, caller):
        return SimulatedFar(self, self.stage.exchange.ring_in(number, caller))

    def dial_as(self, agent, number):
        return SimulatedFar(self, self.stage.exchange.ring_in(number, agent, account=agent))

    def at_work(self, agent, how):
        self.stage.exchange.phones[agent] = Phone(
            agent,
            answers_after=0.3 if how is golden_calls.ANSWERS else None,
            refuses=Cause.REJECTED if how is golden_calls.DECLINES else None,
        )
        self.stage.ready(agent)

    def rung(self, agent):
        self.until(lambda: agent in self._rung, f"the phone of {agent} to ring")
        return SimulatedFar(self, self._rung[agent], ours=False)

    def until(self, true, what):
        assert self.clock.run_until(true, longest=60), f"waited 60 s for {what}"

    def records(self):
        self._records += self._tail.read()
        return self._records

    def state(self, agent):
        return next(view.state for view in self.stage.appliance.acd.agents() if view.id == agent)


class SimulatedFar(golden_calls.Far):
    def __init__(self, house, line, *, ours=True):
        super().__init__(house)
        self._line = line
        self.call = str(line.id)
        if ours:
            house.calls.append(self.call)

    def press(self, keys):
        for key in keys:
            self._line.press(key)

    def speak(self):
        self._line.speak(60)

    def listen(self, seconds):
        self.house.clock.run_until(lambda: False, longest=seconds)

    def hang_up(self):
        self._line.hang_up()


@pytest.fixture
def house(laid_out, tmp_path):
    clock = VirtualClock(datetime(2026, 11, 24, 10, tzinfo=laid_out.zone))
    shutil.copy(laid_out.data_dir.parent / TABLES, tmp_path / TABLES)
    library, voices = open_library(laid_out, clock)
    stage = Stage(laid_out, clock, tmp_path, library, agents_answer_after=None)
    stage.start(ready=())
    clock.run_until(lambda: True, longest=0)
    made = SimulatedHouse(stage, clock)
    made.records().clear()
    yield made
    stage.stop()
    voices.close()


@pytest.mark.parametrize("call", golden_calls.CALLS, ids=golden_calls.name)
def test_the_journal_is_the_golden_one(house, call):
    call(house)
    difference = golden.difference(golden_calls.name(call), house.journal())
    if difference:
        pytest.fail(difference, pytrace=False)
