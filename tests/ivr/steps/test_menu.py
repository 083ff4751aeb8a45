"""menu: asks for one key, with patience."""

import pytest

FLOW = """
start: main
keys: {"0": agent, "*": repeat}
steps:
  main:
    menu: {say: ask, options: {"1": one, "2": main}, timeout: 5s, tries: 2}
    otherwise: agent
  one: {say: hello, next: end}
  agent: {say: bye, next: end}
  end: {hangup: {}}
"""
OWN_WORDS = FLOW.replace("otherwise: agent", "no-match: wrong\n    no-input: quiet\n    otherwise: agent").replace(
    "steps:",
    "steps:\n  wrong: {say: {cmn: 错了, en: Wrong}, next: main}\n  quiet: {say: {cmn: 喂, en: Hello?}, next: main}",
)


def test_a_key_leads_on(house):
    house.ring(FLOW).hears("请按键").press("1").hears("你好").is_over()
    assert house.exits == [("main", "1"), ("one", "next"), ("end", "ended")]


def test_a_key_cuts_the_prompt_short_at_once(house):
    caller = house.ring(FLOW).hears("请按键").waits(0.3).press("1").hears("你好").is_over()
    ask = caller.line.heard[0]
    assert (ask.cut, ask.until - ask.at) == (True, 300)


def test_a_key_pressed_before_the_call_is_answered_counts(house):
    caller = house.ring(FLOW).press("1").is_over()
    assert caller.heard == ["你好"]


def test_silence_is_asked_again_and_then_led_on(house):
    caller = house.ring(FLOW).is_over()
    assert caller.heard == ["请按键", "请按键", "再见"]
    assert house.exits[0] == ("main", "otherwise")
    assert [one.at for one in caller.line.heard] == [0, 6000, 12_000]


def test_a_wrong_key_is_told_and_asked_again(house):
    caller = house.ring(FLOW).hears("请按键").press("7").hears("没有这个选项").hears("请按键").press("1").is_over()
    assert caller.heard == ["请按键", "没有这个选项", "请按键", "你好"]


def test_a_silence_and_a_wrong_key_are_two_tries(house):
    house.ring(FLOW).hears("请按键").press("7").hears("请按键").is_over()
    assert house.exits[0] == ("main", "otherwise")


def test_what_was_keyed_after_a_wrong_key_was_meant_for_something_else(house):
    caller = house.ring(FLOW).press("7 1 1 1").hears("没有这个选项").hears("请按键").listens()
    assert caller.heard == ["没有这个选项", "请按键"]


def test_wrong_keys_and_silences_can_have_words_of_their_own(house):
    caller = house.ring(OWN_WORDS).hears("请按键").press("7").hears("错了").hears("请按键").is_over()
    assert caller.heard == ["请按键", "错了", "请按键", "再见"]
    assert house.exits == [
        ("main", "no-match"),
        ("wrong", "next"),
        ("main", "otherwise"),
        ("agent", "next"),
        ("end", "ended"),
    ]


def test_tries_are_counted_on_the_way_round_and_forgotten_after_a_right_key(house):
    caller = house.ring(OWN_WORDS).hears("请按键").press("7").hears("错了").hears("请按键").press("2")
    caller.hears("请按键").press("7").hears("错了").hears("请按键").press("1").hears("你好")


def test_keys_that_work_everywhere_work_where_the_menu_does_not_use_them(house):
    caller = house.ring(FLOW).hears("请按键").press("*").hears("请按键").press("0").is_over()
    assert caller.heard == ["请按键", "请按键", "再见"]
    assert house.exits[:2] == [("main", "key *"), ("main", "key 0")]


def test_a_menu_may_use_such_a_key_itself(house):
    house.ring(FLOW.replace('"2": main', '"0": one')).hears("请按键").press("0").hears("你好")


@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 3.0, 6.5])
def test_a_caller_may_hang_up_at_any_moment(house, after):
    house.ring(FLOW).hears("请按键").waits(after).hangs_up()
    assert house.notes[-1][0] == "FlowEnded"
    assert house.notes[-1][1]["reason"] == "call ended"
    assert house.cause == "normal"


def test_keys_are_written_down_before_they_have_an_effect(house):
    house.ring(FLOW).hears("请按键").press("1").is_over()
    kinds = [kind for kind, _ in house.notes]
    assert kinds == [
        "StepEntered",
        "CallAnswered",
        "PromptPlayed",
        "KeyPressed",
        "StepLeft",
        "StepEntered",
        "PromptPlayed",
        "StepLeft",
        "StepEntered",
        "StepLeft",
        "FlowEnded",
    ]
    assert house.notes.of("KeyPressed", "key", "step") == [("1", "main")]
    assert house.notes.of("PromptPlayed", "prompt", "language") == [("ask", "cmn"), ("hello", "cmn")]
    assert house.notes.of("StepEntered", "step", "visit") == [("main", 1), ("one", 2), ("end", 3)]
