"""Mailboxes keep only what can be heard, lose nothing that was said, and show it to nobody else."""

import stat
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ivr.language.phrases import Prompt
from ivr.services import CannotKeep, MailboxAway
from journal.reader import records
from journal.writer import Journal
from runtime import filing, mailboxes
from runtime.filing import audible_seconds
from runtime.lights import Lights
from runtime.mailboxes import StoreMailboxes
from runtime.retention import Retention
from store.database import Database, DatabaseFailed, Reason
from store.schema import upgrade
from store.store import Store
from switch.port import CallId, Sound
from switch.shared.clock import VirtualClock
from switch.simulated import Exchange, Phone, SimulatedSwitch
from switch.simulated.audio import write_wav

NOW = datetime.now(UTC)  # files have the machine's own times


def tone(seconds, level=0.3):
    return level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 8000)) / 8000)


class House:
    def __init__(self, directory):
        self.directory = directory
        self.clock = VirtualClock(NOW)
        self.url = f"sqlite:///{directory}/hotline.db"
        database = Database(self.url, self.clock, name="test", threads=1, create=True)
        upgrade(database)
        database.close()
        self.store = Store(self.url, self.clock, threads=1, within=2)
        self.store.add_mailbox("service", limit=2, pin="2580", phones=["1001"], keep_days=30)
        self.journal = Journal(directory / "journal", self.clock)
        self.changes = 0
        self.mailboxes = self.opened()

    def opened(self):
        """Mailboxes as a process has them."""
        return StoreMailboxes(
            self.store, self.directory / "messages", self.clock, self.journal, on_change=self.on_change
        )

    def on_change(self):
        self.changes += 1

    def file_for(self, visit=1):
        return self.mailboxes.file_for("service", CallId("call-1"), visit, caller="+8613800000001", caller_name="王")

    def record(self, samples, visit=1):
        path = self.file_for(visit)
        write_wav(path, samples)
        return path

    def keep(self, path, visit=1):
        return self.mailboxes.keep(
            "service", path, call=CallId("call-1"), visit=visit, caller="+8613800000001", caller_name="王"
        )

    def lose_the_database(self, monkeypatch):
        def away(*_, **__):
            raise DatabaseFailed(Reason.DOWN, "the database is away")

        monkeypatch.setattr(self.store._database, "run", away)

    def journaled(self):
        """What became of messages, their beginnings apart."""
        types = [record["type"] for record in records(self.directory / "journal")]
        return [type for type in types if type != "MessageBegun"]

    def left(self):
        """The files that there are."""
        return sorted(path.name for path in (self.directory / "messages").rglob("*") if path.is_file())

    def close(self):
        self.journal.close()
        self.store.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


# --- what is kept --------------------------------------------------------------------------------


def test_a_message_is_kept_with_its_length_and_journaled(house):
    path = house.record(tone(3))
    message = house.keep(path)
    assert (message.box, message.seconds) == ("service", 3.0)
    [stored] = house.store.messages("service")
    assert (stored.id, stored.caller, stored.path) == (message.id, "+8613800000001", str(path))
    assert stored.received == NOW
    assert house.journaled() == ["MessageKept"]
    assert house.left() == [path.name]
    assert house.changes == 1


def test_a_message_is_for_its_owner_alone_under_a_name_that_nobody_guesses(house):
    first, second = house.record(tone(2), 1), house.record(tone(2), 2)
    first.chmod(0o666)
    house.keep(first)
    assert stat.S_IMODE(first.stat().st_mode) == 0o640
    assert stat.S_IMODE(first.parent.stat().st_mode) & 0o007 == 0
    assert first.name != second.name
    assert len(first.stem) >= 32
    assert "call-1" not in first.name


def test_what_another_user_recorded_becomes_ours(house, monkeypatch):
    path = house.record(tone(2))
    path.chmod(0o644)
    recorded = path.read_bytes()
    monkeypatch.setattr(filing.os, "geteuid", lambda: path.stat().st_uid + 1)
    house.keep(path)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (0o640, recorded)


def test_the_same_visit_is_kept_once(house):
    path = house.record(tone(3))
    assert house.keep(path).id == house.keep(path).id
    assert len(house.store.messages("service")) == 1
    assert path.exists()


@pytest.mark.parametrize("samples", [np.zeros(24_000), tone(0.4), tone(3, level=0.001)])
def test_silence_is_no_message_and_leaves_no_file(house, samples):
    assert house.keep(house.record(samples)) is None
    assert house.left() == []
    assert house.store.messages("service") == []


def test_a_full_mailbox_takes_no_more_and_leaves_no_half_message(house):
    for visit in (1, 2):
        house.keep(house.record(tone(2), visit), visit)
    assert house.mailboxes.full("service")
    path = house.record(tone(2), 3)
    with pytest.raises(CannotKeep):
        house.keep(path, 3)
    assert not path.exists()


