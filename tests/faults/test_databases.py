"""A database is away, slow, locked or full for a minute: calls go on, and afterwards everything is there, once."""

import sqlite3
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from journal.reader import records, verify
from store import schema
from store.database import Database
from store.store import Store
from switch.shared.clock import RealClock, VirtualClock
from tests.runtime.test_house import CHECKOUT, House

FLOW = """
number: "2000"
languages: [cmn]
start: find
steps:
  find:
    lookup: {query: order_by_number, with: {number: "202611"}, into: order}
    found: told
    missing: end
    failed: sorry
  told: {say: {cmn: "{{ order.status_text }}"}, next: leave}
  sorry: {say: sorry-technical, next: leave}
  leave: {voicemail: {box: service, longest: 10s}, next: end}
  end: {hangup: {}}
"""
MINUTE = 60
OURS, CRM = 0.25, 1.0  # real seconds that a call to either database may take in these tests
ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"


class Databases(House):
    """A house whose databases can be broken from outside, with a flow that asks the one and writes to the other."""

    def __init__(self, home):
        super().__init__(home)
        self.stage.stop()
        self.clock = VirtualClock(datetime.now(UTC))  # near that of the files, whose age says whether they are used
        queries = (CHECKOUT / "flows" / "queries.yaml").read_text()
        short = queries.replace("within: 2s", f"within: {CRM:.0f}s")
        (home / "flows" / "queries.yaml").write_text(short)
        (home / "flows" / "asking.yaml").write_text(FLOW)
        self.ours, self.crm = _on_a_disk_of_its_own(home / "hotline.db"), _on_a_disk_of_its_own(home / "var" / "crm.db")
        with _direct(self.crm) as owner:  # somebody else's: no write-ahead log, so that a writer shuts readers out
            owner.execute("pragma journal_mode = delete")
        database = self.config.database.model_copy(update={"within": OURS})
        self.stage = self.staged(self.config.model_copy(update={"database": database}))
        self.stage.start(ready=())
        self.served = []
        self.state = "LoggedOff"  # of agent 1001

    @property
    def store(self):
        return self.stage.appliance.store

    def walk(self):
        """One call from its beginning to its end, and the exit of its lookup."""
        line = self.call("2000")
        self.until(lambda: self._recording(line) or line.ended is not None)
        self.pass_time(1.5)
        line.speak(4)
        self.pass_time(5)
        line.hang_up()
        self.until(lambda: line.id not in self.desk.in_progress)
        self.served.append(line.id)
        exits = {record["step"]: record["exit"] for record in self.told(line) if record["type"] == "StepLeft"}
        return exits["find"]

    def _recording(self, line):
        last = line.heard[-1] if line.heard else None
        return last is not None and last.path is not None and last.path.stem == "beep"

    def told(self, line):
        return [record for record in records(self.home / "journal") if record["call"] == line.id]

    def everything_is_there_once(self):
        """The tables are what the whole journal folds to, from its first record, in an empty database."""
        self.pass_time(2 * MINUTE)
        assert self.stage.appliance.folder.trouble == ""
        again = self.home / "again.db"
        database = Database(f"sqlite:///{again}", RealClock(), name="again", threads=1, create=True)
        schema.upgrade(database)
        database.close()
        expected, found = (Store(f"sqlite:///{file}", RealClock(), threads=1) for file in (again, self.ours))
        expected.fold(records(self.home / "journal"))
        assert found.interactions() == expected.interactions()
        assert {row.call for row in found.interactions()} == set(self.served)
        assert sorted(message.call for message in found.messages("service")) == sorted(self.served)
        assert found.agent("1001").state == self.state
        expected.close()
        found.close()


@pytest.fixture
def house(tmp_path):
    house = Databases(tmp_path)
    yield house
    house.close()
    found = verify(tmp_path / "journal")
    assert (found.sound, found.open) == (True, 0)


def _on_a_disk_of_its_own(file):
    """The file in a folder that can be taken away with all that SQLite keeps beside it, as a disk is."""
    disk = file.with_suffix("")
    disk.mkdir()
    moved = file.rename(disk / file.name)
    file.symlink_to(moved)
    return moved


@contextmanager
def away(file, _house):
    """The disk is gone, and comes back as it was."""
    disk = file.parent
    aside = disk.rename(f"{disk}.aside")
    yield
    aside.rename(disk)


@contextmanager
def locked(file, _house):
    """Somebody else's transaction holds it."""
    with _direct(file) as other:
        other.execute("begin exclusive")
        yield
        other.execute("rollback")


@contextmanager
def slow(file, _house):
    """Every statement that matters takes for ever."""
    if file.name != "crm.db":
        with _with_each_row(file, f"{ENDLESS};"):
            yield
        return
    with _direct(file) as owner:
        owner.execute("alter table orders rename to kept_orders")
        owner.execute(f"create view orders as select * from kept_orders where ({ENDLESS}) > 0")
        yield
        owner.execute("drop view orders")
        owner.execute("alter table kept_orders rename to orders")


@contextmanager
def full(file, house):
    """No page more than there are, and every new row wants some."""

    def most(pages):
        def work(connection):
            connection.exec_driver_sql(f"pragma max_page_count = {pages}")

        for line, _ in house.store._database._idle:  # the limit is one of each connection
            line.run(work, deadline=time.monotonic() + 5, writes=False)

    with _direct(file) as other:
        other.execute("create table filler (bytes)")
    with _with_each_row(file, "insert into filler values (zeroblob(1000000));"):
        most(1)  # as many as there are
        yield
        most(2**30)


@contextmanager
def _with_each_row(file, happens):
    """Something that happens in the database with each new interaction and message."""
    tables = ("interactions", "messages")
    with _direct(file) as other:
        for table in tables:
            other.execute(f"create trigger trouble_{table} before insert on {table} begin {happens} end")
        yield
        for table in tables:
            other.execute(f"drop trigger trouble_{table}")


@contextmanager
def _direct(file):
    connection = sqlite3.connect(file, isolation_level=None, timeout=5)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("fault", [away, locked, slow], ids=lambda fault: fault.__name__)
def test_while_the_crm_is_in_trouble_lookups_fail_in_time_and_calls_go_on(house, fault):
    assert house.walk() == "found"
    with fault(house.crm, house):
        began = house.clock.now()
        assert house.walk() == "failed"
        house.pass_time(MINUTE - (house.clock.now() - began) / 1000)
        assert house.walk() == "failed"
    assert house.walk() == "found"
    house.everything_is_there_once()


@pytest.mark.parametrize("fault", [away, locked, slow, full], ids=lambda fault: fault.__name__)
def test_while_our_tables_are_in_trouble_calls_go_on_and_folding_waits(house, fault):
    house.walk()
    with fault(house.ours, house):
        began = house.clock.now()
        assert house.walk() == "found"
        house.stage.ready("1001")
        house.state = "Ready"
        house.pass_time(MINUTE - (house.clock.now() - began) / 1000)
        assert house.stage.appliance.folder.trouble.startswith("the database does not answer")
        assert house.status()["troubles"]
        assert house.walk() == "found"
    house.everything_is_there_once()
