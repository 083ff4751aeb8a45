"""hours: goes by the calendar."""

from datetime import UTC, datetime

import pytest

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


def test_the_call_is_not_answered_before_something_is_said(house):
    flow = """
    start: look
    steps:
      look: {hours: {calendar: office}, open: end, closed: end}
      end: {hangup: {}}
    """
    assert not house.ring(flow).is_over().line.answered
