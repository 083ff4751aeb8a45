"""E-mails about messages, to a real SMTP server: sent once, with the message; tried until they are taken."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from config.appliance import Config, Mail
from journal.reader import records
from journal.writer import Journal
from runtime.mailroom import written
from runtime.notices import Notices, recipients
from speech import catalogue
from store.database import Database, DatabaseFailed, Reason
from store.schema import upgrade
from store.store import Store
from switch.shared.clock import VirtualClock
from switch.simulated.audio import write_wav
from tests.runtime.test_house import CHECKOUT

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TEXTS = catalogue.read(CHECKOUT / "prompts").texts


class Postbox:
    """What an SMTP server took; it answers RCPT and DATA as it is told."""

    def __init__(self):
        self.taken = []
        self.rcpt = self.data = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):
        if self.data.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.taken.append((envelope.rcpt_tos, mail))
        return self.data


class Server(Controller):
    """On a port that the system picks, known before it is up."""

    def __init__(self, postbox, **options):
        super().__init__(postbox, hostname="127.0.0.1", port=0, **options)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def postbox():
    return Postbox()


@pytest.fixture
def server(postbox):
    server = Server(postbox)
    server.start()
    yield server
    server.stop()


class House:
    def __init__(self, directory):
        self.directory = directory
        self.clock = VirtualClock(NOW)
        url = f"sqlite:///{directory}/hotline.db"
        database = Database(url, self.clock, name="test", threads=1, create=True)
        upgrade(database)
        database.close()
        self.store = Store(url, self.clock, threads=1, within=2)
        self.store.add_mailbox("service", email="team@example.org, boss@example.org")
        self.journal = Journal(directory / "journal", self.clock)
        self.language = "en"

    def notices(self, server="", **settings):
        """As a process has them."""
        return Notices(
            self.store,
            Mail(server=server, sender="hotline@example.org", within=5, **settings),
            self.clock,
            self.journal,
            words=lambda prompt, values: written(TEXTS[prompt][self.language], values),
            zone=Config().zone,
        )

    def message(self, call="call-1", **facts):
        path = self.directory / f"{call}.wav"
        write_wav(path, np.full(16_000, 0.2))
        given = {"caller": "+8613800000001", "caller_name": "王芳"} | facts
        return self.store.keep_message(
            "service", path=str(path), seconds=75.4, received=self.clock.wall(), call=call, visit="1", **given
        )

    def pass_time(self, seconds):
        self.clock.run_until(lambda: False, longest=seconds)

    def journaled(self):
        return [record["type"] for record in records(self.directory / "journal")]

    def close(self):
        self.journal.close()
        self.store.close()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


def at(server):
    return f"127.0.0.1:{server.port}"


def test_a_message_is_mailed_with_its_audio(house, server, postbox):
    message = house.message()
    assert house.notices(at(server))() is None
    [(to, mail)] = postbox.taken
    assert to == ["team@example.org", "boss@example.org"]
    assert mail["Subject"] == "New voice message in service: +8613800000001 王芳 (1:15)"
    assert "2026-11-23 10:00" in mail.get_body().get_content()
    assert message.id in mail["Message-ID"]
    [audio] = mail.iter_attachments()
    assert audio.get_content_type() == "audio/wav"
    assert audio.get_content() == (house.directory / "call-1.wav").read_bytes()
    assert house.journaled() == ["NoticeSent"]


def test_it_is_mailed_once(house, server, postbox):
    house.message()
    notices = house.notices(at(server))
    notices()
    notices()
    assert len(postbox.taken) == 1


def test_it_is_written_in_the_language_of_the_house(house, server, postbox):
    house.language = "cmn"
    house.message()
    house.notices(at(server))()
    assert postbox.taken[0][1]["Subject"] == "service信箱新留言：+8613800000001 王芳（1:15）"


def test_with_the_server_away_no_message_is_lost_and_each_is_sent_when_it_is_back(house, server, postbox):
    house.message("a")
    house.message("b")
    notices = house.notices("127.0.0.1:1")
    assert notices() == pytest.approx(60, abs=1)
    assert "wait" in notices.trouble
    house.pass_time(61)
    assert house.notices(at(server))() is None  # another process: what waits is in the store
    assert len(postbox.taken) == 2


def test_the_pauses_grow_to_an_hour(house):
    house.message()
    notices = house.notices("127.0.0.1:1")
    pauses = []
    for _ in range(9):
        pauses.append(notices())
        house.pass_time(pauses[-1])
    assert pauses[:3] == [60, 120, 240]
    assert pauses[-1] == 3600


@pytest.mark.parametrize("by", [timedelta(days=-1), timedelta(minutes=-30), timedelta(days=1)], ids=str)
def test_a_pause_is_as_long_as_it_is_whatever_the_time_of_day(house, by):
    house.message()
    notices = house.notices("127.0.0.1:1")
    assert notices() == pytest.approx(60, abs=1)
    house.clock._start += by
    house.pass_time(10)
    assert notices() == pytest.approx(50, abs=1)
    house.pass_time(50)
    assert notices() == pytest.approx(120, abs=1)


@pytest.mark.parametrize("by", [timedelta(days=-1), timedelta(days=1)], ids=str)
def test_a_message_that_was_left_before_or_after_a_jump_of_the_time_of_day_is_mailed_at_once(
    house, server, postbox, by
):
    notices = house.notices(at(server))
    house.message("before")
    house.clock._start += by
    house.message("after")
    assert notices() is None
    assert len(postbox.taken) == 2


def test_what_waits_over_a_restart_waits_no_longer_than_the_longest_pause_when_the_clock_is_set_back(
    house, server, postbox
):
    house.message()
    house.notices("127.0.0.1:1")()
    house.clock._start -= timedelta(days=1)
    assert house.notices(at(server))() is None
    assert len(postbox.taken) == 1


def test_an_e_mail_tells_the_time_of_day_at_which_it_was_sent(house, server, postbox):
    notices = house.notices(at(server))
    house.clock._start += timedelta(days=1)
    house.message()
    notices()
    assert postbox.taken[0][1]["Date"] == "Tue, 24 Nov 2026 02:00:00 +0000"


def test_a_server_that_refuses_for_a_time_is_tried_again(house, server, postbox):
    postbox.rcpt = "450 come back later"
    house.message()
    notices = house.notices(at(server))
    assert notices() == pytest.approx(60, abs=1)
    postbox.rcpt = "250 OK"
    house.pass_time(61)
    assert notices() is None
    assert len(postbox.taken) == 1
    assert notices.trouble == ""


@pytest.mark.parametrize("refused", [{"rcpt": "550 no such user"}, {"data": "552 too large"}])
def test_what_is_refused_for_good_is_told_and_not_tried_again(house, server, postbox, refused):
    for name, answer in refused.items():
        setattr(postbox, name, answer)
    kept = house.message()
    assert house.notices(at(server))() is None
    assert house.journaled() == ["NoticeRefused"]
    assert house.store.messages("service") == [kept]  # the message itself stays in its box


def test_a_callers_name_begins_no_header_of_its_own(house, server, postbox):
    house.message(caller_name="王\r\nBcc: everybody@example.org\r\n\r\n", caller="1\n2")
    house.notices(at(server))()
    [(to, mail)] = postbox.taken
    assert mail["Bcc"] is None
    assert to == ["team@example.org", "boss@example.org"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_the_house_logs_on_with_the_password_of_its_file(house, postbox, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret")

    server = Server(postbox, authenticator=check, auth_required=True, auth_require_tls=False)
    server.start()
    try:
        house.message()
        assert house.notices(at(server), user="hotline", password_file=tmp_path / "password")() is None
    finally:
        server.stop()
    assert seen == [(b"hotline", b"secret")]
    assert len(postbox.taken) == 1


def test_without_a_server_the_messages_wait_and_status_says_so(house):
    house.message()
    notices = house.notices()
    assert notices() is None
    assert "mail.server" in notices.trouble


def test_without_the_database_it_is_tried_soon(house, server, monkeypatch):
    def away(*_, **__):
        raise DatabaseFailed(Reason.DOWN, "the database is away")

    monkeypatch.setattr(house.store._database, "run", away)
    assert house.notices(at(server))() == 30


def test_a_message_without_audio_is_told_once(house, server, postbox):
    house.message()
    (house.directory / "call-1.wav").unlink()
    assert house.notices(at(server))() is None
    assert (postbox.taken, house.journaled()) == ([], ["NoticeRefused"])


@pytest.mark.parametrize("address", ["", "nobody"])
def test_a_box_that_has_no_address_any_more_is_not_waited_for(house, server, postbox, address):
    house.message()
    house.store.voicemail.change("service", email=address)
    assert house.notices(at(server))() is None
    assert (postbox.taken, house.journaled()) == ([], ["NoticeRefused"])


def test_addresses_are_read_with_commas():
    assert recipients("a@example.org, B <b@example.org>") == ["a@example.org", "b@example.org"]
    for wrong in ("", "nobody", "a@", "@b"):
        with pytest.raises(ValueError):  # noqa: PT011
            recipients(wrong)
