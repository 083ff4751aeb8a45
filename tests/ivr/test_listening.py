"""Press or say: phrases are understood, always confirmed, and keys work at every moment."""

from dataclasses import replace

import pytest

from config.document import parse
from ivr.language.checker import check, remarks
from ivr.language.reader import read
from tests.ivr.conftest import HOUSE

FLOW = """
start: main
keys: {"*": repeat}
steps:
  main:
    menu:
      say: ask
      options: {"1": orders, "2": message, "5": english}
      phrases:
        cmn: {"1": [查询订单, 订单], "2": 留 言}
      timeout: 5s
      tries: 2
    otherwise: agent
  orders: {say: {cmn: 订单, en: Orders}, next: end}
  message: {say: {cmn: 留言, en: Message}, next: end}
  english: {language: en, next: main}
  agent: {say: bye, next: end}
  end: {hangup: {}}
"""


def says(house, caller, word, seconds=1.0):
    """The caller says something while the flow listens."""
    house.ears.words.append(word)
    return caller.listens().speaks(seconds)


def test_a_phrase_is_asked_about_and_leads_on_after_yes(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "订单").hears("您说的是订单吗").hears("哔")
    says(house, caller, "对的").hears("订单").is_over()
    assert house.exits[0] == ("main", "1")
    assert house.notes.of("PhraseHeard", "key", "confirmed") == [("1", True)]


def test_the_recogniser_is_given_the_phrases_of_the_question_and_nothing_else(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "留言").hears("您说的是留言吗").hears("哔")
    says(house, caller, "是").hears("留言").is_over()
    assert house.ears.asked[0] == ("查询订单", "订单", "留言")
    assert "不是" in house.ears.asked[1]


def test_the_confirmation_can_be_keyed(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "留言").hears("您说的是留言吗").press("1").hears("留言").is_over()
    assert house.exits[0] == ("main", "2")


def test_after_no_the_menu_is_asked_again(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "留言").hears("您说的是留言吗").hears("哔")
    says(house, caller, "不是").hears("没有听清").hears("请按键").press("1").hears("订单").is_over()
    assert house.notes.of("PhraseHeard", "key", "confirmed") == [("2", False)]


def test_nothing_is_done_on_a_phrase_that_nobody_confirms(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "留言").hears("您说的是留言吗").hears("您说的是留言吗").hears("请按键").is_over()
    assert house.exits[0] == ("main", "otherwise")


def test_another_options_key_counts_also_while_a_phrase_is_confirmed(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "留言").hears("您说的是留言吗").press("5").hears("Choose")


@pytest.mark.parametrize("moment", ["请按键", "哔"])
def test_keys_work_while_the_prompt_plays_and_while_the_flow_listens(house, moment):
    caller = house.ring(FLOW).hears(moment).press("2").hears("留言").is_over()
    assert house.exits[0] == ("main", "2")
    assert house.ears.asked == []
    assert caller.line.heard[-2].text == moment


def test_a_key_while_the_caller_is_recorded_counts_at_once(house):
    caller = house.ring(FLOW).hears("哔").listens().waits(0.5).press("2").hears("留言")
    assert caller.line.heard[-1].at - caller.line.heard[-2].until == 500


def test_keys_that_work_everywhere_work_while_the_flow_listens(house):
    house.ring(FLOW).hears("哔").listens().press("*").hears("请按键")
    assert house.notes.of("StepLeft", "exit") == ["key *"]


def test_other_words_are_a_wrong_try_with_words_of_their_own(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "天气").hears("没有听清").hears("请按键").hears("哔")
    says(house, caller, "天气").hears("再见").is_over()
    assert house.exits[0] == ("main", "otherwise")


def test_silence_is_listened_to_for_as_long_as_for_a_key(house):
    caller = house.ring(FLOW).is_over()
    assert caller.heard == ["请按键", "哔", "请按键", "哔", "再见"]
    again = [one.at for one in caller.line.heard if one.text == "请按键"]
    assert 5000 <= again[1] - again[0] - 2000 <= 7000


def test_whoever_hesitates_is_still_heard(house):
    caller = house.ring(FLOW).hears("哔").waits(4.5)
    says(house, caller, "订单").hears("您说的是订单吗")


def test_nothing_that_was_said_stays_on_disk(house):
    caller = house.ring(FLOW).hears("哔")
    says(house, caller, "订单").hears("您说的是订单吗")
    assert not list(house.folder.glob("said*"))
    caller.hears("哔").listens().hangs_up()
    assert not list(house.folder.glob("said*"))


def test_without_the_recogniser_the_keys_go_on(house):
    house.ears.broken = True
    caller = house.ring(FLOW).hears("哔").listens().speaks(1).waits(2).press("2").hears("留言").is_over()
    assert house.notes.of("RecognitionFailed", "step") == ["main"]
    assert caller.heard == ["请按键", "哔", "留言"]


def test_a_disk_that_is_full_leaves_the_keys(house):
    house.exchange.disk_full = True
    house.ring(FLOW).hears("哔").listens().press("2").hears("留言").is_over()
    assert house.notes.of("RecognitionFailed", "step") == ["main"]


def test_a_language_without_phrases_or_recogniser_has_its_keys(house):
    caller = house.ring(FLOW).hears("请按键").press("5").hears("Choose").press("1").hears("Orders").is_over()
    assert "beep" not in caller.heard


def checked(old, new, house=HOUSE):
    document, problems = parse('number: "1"\nlanguages: [cmn, en]\n' + FLOW.replace(old, new), "flow.yaml")
    assert problems == []
    drafts = [read(document)]
    return [str(one) for one in check(drafts, house)], [str(one) for one in remarks(drafts, house)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"2": 留 言', '"4": 留言', "main.phrases.cmn.4: no option '4'"),
        ('"2": 留 言', '"2": 订单', "main.phrases.cmn.2: '订单' stands for the key 1 already"),
        ("cmn: {", "cnm: {", "main.phrases.cnm: no language 'cnm'. Did you mean 'cmn'?"),
        ('"2": 留 言', '"2": 留言2', "main.phrases.cmn.2: '留言2' cannot be a phrase"),
        ('"2": 留 言', '"2": []', "main.phrases.cmn.2"),
    ],
)
def test_wrong_phrases_are_named_with_their_place(old, new, message):
    problems, _ = checked(old, new)
    assert len(problems) == 1, problems
    assert message in problems[0]


def test_phrases_that_nobody_understands_are_remarked_upon_and_no_mistake():
    problems, remarked = checked("", "", replace(HOUSE, understood=["en"]))
    assert problems == []
    assert len(remarked) == 1
    assert (
        "main.phrases.cmn: these phrases are not used: speech.recognition in appliance.yaml has no model" in remarked[0]
    )
    assert checked("", "", replace(HOUSE, understood=["cmn"]))[1] == []
    assert checked("", "", HOUSE)[1] == []
