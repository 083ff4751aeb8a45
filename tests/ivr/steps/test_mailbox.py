"""mailbox: the PIN before anything else, every message until its owner has decided, and a greeting of one's own."""

import pytest

from ivr.language.phrases import Prompt
from switch.port import CannotRecord

FLOW = """
start: box
keys: {"0": busy}
steps:
  box:
    mailbox: {box: service}
    next: bye
    refused: busy
  bye: {say: bye, next: end}
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""
OWN = FLOW.replace("{box: service}", "{}")
CALLING_BACK = FLOW.replace("refused: busy", "refused: busy\n    call-back: call").replace(
    "bye: {say", 'call: {say: {cmn: "{{ message.number | digits }}", en: "{{ message.id }}"}, next: end}\n  bye: {say'
)


def opened(house, flow=FLOW):
    return house.ring(flow).hears("PIN").press("2580#")


# --- the PIN -------------------------------------------------------------------------------------


def test_the_pin_opens_the_box_and_is_nowhere_in_the_journal(house):
    opened(house).hears("no messages").hears("mailbox menu").press("#").hears("再见").is_over()
    assert house.notes.of("MailboxOpened", "box") == ["service"]
    assert set(house.notes.of("KeyPressed", "key")[:5]) == {"•"}


def test_a_wrong_pin_is_told_and_asked_again(house):
    house.ring(FLOW).hears("PIN").press("1#").hears("wrong PIN").hears("PIN").press("2580#").hears("no messages")


def test_after_some_wrong_pins_the_caller_has_to_go(house):
    caller = house.ring(FLOW).hears("PIN")
    for _ in range(2):
        caller.press("1#").hears("wrong PIN").hears("PIN")
    caller.press("1#").hears("wrong PIN").hears("占线").is_over()
    assert house.exits[0] == ("box", "refused")


def test_wrong_pins_count_over_all_calls(house):
    house.boxes.wrong = 4
    house.ring(FLOW).hears("PIN").press("1#").hears("locked").hears("占线").is_over()
    opened(house).hears("locked").hears("占线").is_over()


def test_a_box_without_a_pin_cannot_be_opened(house):
    house.boxes.pin = ""
    house.ring(FLOW).hears("PIN").press("0000#").hears("no PIN").hears("占线").is_over()


def test_silence_opens_nothing(house):
    assert house.ring(FLOW).is_over().heard == ["PIN"] * 3 + ["占线"]


def test_the_star_begins_the_pin_anew(house):
    house.ring(FLOW).hears("PIN").press("99*2580#").hears("no messages")


def test_a_database_that_is_away_is_told(house):
    house.boxes.away = True
    opened(house).hears("not possible").hears("占线").is_over()


# --- whose box -----------------------------------------------------------------------------------


def test_a_telephone_opens_its_own_box(house):
    house.boxes.of_phones = {"1001": ["service"]}
    house.ring(OWN, account="1001").hears("PIN").press("2580#").hears("no messages")
    assert house.notes.of("MailboxOpened", "box") == ["service"]


def test_a_telephone_of_several_boxes_chooses(house):
    house.boxes.of_phones = {"1001": ["service", "complaints"]}
    house.ring(OWN, account="1001").hears("二 for complaints").press("2").hears("PIN").press("2580#")
    house.clock.run_until(lambda: house.notes.of("MailboxOpened", "box"), longest=5)
    assert house.notes.of("MailboxOpened", "box") == ["complaints"]


@pytest.mark.parametrize("account", ["", "1002"])
def test_a_caller_without_a_box_is_refused(house, account):
    house.boxes.of_phones = {"1001": ["service"]}
    house.ring(OWN, account=account).hears("not possible").hears("占线").is_over()


# --- messages ------------------------------------------------------------------------------------


def test_messages_are_heard_and_marked(house):
    house.boxes.holds("m1", "please call me")
    house.boxes.holds("m2", "an older one", new=False)
    caller = opened(house).hears("一 new, 一 old").hears("mailbox menu").press("1")
    caller.hears("from 加八六一三八零零零零零零零一").hears("please call me").hears("what now").press("#")
    caller.hears("an older one").hears("what now").press("#").hears("no more").hears("mailbox menu")
    assert house.boxes.states == {"m1": "heard"}


def test_a_message_is_saved_and_another_deleted(house):
    house.boxes.holds("m1", "first")
    house.boxes.holds("m2", "second")
    caller = opened(house).hears("mailbox menu").press("1").hears("first").hears("what now").press("2").hears("saved")
    caller.hears("second").hears("what now").press("3").hears("deleted").hears("no more")
    assert house.boxes.states == {"m1": "saved", "m2": "deleted"}
    assert house.notes.of("MessageDeleted", "box", "message") == [("service", "m2")]


def test_a_message_is_heard_again(house):
    house.boxes.holds("m1", "please call me")
    caller = opened(house).hears("mailbox menu").press("1").hears("please call me").hears("what now").press("1")
    caller.hears("please call me")


def test_keys_cut_a_message_short_and_decide(house):
    house.boxes.holds("m1", "a long story")
    caller = opened(house).hears("mailbox menu").press("1").hears("a long story").waits(0.5).press("3").hears("deleted")
    assert next(heard for heard in caller.line.heard if heard.text == "a long story").cut


def test_the_star_goes_back_to_the_menu(house):
    house.boxes.holds("m1", "first")
    house.boxes.holds("m2", "second")
    caller = opened(house).hears("mailbox menu").press("1").hears("what now").press("*").hears("mailbox menu")
    assert "second" not in caller.heard


def test_a_key_of_the_flow_is_no_way_out_of_the_mailbox(house):
    opened(house).hears("mailbox menu").press("0").hears("没有这个选项").hears("mailbox menu")


def test_an_anonymous_message_has_no_number(house):
    house.boxes.holds("m1", "guess who", caller="<anonymous>\r\n")
    opened(house, CALLING_BACK).hears("mailbox menu").press("1").hears("from nobody").hears("guess who").hears(
        "what now"
    )


def test_the_number_of_who_left_a_message_is_not_in_the_journal(house):
    house.boxes.holds("m1", "please call me")
    opened(house).hears("mailbox menu").press("1").hears("please call me")
    assert not any("13800000001" in str(facts) for _, facts in house.notes)


def test_a_message_whose_audio_is_gone_is_told(house, tmp_path):
    house.boxes.holds("m1", "lost")
    (tmp_path / "m1.wav").unlink()
    opened(house).hears("mailbox menu").press("1").hears("cannot play").hears("what now").press("3").hears("deleted")


def test_hanging_up_in_a_message_changes_nothing_but_that(house):
    house.boxes.holds("m1", "a long story")
    opened(house).hears("mailbox menu").press("1").hears("a long story").hangs_up()
    assert house.boxes.states == {}


def test_silence_leaves_the_mailbox(house):
    house.boxes.holds("m1", "please call me")
    opened(house).hears("mailbox menu").press("1").hears("what now").is_over()
    assert house.exits[0] == ("box", "next")


# --- calling back --------------------------------------------------------------------------------


def test_the_flow_calls_back(house):
    house.boxes.holds("m1", "please call me")
    opened(house, CALLING_BACK).hears("mailbox menu").press("1").hears("what now, or call").press("4")
    house.clock.run_until(lambda: house.over, longest=60)
    assert house.exits[0] == ("box", "call-back")


def test_without_the_exit_nobody_is_called(house):
    house.boxes.holds("m1", "please call me")
    opened(house).hears("mailbox menu").press("1").hears("what now").press("4").hears("没有这个选项")


# --- the greeting --------------------------------------------------------------------------------


def test_a_greeting_is_recorded_heard_and_removed(house):
    caller = opened(house).hears("mailbox menu").press("2").hears("greeting menu").press("2").hears("no greeting")
    caller.hears("greeting menu").press("1").hears("speak your greeting").hears("哔").waits(1.0).speaks(2.0).press("#")
    caller.hears("greeting kept").hears("greeting menu").press("2").hears("greeting in cmn").hears("greeting menu")
    caller.press("3").hears("greeting removed").hears("greeting menu").press("*").hears("mailbox menu")
    assert house.boxes.own_greeting is None


def test_silence_is_no_greeting(house):
    house.boxes.silent = True
    caller = opened(house).hears("mailbox menu").press("2").hears("greeting menu").press("1").hears("哔").press("#")
    caller.hears("没有录到").hears("greeting menu")


def test_hanging_up_in_a_greeting_keeps_nothing(house, tmp_path):
    caller = opened(house).hears("mailbox menu").press("2").hears("greeting menu").press("1").hears("哔").waits(1.0)
    caller.speaks(2.0).hangs_up()
    assert house.boxes.own_greeting is None
    assert not (tmp_path / "greeting.wav").exists()


def test_a_switch_that_cannot_record_is_told(house):
    def record(to, **_):
        raise CannotRecord("no right to write there")

    caller = opened(house).hears("mailbox menu")
    house.call.record = record
    caller.press("2").hears("greeting menu").press("1").hears("not possible").hears("greeting menu")


def test_a_prompt_that_greets_is_heard_too(house):
    house.boxes.own_greeting = Prompt("hello")
    opened(house).hears("mailbox menu").press("2").hears("greeting menu").press("2").hears("你好")


def test_the_audio_here_is_in_no_recording(house):
    assert house.flow(FLOW).steps["box"].does.confidential()
