"""closure: whoever has the PIN closes a calendar by telephone, and nobody else."""

from datetime import timedelta

import pytest

from runtime.closures import GUESSES, Closures

FLOW = """
start: closing
steps:
  closing: {closure: {calendar: office}, next: look, refused: busy}
  look:
    hours: {calendar: office}
    open: open
    closed: closed
    emergency: emergency
  open: {say: hello, next: end}
  closed: {say: bye, next: end}
  emergency: {say: {cmn: 紧急, en: Emergency}, next: end}
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""


@pytest.fixture
def pin(house):
    house.closures.set_pin("4711")


def test_an_office_is_closed_and_says_so_from_then_on(house, pin):
    house.ring(FLOW).hears("密码").press("4711#").hears("未停线").press("1").hears("好了").hears("已停线").press("#")
    assert house.clock.run_until(lambda: house.over, longest=60)
    assert house.exits == [("closing", "next"), ("look", "emergency"), ("emergency", "next"), ("end", "ended")]
    assert house.closures.closed["office"].by == "call sim-1"


def test_a_closure_outlives_the_process_and_is_lifted(house, pin, tmp_path):
    house.closures.close("office", by="test")
    assert Closures(tmp_path, house.clock).is_closed("office")
    caller = house.ring(FLOW).hears("密码").press("4711#").hears("已停线").press("2").hears("好了").hears("未停线")
    caller.press("#").hears("你好").is_over()
    assert not Closures(tmp_path, house.clock).is_closed("office")


def test_a_wrong_pin_is_told_and_changes_nothing(house, pin):
    caller = house.ring(FLOW)
    for _ in range(3):
        caller.hears("密码").press("4712#").hears("密码错")
    caller.hears("占线").is_over()
    assert house.notes.of("ClosureRefused", "reason") == ["wrong"] * 3


def test_the_pin_stands_nowhere(house, pin, tmp_path):
    house.ring(FLOW).hears("密码").press("4711#").hears("未停线").press("#").is_over()
    assert "4711" not in str(house.notes)
    assert set(house.notes.of("KeyPressed", "key")) == {"•", "#"}
    assert "4711" not in (tmp_path / "closures.json").read_text()


def test_too_many_wrong_pins_over_all_calls_lock_it_for_a_while(house, pin, tmp_path):
    for _ in range(GUESSES - 1):
        assert house.closures.admits("0000") == "wrong"
    house.ring(FLOW).hears("密码").press("4712#").hears("已锁定").hears("占线").is_over()
    assert Closures(tmp_path, house.clock).admits("4711") == "locked"
    house.clock.run_until(lambda: False, longest=16 * 60)
    assert house.closures.admits("4711") == "right"


def test_a_clock_that_is_set_back_locks_it_for_no_longer_than_the_lock(house, pin, tmp_path):
    for _ in range(GUESSES):
        house.closures.admits("0000")
    house.clock._start -= timedelta(days=1)
    assert Closures(tmp_path, house.clock).admits("4711") == "locked"
    house.clock.run_until(lambda: False, longest=14 * 60)
    assert Closures(tmp_path, house.clock).admits("4711") == "locked"
    house.clock.run_until(lambda: False, longest=2 * 60)
    assert Closures(tmp_path, house.clock).admits("4711") == "right"


def test_without_a_pin_nobody_gets_in(house):
    house.ring(FLOW).hears("没有密码").hears("占线").is_over()
    assert house.closures.admits("") == "no pin"


def test_silence_comes_to_an_end(house, pin):
    house.ring(FLOW).hears("占线", within=120).is_over()


def test_a_wrong_key_is_told(house, pin):
    house.ring(FLOW).hears("密码").press("4711#").hears("未停线").press("7").hears("没有这个选项").hears(
        "未停线"
    ).hangs_up()
    assert not house.closures.is_closed("office")


def test_a_full_disk_is_told_and_it_is_closed_nevertheless(house, pin, tmp_path):
    (tmp_path / "closures.new").mkdir()  # nothing can be written there
    house.ring(FLOW).hears("密码").press("4711#").hears("未停线").press("1").hears("未能记住").hears(
        "已停线"
    ).hangs_up()
    assert house.closures.is_closed("office")


def test_a_calendar_that_is_not_there_is_told(told):
    assert told(FLOW.replace("closure: {calendar: office}", "closure: {calendar: ofice}")) == [
        "closing.calendar: no calendar 'ofice'. Did you mean 'office'?"
    ]
