"""Mailboxes and recordings in the assembled house: what is left is what its owner hears, and lamps tell of it."""

import stat
from pathlib import Path

import pytest

from store.database import Reason
from store.store import StoreFailed
from tests.live import heard
from tests.runtime.test_house import CHECKOUT, QUEUES, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    (tmp_path / "flows" / "mailbox.yaml").write_text((CHECKOUT / "flows" / "mailbox.yaml").read_text())
    (tmp_path / "flows" / "queues.yaml").write_text(QUEUES.replace("service:", "service:\n  record: {calls: all}"))
    assert house.ask("flows.reload") == {"problems": []}
    store = house.stage.appliance.store
    store.voicemail.change("service", phones=["1001"])
    store.voicemail.set_pin("service", "2580")
    house.ask("mailboxes.changed")
    yield house
    house.close()


def hears(house, line, text):
    house.until(lambda: line.ended is not None or any(text in one.text for one in line.heard))
    assert any(text in one.text for one in line.heard), [one.text for one in line.heard]


def leave_message(house, seconds=3.0):
    line = house.call()
    line.press("1")
    hears(house, line, "请在提示音后留言")
    house.until(lambda: line.awaiting and line.heard[-1].path.stem == "beep" and line.heard[-1].until is not None)
    line.speak(seconds, tone=660)
    house.pass_time(seconds)
    line.hang_up()
    house.until(lambda: house.stage.appliance.store.messages("service"))


def lamp(house, phone="1001"):
    return house.stage.exchange.phones[phone].waiting


def open_mailbox(house, pin="2580"):
    line = house.call("*97", "1001", account="1001")
    hears(house, line, "请输入信箱密码")
    for key in f"{pin}#":
        line.press(key)
    return line


def test_a_message_lights_the_lamp_and_is_heard_by_star_code(house):
    assert lamp(house) == (0, 0)
    leave_message(house)
    house.until(lambda: lamp(house) == (1, 0))
    line = open_mailbox(house)
    hears(house, line, "新留言")
    hears(house, line, "收听留言请按一")
    line.press("1")
    [message] = house.stage.appliance.store.messages("service")
    house.until(lambda: any(str(one.path) == message.path for one in line.heard))
    house.until(lambda: lamp(house) == (0, 1))
    line.press("3")
    hears(house, line, "留言已删除")
    house.until(lambda: lamp(house) == (0, 0))
    assert not Path(message.path).exists()
    line.hang_up()


def test_a_lamp_that_lost_its_telephone_is_lit_again_within_a_minute(house):
    leave_message(house)
    house.until(lambda: lamp(house) == (1, 0))
    house.stage.exchange.phones["1001"].waiting = (0, 0)
    house.pass_time(61)
    assert lamp(house) == (1, 0)


def test_guessing_is_locked_out_over_calls_and_journaled(house):
    for _ in range(5):
        line = open_mailbox(house, "1111")
        house.until(lambda line=line: len(line.heard) > 1)
        line.hang_up()
    hears(house, open_mailbox(house), "锁定")
    assert [record["reason"] for record in house.journaled("MailboxRefused")][-2:] == ["locked", "locked"]


def test_the_pin_is_in_no_record(house):
    leave_message(house)
    open_mailbox(house).hang_up()
    house.pass_time(1)
    assert not any("2580" in str(record) for record in house.journaled("KeyPressed") + house.journaled("StepLeft"))


def test_a_message_that_came_while_the_database_was_away_is_filed_when_it_is_back(house, monkeypatch):
    store = house.stage.appliance.store

    def away(*_, **__):
        raise StoreFailed(Reason.DOWN, "the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "keep_message", away)
        line = house.call()
        line.press("1")
        house.until(lambda: line.awaiting and line.heard[-1].path and line.heard[-1].path.stem == "beep")
        line.speak(3.0)
        house.pass_time(3.5)
        line.press("#")
        hears(house, line, "您的留言已保存")
        line.hang_up()
        house.until(lambda: house.status()["troubles"])
        assert "wait to be filed: 1" in house.status()["troubles"][0]
    house.until(lambda: store.messages("service"))
    assert house.status()["troubles"] == []


def test_a_talk_of_a_recorded_queue_is_in_the_index_with_both_voices(house):
    house.stage.ready("1001")
    line = house.call()
    line.press("1")
    hears(house, line, "可能会被录音")
    house.until(lambda: house.stage.exchange.ringing("1001"))
    agent = house.stage.exchange.ringing("1001")
    agent.pick_up()
    house.until(lambda: line.partner is agent)
    line.speak(1.0, tone=660)
    house.pass_time(1.2)
    agent.speak(1.0, tone=880)
    house.pass_time(1.3)
    agent.hang_up()
    house.until(house.stage.appliance.store.recordings.list)
    [kept] = house.stage.appliance.store.recordings.list()
    assert (kept.call, kept.flow, kept.queue, kept.agent) == (line.id, "hotline", "service", "1001")
    path = Path(kept.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert kept.seconds == pytest.approx(2.5, abs=0.2)
    assert {tone.frequency for tone in heard.tones(heard.read_wav(path), 440, 660, 880)} == {660, 880}
    line.hang_up()
