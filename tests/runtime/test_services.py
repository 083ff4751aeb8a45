"""What flows are given: mailboxes that keep only what can be heard, and lose nothing that was said."""

import numpy as np
import pytest

from ivr.services import CannotKeep
from journal.reader import records
from journal.writer import Journal
from runtime.services import StoreMailboxes, audible_seconds
from store.database import Database
from store.schema import upgrade
from store.store import Store
from switch.port import CallId
from switch.shared.clock import RealClock
from switch.simulated.audio import write_wav


def tone(seconds, level=0.3):
    return level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 8000)) / 8000)


class House:
    def __init__(self, directory):
        self.directory = directory
        self.clock = RealClock()
        self.url = f"sqlite:///{directory}/hotline.db"
        database = Database(self.url, self.clock, name="test", threads=1, create=True)
        upgrade(database)
        database.close()
        self.store = Store(self.url, self.clock, threads=1, within=2)
        self.store.add_mailbox("service", limit=2)
        self.journal = Journal(directory / "journal", self.clock)
        self.mailboxes = StoreMailboxes(self.store, directory / "messages", self.clock, self.journal)

    def record(self, samples, visit=1):
        path = self.mailboxes.file_for("service", CallId("call-1"), visit)
        write_wav(path, samples)
        return path

    def keep(self, path, visit=1):
        return self.mailboxes.keep(
            "service", path, call=CallId("call-1"), visit=visit, caller="+8613800000001", caller_name="王"
        )

    def close(self):
        self.journal.close()
        self.store.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def test_a_message_is_kept_with_its_length_and_journaled(house):
    path = house.record(tone(3))
    message = house.keep(path)
    assert (message.box, message.seconds) == ("service", 3.0)
    [stored] = house.store.messages("service")
    assert (stored.id, stored.caller, stored.path) == (message.id, "+8613800000001", str(path))
    assert stored.received.tzinfo is not None
    assert [record["type"] for record in records(house.directory / "journal")] == ["MessageKept"]


def test_the_same_visit_is_kept_once(house):
    path = house.record(tone(3))
    assert house.keep(path).id == house.keep(path).id
    assert len(house.store.messages("service")) == 1


@pytest.mark.parametrize("samples", [np.zeros(24_000), tone(0.4), tone(3, level=0.001)])
def test_silence_is_no_message_and_leaves_no_file(house, samples):
    path = house.record(samples)
    assert house.keep(path) is None
    assert not path.exists()
    assert house.store.messages("service") == []


def test_a_full_mailbox_takes_no_more_and_leaves_no_half_message(house):
    for visit in (1, 2):
        house.keep(house.record(tone(2), visit), visit)
    assert house.mailboxes.full("service")
    path = house.record(tone(2), 3)
    with pytest.raises(CannotKeep):
        house.keep(path, 3)
    assert not path.exists()


def test_what_was_said_survives_a_database_that_is_away_and_the_journal_knows_where(house):
    path = house.record(tone(2))
    house.store.close()
    with pytest.raises(CannotKeep):
        house.keep(path)
    assert path.exists()
    [record] = records(house.directory / "journal")
    assert (record["type"], record["path"]) == ("MessageUnfiled", str(path))


def test_a_file_that_is_no_recording_has_no_audible_seconds(tmp_path):
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    assert audible_seconds(tmp_path / "not.wav") is None
    assert audible_seconds(tmp_path / "missing.wav") is None


def test_message_files_carry_the_call_and_the_visit(house):
    assert house.mailboxes.file_for("service", CallId("c"), 7).name == "c-7.wav"