def test_without_a_place_for_the_file_the_caller_is_told(house):
    (house.directory / "messages").write_text("a file where the folder should be")
    with pytest.raises(CannotKeep):
        house.file_for()
    with pytest.raises(MailboxAway):
        house.mailboxes.greeting_file("service")


def test_a_message_of_another_process_keeps_the_id_that_was_promised(house):
    path = house.record(tone(2))
    promised = filing.slip(path)["message"]
    house.mailboxes = house.opened()
    assert house.keep(path).id == promised


def test_a_file_that_is_no_recording_has_no_audible_seconds(tmp_path):
    (tmp_path / "not.wav").write_bytes(b"RIFF")
    assert audible_seconds(tmp_path / "not.wav") is None
    assert audible_seconds(tmp_path / "missing.wav") is None


# --- what is filed later -------------------------------------------------------------------------


def test_what_was_said_while_the_database_was_away_is_filed_when_it_is_back(house, monkeypatch):
    path = house.record(tone(2))
    with monkeypatch.context() as away:
        house.lose_the_database(away)
        message = house.keep(path)
        assert house.mailboxes.file_waiting() == 1
    assert path.exists()
    assert house.mailboxes.file_waiting() == 0
    [stored] = house.store.messages("service")
    assert (stored.id, stored.path, stored.seconds) == (message.id, str(path), 2.0)
    assert house.journaled() == ["MessageUnfiled", "MessageKept"]
    assert house.left() == [path.name]


def test_a_message_that_was_being_left_when_the_appliance_died_is_filed_by_the_next_one(house, monkeypatch):
    path = house.record(tone(2))
    house.clock.run_until(lambda: False, longest=1)
    monkeypatch.setattr(mailboxes, "STILL_WRITTEN", float("-inf"))
    assert house.opened().file_waiting() == 0
    [stored] = house.store.messages("service")
    assert (stored.caller, stored.caller_name, stored.received, stored.path) == ("+8613800000001", "王", NOW, str(path))


def test_a_message_that_another_process_may_still_record_is_left_alone(house):
    house.record(tone(2))
    house.clock.run_until(lambda: False, longest=1)
    assert house.opened().file_waiting() == 1
    assert house.store.messages("service") == []


def test_a_message_that_is_being_left_is_not_filed_under_way(house):
    house.record(tone(2))
    assert house.mailboxes.file_waiting() == 0
    assert house.store.messages("service") == []


def test_silence_that_was_left_behind_is_thrown_away(house, monkeypatch):
    house.record(np.zeros(24_000))
    monkeypatch.setattr(mailboxes, "STILL_WRITTEN", float("-inf"))
    house.clock.run_until(lambda: False, longest=1)
    assert house.opened().file_waiting() == 0
    assert house.left() == []


def test_a_full_box_files_later_and_loses_nothing(house, monkeypatch):
    path = house.record(tone(2), 9)
    with monkeypatch.context() as away:
        house.lose_the_database(away)
        house.keep(path, 9)
    for visit in (1, 2):
        house.keep(house.record(tone(2), visit), visit)
    assert house.mailboxes.file_waiting() == 1
    house.mailboxes.delete(house.store.messages("service")[0].id)
    assert house.mailboxes.file_waiting() == 0


def test_a_slip_that_cannot_be_read_stops_no_other(house, monkeypatch):
    path = house.record(tone(2))
    (path.parent / "broken.wav.slip").write_text("{")
    with monkeypatch.context() as away:
        house.lose_the_database(away)
        house.keep(path)
    assert house.mailboxes.file_waiting() == 0
    assert len(house.store.messages("service")) == 1


# --- for owners ----------------------------------------------------------------------------------


def test_new_messages_come_first_then_those_that_were_heard(house):
    for visit in (1, 2):
        house.keep(house.record(tone(2), visit), visit)
    first, second = house.mailboxes.messages("service")
    house.mailboxes.mark(first.id, "heard")
    assert [(message.id, message.new) for message in house.mailboxes.messages("service")] == [
        (second.id, True),
        (first.id, False),
    ]


def test_a_deleted_message_takes_its_file_along(house):
    path = house.record(tone(2))
    house.mailboxes.delete(house.keep(path).id)
    assert house.left() == []
    assert house.mailboxes.messages("service") == []
    assert house.store.voicemail.dropped() == {}


def test_boxes_are_found_by_their_telephone_and_opened_by_their_pin(house):
    assert house.mailboxes.boxes_of("1001") == ["service"]
    assert house.mailboxes.boxes_of("1002") == []
    assert [house.mailboxes.open("service", pin) for pin in ("1", "2580")] == ["wrong", "open"]


def test_a_database_that_is_away_is_told_to_owners(house, monkeypatch):
    house.lose_the_database(monkeypatch)
    with pytest.raises(MailboxAway, match="away"):
        house.mailboxes.messages("service")


