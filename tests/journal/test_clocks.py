"""Spans between records, whoever set the time of day meanwhile."""

from __future__ import annotations

import pytest

from journal.clocks import Clocks, set_by

HOUR = 3_600_000


def test_a_clock_that_is_set_lengthens_no_span():
    clocks = Clocks()
    assert [clocks.take("CallQueued", 1_000, {}), clocks.steady(1_000)] == [0, 1_000]
    assert [clocks.take("ClockChanged", HOUR + 5_000, {"by": HOUR}), clocks.steady(HOUR + 5_000)] == [HOUR, 5_000]
    assert [clocks.take("ClockChanged", 9_000, {"by": -HOUR}), clocks.steady(9_000)] == [-HOUR, 9_000]


def test_one_that_is_set_while_no_process_runs_is_found_by_the_clock_that_never_goes_back():
    clocks = Clocks()
    assert clocks.take("ApplianceStarted", 100_000, {"boot": "b", "now": 70_000}) == 0
    clocks.take("ClockChanged", 111_000, {"by": 1_000})
    assert clocks.take("ApplianceStarted", HOUR + 131_000, {"boot": "b", "now": 100_000}) == HOUR
    assert clocks.steady(HOUR + 131_000) == 130_000
    assert clocks.apart == HOUR + 31_000


@pytest.mark.parametrize("boots", [("b", "c"), ("", "")])
def test_after_a_reboot_the_time_of_day_is_what_there_is(boots):
    clocks = Clocks()
    clocks.take("ApplianceStarted", 100_000, {"boot": boots[0], "now": 70_000})
    assert clocks.take("ApplianceStarted", 200_000, {"boot": boots[1], "now": 5}) == 0
    assert (clocks.steady(200_000), clocks.apart) == (200_000, 199_995)


@pytest.mark.parametrize(
    "record", [("ClockChanged", {}), ("ClockChanged", {"by": "much"}), ("WrapUpExtended", {"by": 9})]
)
def test_what_says_no_such_thing_sets_nothing(record):
    assert set_by(*record) == 0
