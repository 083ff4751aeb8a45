"""collect: asks for digits, as many as are needed, and no others."""

import json

import pytest

FLOW = """
start: number
keys: {"*": repeat, "0": agent}
steps:
  number:
    collect:
      say: ask-number
      digits: {min: 3, max: 6, end: "#", between: 3s}
      tries: 2
      into: keyed
    next: tell
    otherwise: agent
  tell: {say: {cmn: "是{{ keyed }}", en: "{{ keyed }}"}, next: end}
  agent: {say: bye, next: end}
  end: {hangup: {}}
"""
WITH = "      into: keyed"


def flow(**more):
    """The flow with further lines in its collect step."""
    return FLOW.replace(WITH, "".join(f"      {name}: {value}\n" for name, value in more.items()) + WITH)


def test_the_end_key_ends(house):
    house.ring(FLOW).hears("请输入号码").press("0123#").hears("是0123").is_over()
    assert house.notes.of("StepLeft", "step", "set")[0] == ("number", {"keyed": "0123"})


def test_the_greatest_length_ends(house):
    house.ring(FLOW).hears("请输入号码").press("123456").hears("是123456")


def test_a_pause_ends(house):
    caller = house.ring(FLOW).hears("请输入号码").listens().press("12").waits(2.5).press("3").waits(2.9)
    assert caller.heard == ["请输入号码"]
    caller.waits(0.2)
    assert caller.heard == ["请输入号码", "是123"]


def test_an_end_key_after_the_greatest_length_cuts_nothing_short(house):
    caller = house.ring(FLOW).hears("请输入号码").press("123456").hears("是123456").waits(0.5).press("#").is_over()
    assert caller.heard == ["请输入号码", "是123456", "是123456"]  # said again from the start, and to its end
    assert house.exits == [("number", "next"), ("tell", "next"), ("end", "ended")]


def test_the_first_key_cuts_the_prompt_and_counts(house):
    caller = house.ring(FLOW).hears("请输入号码").waits(0.2).press("123#").hears("是123")
    assert caller.line.heard[0].cut


def test_digits_keyed_ahead_count(house):
    assert house.ring(FLOW).press("123#").is_over().heard == ["是123"]


def test_silence_is_asked_again_and_then_led_on(house):
    assert house.ring(FLOW).is_over().heard == ["请输入号码", "请输入号码", "再见"]
    assert house.exits[0] == ("number", "otherwise")


def test_too_few_digits_are_told(house):
    caller = house.ring(FLOW).press("12#").hears("输入有误").hears("请输入号码").press("123#").is_over()
    assert caller.heard == ["输入有误", "请输入号码", "是123"]


def test_too_few_digits_twice_lead_on(house):
    caller = house.ring(FLOW).press("12#").hears("请输入号码").press("1#").is_over()
    assert caller.heard == ["输入有误", "请输入号码", "输入有误", "再见"]


def test_the_end_key_alone_is_silence(house):
    assert house.ring(FLOW).press("#").hears("请输入号码").is_over().heard == ["请输入号码", "再见"]


def test_a_key_that_works_everywhere_is_left_alone_unless_it_is_a_digit(house):
    caller = house.ring(FLOW).hears("请输入号码").press("1*").hears("请输入号码").press("000#").hears("是000")
    assert house.exits[0] == ("number", "key *")
    assert caller.heard.count("请输入号码") == 2


def test_without_such_a_key_the_star_begins_the_entry_anew(house):
    house.ring(FLOW.replace('"*": repeat, ', "")).press("99*123#").hears("是123")


def test_what_is_keyed_must_fit_the_pattern(house):
    caller = house.ring(flow(pattern="[12xx, 9xxxxx]")).press("1399#").hears("输入有误").hears("请输入号码")
    caller.press("1299#").hears("是1299")
    house.ring(flow(pattern="9xxxxx")).press("912345").hears("是912345")


def test_a_number_is_read_back_and_confirmed(house):
    caller = house.ring(flow(confirm="true")).press("123#").hears("您输入的是一二三").press("1").hears("是123")
    assert caller.heard == ["您输入的是一二三", "是123"]


def test_two_enters_it_again(house):
    caller = house.ring(flow(confirm="true")).press("123#").hears("您输入的是一二三").press("2").hears("请输入号码")
    caller.press("456#").hears("您输入的是四五六").press("1").hears("是456")


def test_a_wrong_key_at_the_confirmation_hears_it_again(house):
    caller = house.ring(flow(confirm="true")).press("123#").hears("您输入的是一二三").press("5")
    caller.hears("您输入的是一二三").press("1").hears("是123")


def test_silence_at_the_confirmation_leads_on_in_the_end(house):
    caller = house.ring(flow(confirm="true")).press("123#").hears("您输入的是一二三")
    caller.hears("您输入的是一二三").hears("请输入号码").press("123#").is_over()
    assert caller.heard[-1] == "再见"
    assert "是123" not in caller.heard


def test_a_sensitive_entry_is_kept_out_of_the_journal_and_of_spoken_files(house):
    secret = flow(confirm="true", sensitive="true").replace("是{{ keyed }}", "是{{ keyed | digits }}")
    caller = house.ring(secret).press("7316#").hears("您输入的是七三一六")
    assert house.voice.alone == ["七", "三", "一", "六"]
    caller.press("1").is_over()
    assert house.voice.alone == ["七", "三", "一", "六"]
    journal = json.dumps(list(house.notes), ensure_ascii=False)
    assert "7316" not in journal
    assert "七" not in journal
    assert house.notes.of("KeyPressed", "key") == ["•"] * 6  # for whoever keys the rest of a PIN too late
    assert house.notes.of("PromptPlayed", "text") == ["您输入的是•", "是•"]
    assert house.session.state.stored()["variables"] == {}


@pytest.mark.parametrize("keys", ["", "1", "12", "123"])
def test_a_caller_may_hang_up_at_any_digit(house, keys):
    house.ring(flow(confirm="true")).hears("请输入号码").press(keys).hangs_up()
    assert house.cause == "normal"
    assert house.notes[-1][0] == "FlowEnded"


def test_more_keys_than_anyone_needs_do_no_harm(house):
    house.ring(FLOW).press("5" * 5000).is_over()
    assert house.notes.of("StepLeft", "set")[0] == {"keyed": "555555"}


OWN_WORDS = FLOW.replace(
    "    otherwise: agent", "    no-input: quiet\n    no-match: wrong\n    otherwise: agent"
).replace(
    "steps:\n",
    "steps:\n  quiet: {say: {cmn: 喂, en: Hello?}, next: number}\n  wrong: {say: {cmn: 错了, en: No}, next: number}\n",
)


def test_silences_and_wrong_entries_can_have_words_of_their_own(house):
    caller = (
        house.ring(OWN_WORDS).hears("请输入号码").hears("喂").hears("请输入号码").press("12#").hears("再见").is_over()
    )
    assert caller.heard == ["请输入号码", "喂", "请输入号码", "再见"]
    assert [exit for step, exit in house.exits if step == "number"] == ["no-input", "otherwise"]


def test_tries_begin_anew_after_an_entry_that_fits(house):
    back = OWN_WORDS.replace('"{{ keyed }}"}, next: end', '"{{ keyed }}"}, next: number')
    caller = house.ring(back)
    for _ in range(3):
        caller.press("12#").hears("错了").press("123#").hears("是123")


def test_a_pattern_is_that_of_all_the_digits(house):
    caller = (
        house.ring(flow(pattern='["1[3-5]x", "0{4}"]')).press("123#").hears("输入有误").press("0000#").hears("是0000")
    )
    caller.hangs_up()
