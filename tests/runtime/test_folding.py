"""Folding: what a power cut took back is folded anew, and nothing that it may take back is folded at all."""

import errno
import os
from datetime import UTC, datetime, timedelta

import gevent
import pytest
from structlog.testing import capture_logs

from journal.reader import segments
from journal.writer import Journal
from runtime import folding
from runtime.folding import Folder
from store.database import Database
from store.schema import upgrade
from store.store import Store
from switch.shared.clock import VirtualClock

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class House:
    """A journal and its tables, over as many lives as the test wants."""

    def __init__(self, directory):
        self.directory = directory / "journal"
        self.clock = VirtualClock(MONDAY)
        url = f"sqlite:///{directory}/hotline.db"
        database = Database(url, self.clock, name="test", threads=1, create=True)
        upgrade(database)
        database.close()
        self.store = Store(url, self.clock, threads=1)
        self.begin()

    def begin(self):
        self.journal = Journal(self.directory, self.clock)
        self.folder = Folder(self.journal, self.store, self.clock, keep=timedelta(days=9))

    def call(self, name):
        self.journal.append("CallArrived", name, caller="1", dialled="1000")
        self.journal.append("CallEnded", name, cause="normal", outcome="flow ended")

    def loses(self, lines):
        """The power is cut: so many lines of the journal were not on the disk yet."""
        self.journal.close()
        segment = segments(self.directory)[-1]
        segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-lines]))

    def folded(self):
        return {row.call: row.outcome for row in self.store.interactions()}

    def close(self):
        self.journal.close()
        self.store.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def test_what_is_not_on_the_disk_yet_is_not_folded(house, monkeypatch):
    house.call("flushed")
    house.folder.fold()

    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    house.call("unflushed")
    house.folder.fold()
    assert house.folded() == {"flushed": "flow ended"}
    assert house.folder.trouble == "the journal cannot be flushed: Input/output error"
    monkeypatch.undo()
    house.folder.fold()
    assert house.folded() == {"flushed": "flow ended", "unflushed": "flow ended"}
    assert not house.folder.trouble


def test_what_the_life_before_wrote_is_flushed_before_it_is_folded(house, monkeypatch):
    house.call("before")
    house.journal.close()
    house.begin()

    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    house.folder.fold()
    assert house.folded() == {}


def test_calls_that_get_the_numbers_of_lost_records_are_folded(house):
    for name in ("old-1", "old-2", "old-3"):
        house.call(name)
    house.folder.fold()
    house.loses(lines=4)
    house.begin()
    house.call("new-1")
    with capture_logs() as logs:
        house.folder.fold()
        house.folder.fold()
    assert [(told["log_level"], told["lost"], told["after"]) for told in logs] == [("error", 4, 2)]
    assert set(house.folded()) == {"old-1", "old-2", "old-3", "new-1"}
    assert house.store.last_folded() == 4


def test_a_journal_that_is_longer_than_before_when_the_database_comes_back_is_still_known_to_have_lost_its_end(house):
    house.call("old-1")
    house.call("old-2")
    house.folder.fold()
    house.loses(lines=2)
    house.begin()
    for number in range(1, 5):
        house.call(f"new-{number}")
    house.folder.fold()
    assert set(house.folded()) == {"old-1", "old-2", "new-1", "new-2", "new-3", "new-4"}


def test_a_journal_that_has_lost_nothing_is_folded_on_without_a_word(house):
    house.call("old")
    house.folder.fold()
    house.journal.close()
    house.begin()
    house.call("new")
    with capture_logs() as logs:
        house.folder.fold()
    assert logs == []
    assert set(house.folded()) == {"old", "new"}


def takes(store, clock, monkeypatch, seconds):
    """A database that needs so long for a transaction."""
    fold = store.fold

    def slowly(batch):
        clock.sleep(seconds)
        fold(batch)

    monkeypatch.setattr(store, "fold", slowly)


def stopped(house):
    """How many seconds of the clock a stop takes."""
    began = house.clock.now()
    stopping = gevent.spawn(house.folder.stop)
    assert house.clock.run_until(stopping.ready, longest=600)
    stopping.get()
    return (house.clock.now() - began) / 1000


def test_a_stop_leaves_a_backlog_to_the_next_start(house, monkeypatch):
    takes(house.store, house.clock, monkeypatch, 0.3)
    house.journal.append_all([("CallArrived", f"c{n}", {"caller": "1"}) for n in range(10_000)])
    house.folder.start()
    house.clock.run_until(lambda: False, longest=0.2)
    house.journal.close()
    assert stopped(house) <= 1.5
    folded = house.store.last_folded()
    assert 0 < folded < 10_000
    house.begin()
    monkeypatch.undo()
    house.folder.fold()
    assert house.store.last_folded() == len(house.store.interactions(limit=20_000)) == 10_000


def test_what_came_last_is_folded_at_a_stop(house, monkeypatch):
    takes(house.store, house.clock, monkeypatch, 0.3)
    house.folder.start()
    house.clock.run_until(lambda: False, longest=1)
    house.call("last")
    house.journal.close()
    stopped(house)
    assert house.folded() == {"last": "flow ended"}


def test_a_stop_does_not_wait_for_a_database_that_hangs(house, monkeypatch):
    takes(house.store, house.clock, monkeypatch, 300)
    house.call("last")
    house.folder.start()
    house.clock.run_until(lambda: False, longest=1)
    assert stopped(house) <= 2


def test_an_error_of_the_program_itself_ends_no_folding_and_is_logged_once(house, monkeypatch):
    def breaks(_):
        raise KeyError("cause")

    monkeypatch.setattr(house.store, "fold", breaks)
    house.call("first")
    house.folder.start()
    with capture_logs() as logs:
        house.clock.run_until(lambda: False, longest=60)
    assert [told["log_level"] for told in logs] == ["error"]
    assert house.folder.trouble == "an error of the program itself: KeyError('cause')"
    monkeypatch.undo()
    house.call("second")
    house.clock.run_until(lambda: False, longest=60)
    assert house.folded() == {"first": "flow ended", "second": "flow ended"}
    assert house.folder.trouble == ""
    stopped(house)


def test_old_segments_are_looked_for_every_hour_whatever_the_time_of_day(house, monkeypatch):
    looked = []
    monkeypatch.setattr(folding, "drop_old", lambda *_, **__: looked.append(house.clock.now()) or [])
    house.folder.fold()
    house.clock._start -= timedelta(days=1)
    for _ in range(4):
        house.clock.run_until(lambda: False, longest=1800)
        house.folder.fold()
    assert looked == [0, 3_600_000, 7_200_000]