def test_a_box_greets_in_the_language_that_its_owner_spoke(house):
    recorded = house.mailboxes.greeting_file("service")
    write_wav(recorded, tone(2))
    assert house.mailboxes.set_greeting("service", "cmn", recorded)
    assert house.mailboxes.greeting("service", "cmn") == Sound(recorded)
    assert house.mailboxes.greeting("service", "en") is None
    house.store.voicemail.change("service", greeting="leave-complaint")
    assert house.mailboxes.greeting("service", "en") == Prompt("leave-complaint")


def test_a_new_greeting_replaces_the_file_of_the_old_one(house):
    for _ in range(2):
        recorded = house.mailboxes.greeting_file("service")
        write_wav(recorded, tone(2))
        house.mailboxes.set_greeting("service", "cmn", recorded)
    assert house.left() == [recorded.name]
    house.mailboxes.set_greeting("service", "cmn", None)
    assert house.left() == []


def test_silence_is_no_greeting(house):
    recorded = house.mailboxes.greeting_file("service")
    write_wav(recorded, np.zeros(16_000))
    assert not house.mailboxes.set_greeting("service", "cmn", recorded)
    assert house.left() == []


# --- retention -----------------------------------------------------------------------------------


def test_files_and_rows_of_old_messages_go_together(house):
    old = house.record(tone(2))
    house.keep(old)
    retention = Retention(house.store, house.clock, house.journal)
    retention()
    assert old.exists()
    house.clock.run_until(lambda: False, longest=timedelta(days=31).total_seconds())
    retention()
    assert house.left() == []
    assert house.store.messages("service") == []
    assert house.journaled() == ["MessageKept", "RetentionDone"]


def test_a_deletion_that_broke_off_is_finished(house):
    path = house.record(tone(2))
    house.store.voicemail.drop(house.keep(path).id, NOW)
    Retention(house.store, house.clock, house.journal)()
    assert not path.exists()
    assert house.store.voicemail.dropped() == {}


def test_without_the_database_retention_comes_back_soon(house, monkeypatch):
    house.lose_the_database(monkeypatch)
    retention = Retention(house.store, house.clock, house.journal)
    assert retention() < 3600


# --- lights --------------------------------------------------------------------------------------


@pytest.fixture
def exchange(house):
    exchange = Exchange(house.clock)
    for account in ("1001", "1002"):
        exchange.phones[account] = Phone(account)
    return exchange


def test_the_light_of_a_telephone_follows_its_mailbox(house, exchange):
    lights = Lights(house.store, SimulatedSwitch(exchange))
    kept = house.keep(house.record(tone(2)))
    lights()
    assert exchange.phones["1001"].waiting == (1, 0)
    house.mailboxes.mark(kept.id, "heard")
    lights()
    assert exchange.phones["1001"].waiting == (0, 1)
    house.mailboxes.delete(kept.id)
    lights()
    assert exchange.phones["1001"].waiting == (0, 0)


def test_a_telephone_that_shows_a_box_no_longer_goes_dark(house, exchange):
    lights = Lights(house.store, SimulatedSwitch(exchange))
    house.keep(house.record(tone(2)))
    lights()
    house.store.voicemail.change("service", phones=["1002"])
    lights()
    assert (exchange.phones["1001"].waiting, exchange.phones["1002"].waiting) == ((0, 0), (1, 0))


def test_a_lost_switch_is_told_as_soon_as_it_is_back(house, exchange):
    lights = Lights(house.store, SimulatedSwitch(exchange))
    house.keep(house.record(tone(2)))
    exchange.lose()
    soon = lights()
    exchange.restore()
    assert lights() > soon
    assert exchange.phones["1001"].waiting == (1, 0)


def test_a_switch_without_lights_is_not_asked(house, exchange):
    switch = SimulatedSwitch(exchange)
    switch.capabilities = frozenset()
    assert Lights(house.store, switch)() is None


def test_a_message_that_was_left_to_the_switch_is_filed_once_nobody_writes_to_it(house, monkeypatch):
    path = house.record(tone(2))
    house.mailboxes.leave(path)
    assert house.mailboxes.file_waiting() == 1
    assert house.store.messages("service") == []
    monkeypatch.setattr(mailboxes, "STILL_WRITTEN", float("-inf"))
    assert house.mailboxes.file_waiting() == 0
    [stored] = house.store.messages("service")
    assert stored.path == str(path)


@pytest.mark.parametrize("stated", [0, 2**32 - 1])
def test_a_message_whose_switch_died_before_it_wrote_the_length_is_whole(house, monkeypatch, stated):
    path = house.record(tone(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + stated.to_bytes(4, "little") + whole[8:40] + stated.to_bytes(4, "little") + whole[44:])
    house.mailboxes.leave(path)
    monkeypatch.setattr(mailboxes, "STILL_WRITTEN", float("-inf"))
    assert house.mailboxes.file_waiting() == 0
    [stored] = house.store.messages("service")
    assert (stored.seconds, path.read_bytes()) == (2.0, whole)


def test_a_message_that_its_switch_did_not_end_is_kept_whole(house):
    path = house.record(tone(2))
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes(4) + whole[44:])
    assert house.keep(path).seconds == 2.0
    assert path.read_bytes() == whole
