"""How a crowd's fate is told, and that its scenario is one."""

from xml.etree import ElementTree

from bench import _callers
from bench.overload import INSIDE, Storm


def crowd(**more):
    facts = {"asked": 100, "orderly": 97, "answer": [5.0] * 60, "told": [900.0] * 50}
    return _callers.Crowd(**{**facts, **more})


def test_everybody_is_answered_refused_or_counted_as_unheard():
    some = crowd()
    assert (len(some.answer), some.refused, some.unheard) == (60, 37, 3)


def test_a_caller_who_was_answered_and_then_lost_is_not_counted_as_refused():
    assert crowd(orderly=50).refused == 0


def test_a_switch_that_is_not_empty_in_time_has_not_come_back():
    storm = Storm(150, crowd(), INSIDE, None, 0, None)
    assert not storm.came_back
    assert storm.figures()["switch empty by itself after, s"] is None


def test_a_crowd_of_whom_nobody_was_answered_has_no_times():
    figures = Storm(150, crowd(answer=[], told=[]), 0, 1.0, 7, None).figures()
    assert figures["INVITE to 200 p99, ms"] is None
    assert figures["refused by SIP"] == 97


def test_the_crowds_scenario_leads_each_ending_to_its_label():
    scenario = ElementTree.fromstring((_callers.SCENARIOS / "crowd.xml").read_text().replace("@KEY@", ""))
    labels = {step.get("id") for step in scenario if step.tag == "label"}
    led_to = {step.get(attribute) for step in scenario for attribute in ("next", "ontimeout")} - {None}
    assert led_to == labels == {"refused", "impatient", "over"}
