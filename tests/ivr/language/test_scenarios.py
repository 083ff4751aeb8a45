"""How the steps of a scenario are read, and what is said of a wrong one."""

from datetime import datetime
from pathlib import Path

import pytest

from ivr.language.scenarios import (
    AgentAnswers,
    DatabaseIs,
    Ended,
    HangUp,
    Hear,
    MessageLeft,
    Press,
    Queued,
    Silence,
    Stage,
    load_scenarios,
)

TOLD = """\
- name: a known order is told
  caller: "13800000001"
  at: 2026-11-23 10:00
  steps: [{hear: main-menu}, {press: "1"}, {press: "2026 11#"}, {hear: "您的订单"}, {hang-up: }]
- name: silence goes to an agent
  dialled: "1000"
  steps:
    - silence: 12s
    - {database: down}
    - {queued: service}
    - {agent-answers: "1001"}
    - hang-up
    - {ended: agent}
"""


def test_a_scenario_is_a_call_and_its_steps():
    (order, silence), problems = load_scenarios(TOLD, "flows/hotline.test.yaml")
    assert problems == []
    assert (order.name, order.caller, order.dialled, order.at) == (
        "a known order is told",
        "13800000001",
        "",
        datetime(2026, 11, 23, 10, 0),
    )
    assert order.flow == "hotline"
    assert [stage.act for stage in order.steps] == [
        Hear("main-menu"),
        Press("1"),
        Press("202611#"),
        Hear("您的订单"),
        HangUp(),
    ]
    assert [stage.act for stage in silence.steps] == [
        Silence(12.0),
        DatabaseIs("down"),
        Queued("service"),
        AgentAnswers("1001"),
        HangUp(),
        Ended("agent"),
    ]
    assert silence.steps[0] == Stage(Silence(12.0), "silence", 8, 7)


def test_a_scenario_may_have_a_telephone_of_the_house_with_a_mailbox_and_a_pin():
    (told,), problems = load_scenarios(
        "- {name: x, phone: 1001, mailbox: service, pin: 0258, steps: [{message: '13800000001'}, {hear: message-1}]}\n",
        "flows/mailbox.test.yaml",
    )
    assert problems == []
    assert (told.phone, told.mailbox, told.pin) == ("1001", "service", "0258")
    assert [stage.act for stage in told.steps] == [MessageLeft("13800000001"), Hear("message-1")]


def test_what_did_not_come_about_is_a_problem_at_its_step():
    (order, _), _ = load_scenarios(TOLD, "flows/hotline.test.yaml")
    assert str(order.failed(order.steps[3], "heard '没有' instead")) == (
        "flows/hotline.test.yaml:4:65: a known order is told: heard '没有' instead"
    )
    assert str(order.failed(None, "no flow")) == "flows/hotline.test.yaml:1:3: a known order is told: no flow"


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("[{haer: x}]", "2:12: x: no word 'haer'. Did you mean 'hear'?"),
        ("[{press: 1a}]", "2:19: x: press: 'a' is not a key; there are 0 to 9, * and #"),
        ("[{press: }]", "2:19: x: press: a value is missing"),
        ("[{silence: soon}]", "2:21: x: silence: 'soon' is not a duration; write for example 500ms, 5s, 2m or 1h"),
        ("[{position: first}]", "2:22: x: position: 'first' is not a position; 1 is the next to be served"),
        (
            "[{database: gone}]",
            "2:22: x: database: 'gone' is not possible here; write down, slow or up.",
        ),
        ("[{hang-up: now}]", "2:21: x: hang-up: nothing is expected after this word"),
        ("[{hear: a, press: 1}]", '2:11: x: a step is one word and its value, such as {press: "1"}'),
        ("[hear]", '2:11: x: a step is one word and its value, such as {press: "1"}'),
        ("[]", "2:10: x: steps: at least one entry is needed here"),
    ],
)
def test_a_wrong_step_is_told_where_it_stands(steps, problem):
    found, problems = load_scenarios(f"- name: x\n  steps: {steps}\n", "t.yaml")
    assert found == ()
    assert [str(p) for p in problems] == [f"t.yaml:{problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\n", "1:1: scenarios are a list; each begins with '- name: ...'"),
        ("- steps: [hang-up]\n", "1:3: 'name' is missing"),
        (
            "- {name: x, at: noon, steps: [hang-up]}\n",
            "1:17: x: at: 'noon' is not a time; write for example 2026-11-23 10:00",
        ),
        (
            "- {name: x, pin: 25b0, steps: [hang-up]}\n",
            "1:18: x: pin: '25b0' is not a PIN; write digits, such as \"2580\"",
        ),
        (
            "- {name: x, steps: [{message: '1'}]}\n",
            "1:21: x: message: in which mailbox? Write 'mailbox: ...' below the scenario's name",
        ),
        (
            "- {name: x, at: 2026-11-23T10:00+08:00, steps: [hang-up]}\n",
            "1:17: x: at: the time is meant in the appliance's time zone; leave the zone out",
        ),
        (
            "- {name: x, steps: [hang-up]}\n- {name: x, steps: [hang-up]}\n",
            "2:10: the name 'x' is taken; first in line 1",
        ),
    ],
)
def test_a_wrong_scenario_is_told_where_it_stands(text, problem):
    found, problems = load_scenarios(text, "t.yaml")
    assert found == ()
    assert [str(p) for p in problems] == [f"t.yaml:{problem}"]


def test_the_scenarios_that_ship_can_be_read():
    file = Path(__file__).parents[3] / "flows" / "hotline.test.yaml"
    found, problems = load_scenarios(file.read_text(encoding="utf-8"), str(file))
    assert problems == []
    assert len(found) >= 10
