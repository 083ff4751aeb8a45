"""A call in its flow: it ends honestly, whatever breaks, and can be taken up again where it stood."""

import json
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ivr.services import CannotSpeak
from ivr.state import State
from switch.port import Cause, SwitchLost

FLOW = """
start: hello
longest: 30s
steps:
  hello: {say: hello, next: main}
  main:
    menu: {say: ask, options: {"1": find, "2": main}, tries: 2}
    otherwise: end
  find:
    lookup: {query: order, with: {number: "1"}}
    found: end
    missing: end
    failed: busy
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""


class Bug(Exception):
    pass


def breaks(*_, **__):
    raise Bug("a secret")


def test_a_bug_in_a_step_is_an_apology_and_the_steps_own_way_out(house):
    caller = house.ring(FLOW)
    house.orders.query = breaks
    caller.press("1").hears("系统故障").hears("占线").is_over()
    assert house.exits[-3:] == [("find", "failed"), ("busy", "next"), ("end", "ended")]
    assert house.notes.of("StepFailed", "step", "error") == [("find", "Bug")]


def test_a_prompt_that_cannot_be_spoken_leads_to_otherwise(house):
    house.voice.broken.add("ask")
    house.ring(FLOW).hears("系统故障").is_over()
    assert house.exits[1:] == [("main", "otherwise"), ("end", "ended")]


def test_a_text_that_cannot_be_said_is_an_apology_and_the_call_goes_on(house):
    house.voice.broken.add("hello")
    house.ring(FLOW).hears("系统故障").hears("请按键")
    assert house.exits[0] == ("hello", "next")


def test_a_flow_can_name_a_step_for_what_has_no_way_out(house):
    house.voice.broken.add("hello")
    house.ring(FLOW.replace("longest: 30s", "failed: busy")).hears("系统故障").hears("占线").is_over()


def test_when_even_the_apology_cannot_be_spoken_the_call_still_ends(house):
    house.voice.prompt = house.voice.text = lambda *_: (_ for _ in ()).throw(CannotSpeak("no voice"))
    assert house.ring(FLOW).is_over(within=10).heard == []
    assert house.notes.of("StepFailed", "step") == ["hello", "main"]


def test_errors_without_end_are_ended(house):
    flow = """
    start: one
    failed: two
    steps:
      one: {say: hello, next: end}
      two: {menu: {say: ask, options: {"1": end}}, otherwise: one}
      end: {hangup: {}}
    """
    house.voice.broken |= {"hello", "ask"}
    caller = house.ring(flow).is_over(within=30)
    assert caller.heard == ["系统故障"] * 4
    assert house.notes[-1] == ("FlowEnded", {"flow": "test", "step": "two", "reason": "technical error"})
    assert house.cause is None  # we hung up


def test_the_longest_call_is_cut_where_it_waits(house):
    caller = house.ring(FLOW)
    for _ in range(30):
        caller.listens()
        if house.over:
            break
        caller.press("2")
        caller.waits(4)
    assert house.over
    assert house.notes[-1][1]["reason"] == "longest"
    assert 30_000 <= caller.line.ended_at <= 32_000
    assert caller.heard[-1] == "时间已到"


def test_a_silent_caller_does_not_stay_past_the_longest_call(house):
    flow = FLOW.replace("tries: 2", "timeout: 600s")
    caller = house.ring(flow).is_over()
    assert house.notes[-1][1]["reason"] == "longest"
    assert caller.line.ended_at == 31_000
    assert caller.heard[-1] == "时间已到"


def test_steps_that_nobody_hears_do_not_go_round_for_ever(house):
    flow = house.flow("""
    start: a
    steps:
      a: {say: {cmn: "{{ caller.name }}", en: "x"}, next: b}
      b: {say: {cmn: "{{ caller.name }}", en: "x"}, next: end}
      end: {hangup: {}}
    """)
    back = replace(flow.steps["b"], targets={"next": "a"})  # no flow like this gets past the checker
    house.ring(replace(flow, steps={**flow.steps, "b": back}))
    assert house.clock.run_until(lambda: house.over, longest=10)
    assert house.notes[-1][1]["reason"] == "went in circles"


def test_the_caller_may_hang_up_before_anything_happens(house):
    caller = house.ring(FLOW)
    caller.line.hang_up()
    caller.is_over()
    assert house.cause == Cause.NORMAL
    assert [kind for kind, _ in house.notes][-1] == "FlowEnded"


def test_a_lost_switch_ends_the_flow_in_the_journal(house):
    house.ring(FLOW).hears("你好")
    house.exchange.lose()
    house.clock.run_until(lambda: house.over, longest=1)
    assert house.cause == Cause.SWITCH_LOST
    assert house.notes[-1][1]["cause"] == "switch lost"


def test_a_switch_that_is_lost_in_the_middle_of_a_command_passes_through(house):
    caller = house.ring(FLOW).hears("你好")

    def lost(*_, **__):
        raise SwitchLost

    house.call.play = lost
    with pytest.raises(AssertionError):
        caller.hears("请按键", within=5)
    assert house.notes[-1][1]["reason"] == "switch lost"


# --- taken up again ----------------------------------------------------------------------------------


def test_a_call_goes_on_at_the_step_in_which_it_stood(house):
    state = State(step="busy", language="en", variables={"keyed": "5"}, visit=7, failures={"main": 1}, spent=20.0)
    caller = house.ring(FLOW, state=State.restored(json.loads(json.dumps(state.stored()))))
    assert caller.is_over().heard == ["Busy"]
    assert house.notes.of("StepEntered", "step", "visit") == [
        ("busy", 7),
        ("end", 8),
    ]  # with the number that its deeds carry


def test_a_call_that_stood_in_a_step_which_is_gone_begins_anew(house):
    house.ring(FLOW, state=State(step="gone", language="cmn")).hears("你好")


def test_the_time_already_spent_counts(house):
    house.ring(FLOW, state=State(step="main", language="cmn", spent=28.0)).is_over()
    assert house.notes[-1][1]["reason"] == "longest"


VALUES = {
    "text": "你好",
    "number": 5,
    "half": 0.5,
    "yes": True,
    "none": None,
    "price": Decimal("42.10"),
    "day": date(2026, 11, 25),
    "moment": datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")),
    "hour": time(17, 30),
    "row": {"eta": date(2026, 11, 25), "inner": {"date": "not a date", "map": 1}},
}


def test_every_kind_of_value_comes_back_as_it_was():
    state = State(step="a", language="cmn", variables=dict(VALUES))
    back = State.restored(json.loads(json.dumps(state.stored())))
    assert back == state
    assert {name: type(value) for name, value in back.variables.items()} == {n: type(v) for n, v in VALUES.items()}


def test_what_a_sensitive_step_collected_is_not_stored():
    state = State(step="a", language="cmn", variables={"pin": "1234", "order": "5"}, sensitive={"pin"})
    assert state.stored()["variables"] == {"order": "5"}


# --- the caller has hung up --------------------------------------------------------------------------

COMPLAINT = """
start: complaint
steps:
  complaint:
    voicemail: {box: service}
    next: kind
    empty: bye
    full: bye
  kind: {set: {about: "{{ message.id }}"}, next: file}
  file:
    save: {query: open_ticket, with: {about: "{{ about }}"}, into: ticket}
    next: tell
    failed: bye
  tell: {say: {cmn: "编号{{ ticket.number }}", en: "{{ ticket.number }}"}, next: file-again}
  file-again:
    save: {query: open_ticket, with: {about: again}}
    next: bye
    failed: bye
  bye: {say: bye, next: end}
  end: {hangup: {}}
