"""What people read of a journal: when, who, what."""

from zoneinfo import ZoneInfo

import pytest

from runtime.telling import Teller


@pytest.fixture
def teller():
    texts = {("welcome", "cmn"): "您好"}
    return Teller(
        lambda prompt, language: texts.get((prompt, language), ""), {"1001": "王芳"}, ZoneInfo("Asia/Shanghai")
    )


def told(teller, type, call="c1", **facts):
    return teller.line({"at": "2026-11-22T03:04:05.678+00:00", "type": type, "call": call, **facts})


def test_a_call_is_told_by_its_caller_in_the_time_of_the_house(teller):
    assert told(teller, "CallArrived", caller="13800000001", dialled="1000") == "11:04:05  13800000001    dials 1000"
    assert told(teller, "PromptPlayed", prompt="welcome", language="cmn") == "11:04:05  13800000001    您好"
    assert told(teller, "KeyPressed", key="1").endswith("13800000001    [1]")
    assert told(teller, "CallEnded", outcome="caller left").endswith("(the call has ended: caller left)")


def test_a_prompt_is_told_as_it_was_said_else_by_its_name(teller):
    assert told(teller, "PromptPlayed", prompt="your-position", text="第一位", language="cmn").endswith("  第一位")
    assert told(teller, "PromptPlayed", prompt="beep", language="cmn").endswith("(beep)")


def test_a_hidden_number_is_anonymous(teller):
    assert "anonymous" in told(teller, "CallArrived", caller="", dialled="1000")


def test_an_offer_is_told_by_its_agent(teller):
    told(teller, "CallArrived", caller="138", dialled="1000")
    ringing = told(teller, "OfferCall", offer="o1", agent="1001", queue="service", ring_for=1)
    assert ringing.endswith("agent 1001     the phone rings: 138 from queue service")
    assert told(teller, "OfferDeclined", offer="o1").endswith("agent 1001     declines")
    assert told(teller, "CallConnected", offer="o1", agent="1001").endswith("138            (talking to 王芳 (1001))")


def test_a_state_is_told_with_its_reason(teller):
    assert told(teller, "AgentStateChanged", "", agent="1001", state="NotReady", reason="meal").endswith(
        "agent 1001     is NotReady (meal)"
    )


def test_what_says_nothing_to_people_is_not_told(teller):
    assert told(teller, "StepEntered", step="welcome", visit=1) == ""
    assert told(teller, "QueuesChanged", "", queues=[]) == ""
