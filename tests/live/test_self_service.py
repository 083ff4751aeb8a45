"""What callers do by themselves, over a real switch: the welcome, the languages, the state of an order."""

import itertools

import pytest

from tests.live import heard, rtp, stories

pytestmark = pytest.mark.live

NUMBERS = itertools.count(770001)


def order(hotline, status, text, eta):
    """Writes an order into the CRM; its number."""
    number = str(next(NUMBERS))
    hotline.crm(
        "insert into orders (number, status, status_text, eta) values (:number, :status, :text, :eta)",
        {"number": number, "status": status, "text": text, "eta": eta},
    )
    return number


def welcome_and_menu_are_heard_in_all_three_languages(hotline, phones):
    caller = phones.call("1000")
    caller.wait_answered()
    welcome = caller.wait_for(hotline.prompt("welcome", "cmn"))
    menu = caller.wait_for(hotline.prompt("main-menu", "cmn"), within=20)
    assert menu.at > welcome.at
    for key, language in (("8", "yue"), ("9", "en")):
        pressed = caller.media.now()
        caller.press(key)
        caller.wait_for(hotline.opening("main-menu", language), since=pressed)
    caller.hang_up()


def an_order_is_told_as_it_stands_in_the_crm(hotline, phones):
    number = order(hotline, "shipped", "已发货", "2026-11-29")
    expected = hotline.say(f"您的订单{{{{ '{number}' | digits }}}},已发货,预计{{{{ '2026-11-29' | date }}}}送达。")
    other = hotline.say(f"您的订单{{{{ '{number}' | digits }}}},有延误,预计{{{{ '2026-12-03' | date }}}}送达。")
    caller = phones.call("1000")
    caller.wait_answered()
    caller.press(f"1{number}#1")
    caller.wait_for(expected, within=20)
    assert heard.same(expected, caller.heard()).score > heard.same(other, caller.heard()).score + 0.1
    assert heard.longest_silence(caller.heard()) < 2.0
    caller.hang_up()


def an_order_is_told_in_english_after_its_row_was_changed(hotline, phones):
    number = order(hotline, "packed", "正在打包", "2026-11-25")
    hotline.crm("update orders set status_text = '已送达', eta = '2026-11-21' where number = :n", {"n": number})
    expected = hotline.say(
        f"Order {{{{ '{number}' | digits }}}} is delivered, due {{{{ '2026-11-21' | date }}}}.", "en"
    )
    caller = phones.call("1000", codec=rtp.PCMU)
    caller.wait_answered()
    caller.press(f"91{number}#1")
    caller.wait_for(expected, within=20)
    caller.hang_up()


def an_order_that_is_not_there_is_not_found(hotline, phones):
    caller = phones.call("1000")
    caller.wait_answered()
    caller.press("1999999#1")
    caller.wait_for(hotline.prompt("no-such-order"))
    caller.hang_up()


def key_understood(hotline, phones, press, events=True):
    """Dials, presses 9 in the way given, and hears that it was understood once; seconds until English was heard."""
    caller = phones.call("1000", events=events)
    caller.wait_answered()
    caller.wait_for_sound()
    pressed = caller.media.now()
    press(caller)
    english = caller.wait_for(hotline.opening("main-menu", "en"), since=pressed)
    assert [record["key"] for record in hotline.records(type="KeyPressed", call=hotline.call_of(caller.caller))] == [
        "9"
    ]
    caller.hang_up()
    return english.at - pressed


def a_key_by_rfc_2833_cuts_the_prompt_short_at_once(hotline, phones):
    assert key_understood(hotline, phones, lambda caller: caller.press("9")) < 1.0


def a_key_by_info_is_understood(hotline, phones):
    key_understood(hotline, phones, lambda caller: caller.press_by_info("9"))


def a_key_in_the_sound_is_understood(hotline, phones):
    key_understood(hotline, phones, lambda caller: caller.say(rtp.once(rtp.key_tones("9"))), events=False)


def a_caller_who_does_nothing_waits_with_music_and_is_told_the_place(hotline, phones):
    caller = phones.call("1100")
    caller.wait_answered()
    call = hotline.call_of(caller.caller)
    hotline.until(lambda: call in hotline.queue("service"), 20, "the silent caller to be queued")
    queued = caller.media.now()
    caller.wait_for_sound(since=queued, lasting=1)
    position = hotline.queue("service").index(call) + 1
    caller.wait_for(hotline.prompt("your-position", position=position), within=10, since=queued)
    told = caller.media.now()
    caller.wait_for_sound(since=told, lasting=1)
    assert heard.longest_silence(caller.heard(queued)) < 2.0
    caller.hang_up()
    hotline.until(lambda: call not in hotline.queue("service"), 5, "the caller to leave the queue")


def many_callers_are_told_their_own_order(hotline, phones):
    """Three sentences that differ in a word or two: each caller hears the right one better than the others."""
    told = []
    for text in ("已付款", "正在打包", "正在派送"):
        number = order(hotline, "paid", text, "2026-11-30")
        caller = phones.call("1000")
        caller.press(f"1{number}#1")
        told.append((caller, f"您的订单{{{{ '{number}' | digits }}}},{text},预计{{{{ '2026-11-30' | date }}}}送达。"))
    sentences = [hotline.say(text) for _, text in told]
    for mine, (caller, _) in enumerate(told):
        caller.wait_for(sentences[mine], within=20)
        scores = [heard.same(sentence, caller.heard()).score for sentence in sentences]
        assert scores.index(max(scores)) == mine, scores
        caller.hang_up()


STORIES = [
    welcome_and_menu_are_heard_in_all_three_languages,
    an_order_is_told_as_it_stands_in_the_crm,
    an_order_is_told_in_english_after_its_row_was_changed,
    an_order_that_is_not_there_is_not_found,
    a_key_by_rfc_2833_cuts_the_prompt_short_at_once,
    a_key_by_info_is_understood,
    a_key_in_the_sound_is_understood,
    a_caller_who_does_nothing_waits_with_music_and_is_told_the_place,
    many_callers_are_told_their_own_order,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_callers_by_themselves(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()


def test_a_crm_without_its_table_puts_the_caller_through_to_an_agent(hotline, phones):
    hotline.crm("alter table orders rename to orders_away")
    try:
        caller = phones.call("1000")
        caller.wait_answered()
        caller.press("1202611#1")
        call = hotline.call_of(caller.caller)
        hotline.until(lambda: call in hotline.queue("service"), 20, "the caller to wait in the queue")
        assert hotline.records(type="LookupFailed", call=call)
        caller.hang_up()
    finally:
        hotline.crm("alter table orders_away rename to orders")