"""


def test_a_complaint_that_is_ended_by_hanging_up_gets_its_ticket(house):
    house.ring(COMPLAINT).hears("哔").waits(1.0).speaks(2.0).hangs_up()
    assert house.orders.saved == [("open_ticket", {"about": "m1"}, "sim-1-3")]
    assert house.exits == [("complaint", "next"), ("kind", "next")]
    assert house.notes[-1][1]["step"] == "file"  # what comes after it needs the caller
    assert house.cause == Cause.NORMAL


def test_so_does_one_whose_caller_hangs_up_in_the_thanks(house):
    house.ring(COMPLAINT).hears("哔").waits(1.0).speaks(2.0).press("#").hears("已保存").waits(0.2).hangs_up()
    assert len(house.orders.saved) == 1


def test_without_a_message_there_is_no_ticket(house):
    house.boxes.silent = True
    house.ring(COMPLAINT).hears("哔").waits(1.0).hangs_up()
    assert house.orders.saved == []
    assert house.exits == []


def test_a_step_that_breaks_when_nobody_listens_ends_the_flow(house):
    caller = house.ring(COMPLAINT).hears("哔").waits(1.0)
    house.orders.save = breaks
    caller.speaks(2.0).hangs_up()
    assert house.notes.of("StepFailed", "step", "error") == [("file", "Bug")]
    assert house.notes[-1][0] == "FlowEnded"


def test_a_call_that_the_switch_has_lost_may_come_back_and_is_left_as_it_is(house):
    house.ring(COMPLAINT).hears("哔").waits(1.0).speaks(2.0)
    house.exchange.lose()
    house.clock.run_until(lambda: house.over, longest=5)
    assert house.cause == Cause.SWITCH_LOST
    assert house.orders.saved == []
