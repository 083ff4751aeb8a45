"""What acts on the world is done once, in the assembled house, whenever the appliance is killed."""

import pytest
from gevent.event import Event
from sqlalchemy import text

from crm.host import Host
from runtime.stage import Stage
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from store.database import Database
from switch.shared.clock import RealClock
from tests.runtime import test_house
from tests.runtime.test_recovery import Lives, says

FLOW = """
number: "1000"
languages: [cmn, en]
start: main
steps:
  main:
    menu: {say: main-menu, options: {"1": file, "2": inside}, timeout: 9s}
    otherwise: end
  file:
    save: {query: open_ticket, with: {customer: C00001, kind: complaint, message: m1}, into: ticket}
    next: tell
    failed: sorry-busy
  tell: {say: {cmn: "编号{{ ticket.number }}", en: "Number {{ ticket.number }}"}, next: main}
  inside: {call: {flow: filing, with: {kind: praise}, into: filed}, next: told}
  told: {say: {cmn: "回来{{ filed.number }}", en: "Back {{ filed.number }}"}, next: main}
  sorry-busy: {say: sorry-busy, next: end}
  end: {hangup: {}}
"""
FILING = """
languages: [cmn, en]
takes: [kind]
start: file
steps:
  file:
    save: {query: open_ticket, with: {customer: C00001, kind: "{{ kind }}", message: m2}, into: ticket}
    next: back
    failed: none
  back: {return: {number: "{{ ticket.number }}"}}
  none: {return: {number: none}}
"""


class HeldHost(Host):
    """A database whose commits succeed, and whose answers come when they are let go."""

    def __init__(self, *arguments):
        super().__init__(*arguments, connections=1)
        self.written, self.let_go = Event(), Event()

    def write(self, query, parameters, key):
        row = super().write(query, parameters, key)
        self.written.set()
        self.let_go.wait()
        return row


class Writing(Lives):
    """A hotline that can be killed, with a real CRM behind it."""

    def staged(self, config=None):
        (self.home / "flows" / "filing.yaml").write_text(FILING)
        texts = catalogue.read(self.config.prompts_dir)
        library = Library(self.config.prompts_dir, self.home / "speech", texts, Simulated(), self.clock)
        self.host = HeldHost(self.config.crm.url, self.clock)
        return Stage(
            self.config,
            self.clock,
            self.home,
            library,
            agents_answer_after=None,
            exchange=self.exchange,
            host=self.host,
        )

    def tickets(self):
        crm = Database(self.config.crm.url, RealClock(), name="CRM", threads=1)
        sql = text("select number, kind, key from tickets order by number")
        found = crm.run(lambda connection: [tuple(row) for row in connection.execute(sql)], within=20)
        crm.close()
        return found

    def killed_after_the_commit(self, key):
        """A caller in the step that saves when the appliance is killed: written, and nobody knows."""
        line = self.call()
        line.press(key)
        self.until(self.host.written.is_set)
        self.restart()
        self.host.let_go.set()
        return line


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(test_house, "FLOW", FLOW)
    house = Writing(tmp_path)
    yield house
    house.host.let_go.set()
    house.close()


def test_a_ticket_is_opened_once_and_told_after_the_restart(house):
    line = house.killed_after_the_commit("1")
    house.until(lambda: any("编号" in said for said in says(line)))
    ((number, kind, key),) = house.tickets()
    assert (kind, key) == ("complaint", f"{line.id}-2")
    assert f"编号{number}" in says(line)
    assert [record["key"] for record in house.of(line, "DeedBegun")] == [key, key]
    assert len(house.of(line, "DeedDone")) == 1


def test_the_next_ticket_of_the_same_call_is_another_one(house):
    line = house.killed_after_the_commit("1")
    house.until(lambda: any("编号" in said for said in says(line)))
    line.press("1")
    house.until(lambda: len(house.tickets()) == 2)
    assert len({key for *_, key in house.tickets()}) == 2


def test_a_ticket_in_a_called_flow_is_opened_once_and_told_behind_it(house):
    line = house.killed_after_the_commit("2")
    house.until(lambda: any("回来" in said for said in says(line)))
    ((number, kind, key),) = house.tickets()
    assert (kind, key) == ("praise", f"{line.id}-3")
    assert f"回来{number}" in says(line)
