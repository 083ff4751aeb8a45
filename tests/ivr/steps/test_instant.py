"""language, hours, lookup and goto: what the caller does not hear."""

from datetime import UTC, datetime

import pytest

from ivr.services import CallerFacts

LOOKUP = """
start: number
steps:
  number:
    collect: {say: ask-number, into: keyed}
    next: find
    otherwise: end
  find:
    lookup: {query: order, with: {number: "{{ keyed }}"}, into: found}
    found: tell
    missing: busy
    failed: bye
  tell: {say: {cmn: "{{ found.number }}{{ found.state }}", en: "{{ found.state }}"}, next: end}
  busy: {say: busy, next: end}
  bye: {say: bye, next: end}
  end: {hangup: {}}
"""
HOURS = """
start: look
steps:
  look:
    hours: {calendar: office}
    open: open
    closed: bye
  open: {say: hello, next: end}
  bye: {say: bye, next: end}
  holiday: {say: busy, next: end}
  end: {hangup: {}}
"""


def test_what_is_found_is_told(house):
    house.ring(LOOKUP).press("202611#").hears("202611 sent").is_over()
    assert house.orders.asked == [("order", {"number": "202611"})]
    assert house.notes.of("StepLeft", "exit", "set")[1] == (
        "found",
        {"found": {"map": {"number": "202611", "state": "sent"}}},
    )


def test_what_is_not_there_is_missing(house):
    house.ring(LOOKUP).press("5#").hears("占线").is_over()


def test_a_database_that_fails_is_an_exit_of_its_own(house):
    house.orders.failure = "the database is down"
    house.ring(LOOKUP).press("5#").hears("再见").is_over()
    assert house.notes.of("LookupFailed", "query", "reason") == [("order", "the database is down")]


def test_what_a_caller_keyed_is_data_and_no_template(house):
    house.orders.rows["1"] = {"number": "{{ caller.number }}", "state": "{% x %}"}
    house.ring(LOOKUP).press("1#").hears("{{ caller.number }} {% x %}")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 23, 2, 0, tzinfo=UTC), "你好"),
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "再见"),
        (datetime(2026, 10, 1, 2, 0, tzinfo=UTC), "再见"),
    ],
)
def test_the_hour_decides(house, at, said):
    house.sets_the_clock(at)
    house.ring(HOURS.replace("  holiday: {say: busy, next: end}\n", "")).hears(said)


def test_a_holiday_can_have_a_way_of_its_own(house):
    house.sets_the_clock(datetime(2026, 10, 1, 2, 0, tzinfo=UTC))
    house.ring(HOURS.replace("    closed: bye", "    closed: bye\n    holiday: holiday")).hears("占线")


LANGUAGE = """
start: pick
steps:
  pick: {language: "{{ caller.language }}", next: greet}
  greet: {say: hello, next: jump}
  jump: {goto: end}
  end: {hangup: {}}
"""


@pytest.mark.parametrize(("language", "said"), [("en", "Hello"), ("yue", "你好"), ("", "你好"), ("cmn", "你好")])
def test_a_callers_language_is_taken_where_the_flow_has_it(house, language, said):
    house.ring(LANGUAGE, caller=CallerFacts(language=language)).hears(said).is_over()
    assert house.exits[-2:] == [("jump", "to"), ("end", "ended")]


def test_the_call_is_not_answered_before_something_is_said(house):
    flow = """
    start: look
    steps:
      look: {hours: {calendar: office}, open: end, closed: end}
      end: {hangup: {}}
    """
    assert not house.ring(flow).is_over().line.answered
