"""Recordings of calls: whole, in the index, for nobody else's eyes, and gone when they may be kept no longer."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ivr.services import CannotKeep
from journal.reader import records
from journal.writer import Journal
from runtime import recordings
from runtime.filing import remove_slip
from runtime.recordings import StoreRecordings
from runtime.retention import Retention
from store.database import Database, DatabaseFailed, Reason
from store.schema import upgrade
from store.store import Store
from switch.port import CallId
from switch.shared.clock import VirtualClock
from switch.simulated.audio import write_wav

NOW = datetime.now(UTC)  # files have the machine's own times
CALL = CallId("call-1")


class House:
    def __init__(self, directory):
        self.directory = directory
        self.clock = VirtualClock(NOW)
        url = f"sqlite:///{directory}/hotline.db"
        database = Database(url, self.clock, name="test", threads=1, create=True)
        upgrade(database)
        database.close()
        self.store = Store(url, self.clock, threads=1, within=2)
        self.journal = Journal(directory / "journal", self.clock)
        self.asked = 0
        self.recordings = self.opened()

    def opened(self):
        """Recordings as a process has them."""
        folder = self.directory / "recordings"
        return StoreRecordings(self.store, folder, self.clock, self.journal, keep=90, on_unfiled=self.on_unfiled)

    def on_unfiled(self):
        self.asked += 1

    def begin(self, seconds=2.0, keep_days=None):
        path = self.recordings.file_for(CALL, flow="hotline", queue="service", agent="1001", keep_days=keep_days)
        write_wav(path, np.full(int(seconds * 8000), 0.2))
        return path

    def left(self):
        return sorted(path.name for path in (self.directory / "recordings").rglob("*") if path.is_file())

    def close(self):
        self.journal.close()
        self.store.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def away(house, monkeypatch):
    """The database is away, until the test undoes it."""

    def refuse(*_, **__):
        raise DatabaseFailed(Reason.DOWN, "the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(house.store._database, "run", refuse)
        yield patched


def test_a_recording_is_in_the_index_with_call_queue_and_agent(house):
    path = house.begin()
    house.recordings.keep(path, 2.0)
    [kept] = house.store.recordings.list()
    assert (kept.call, kept.flow, kept.queue, kept.agent) == (CALL, "hotline", "service", "1001")
    assert (kept.seconds, kept.path, kept.started) == (2.0, str(path), NOW)
    assert kept.keep_until == NOW + timedelta(days=90)
    assert house.left() == [path.name]
    [record] = records(house.directory / "journal")
    assert (record["type"], record["call"], record["agent"]) == ("RecordingKept", CALL, "1001")


def test_a_recording_is_for_nobody_else_under_a_name_that_nobody_guesses(house):
    first, second = house.begin(), house.begin()
    first.chmod(0o666)
    house.recordings.keep(first, 2.0)
    assert stat.S_IMODE(first.stat().st_mode) == 0o640
    assert stat.S_IMODE(first.parent.stat().st_mode) & 0o007 == 0
    assert first.name != second.name
    assert len(first.stem) >= 32


@pytest.mark.parametrize(("days", "until"), [(None, 90), (7, 7)])
def test_a_recording_goes_when_its_time_is_over_and_its_row_with_it(house, days, until):
    path = house.begin(keep_days=days)
    house.recordings.keep(path, 2.0)
    retention = Retention(house.store, house.clock, house.journal)
    house.clock.run_until(lambda: False, longest=until * 86_400 - 1)
    retention()
    assert path.exists()
    house.clock.run_until(lambda: False, longest=1)
    retention()
    assert house.left() == []
    assert house.store.recordings.list() == []


def test_a_recording_that_came_to_nothing_leaves_nothing(house):
    path = house.begin()
    house.recordings.discard(path)
    assert house.left() == []


def test_without_the_database_the_recording_is_indexed_later(house, away):
    path = house.begin()
    house.recordings.keep(path, 2.0)
    assert (house.recordings.file_waiting(), house.asked) == (1, 1)
    away.undo()
    assert house.recordings.file_waiting() == 0
    assert [kept.path for kept in house.store.recordings.list()] == [str(path)]
    assert house.left() == [path.name]


def test_a_recording_of_a_call_that_outlived_the_appliance_is_kept_by_the_next_one(house):
    path = house.begin()
    house.clock.run_until(lambda: False, longest=1)
    house.opened().keep(path, 2.0)
    [kept] = house.store.recordings.list()
    assert (kept.queue, kept.started) == ("service", NOW)


def test_what_the_last_process_left_is_filed_once_nobody_writes_it_any_more(house, monkeypatch):
    path = house.begin()
    house.clock.run_until(lambda: False, longest=1)
    later = house.opened()
    assert later.file_waiting() == 1
    monkeypatch.setattr(recordings, "STILL_WRITTEN", float("-inf"))
    assert later.file_waiting() == 0
    assert [Path(kept.path) for kept in house.store.recordings.list()] == [path]


def test_a_recording_under_way_is_not_filed(house):
    house.begin()
    assert house.recordings.file_waiting() == 0
    assert house.store.recordings.list() == []


def test_without_the_right_to_write_nothing_is_recorded(house):
    (house.directory / "recordings").write_text("a file where the folder should be")
    with pytest.raises(CannotKeep):
        house.begin()


def test_a_recording_that_was_left_to_the_switch_is_filed_once_nobody_writes_to_it(house, monkeypatch):
    path = house.begin()
    house.recordings.leave(path)
    assert house.asked == 1
    assert house.recordings.file_waiting() == 1
    monkeypatch.setattr(recordings, "STILL_WRITTEN", float("-inf"))
    assert house.recordings.file_waiting() == 0
    assert [Path(kept.path) for kept in house.store.recordings.list()] == [path]


def test_a_recording_that_was_left_and_came_back_with_its_call_is_kept(house):
    path = house.begin()
    house.recordings.leave(path)
    remove_slip(path)  # as of one that is with the switch for more than an hour
    house.recordings.keep(path, 2.0)
    assert [Path(kept.path) for kept in house.store.recordings.list()] == [path]
    assert house.left() == [path.name]


def test_a_recording_whose_call_never_came_back_is_forgotten_after_a_day(house, away):
    path = house.begin()
    house.recordings.leave(path)
    house.clock.run_until(lambda: False, longest=25 * 3600)
    house.recordings.file_waiting()
    assert house.recordings._left == {}
