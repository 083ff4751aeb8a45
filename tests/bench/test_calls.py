"""What counts as a clean rate, and how the highest one is found."""

import math
from contextlib import contextmanager

import pytest

from bench import _callers, calls

PROMPT = 1500.0


def loaded(rate, *, clean=True, **outcome):
    facts = {
        "asked": 100,
        "succeeded": 100,
        "repeated": 0,
        "answer": [20.0] * 100 if clean else [900.0] * 100,
        "told": [PROMPT + 60.0] * 100,
    }
    return calls.Load(rate, _callers.Outcome(**facts | outcome), PROMPT, switch_ms=8.0, ours_ms=2.0)


class Machine:
    """Takes rates up to its limit; the rates in `disturbed` find it busy with something else the first time."""

    def __init__(self, limit, *, disturbed=(), seconds=1.0):
        self.limit, self.seconds = limit, seconds
        self.disturbed = set(disturbed)
        self.tried = []

    def load(self, rate):
        self.tried.append(rate)
        disturbed = rate in self.disturbed
        self.disturbed.discard(rate)
        return loaded(rate, clean=rate <= self.limit and not disturbed)

    def now(self):
        return len(self.tried) * self.seconds


class TestCleanRate:
    def test_is_one_at_which_every_call_goes_right_in_time(self):
        assert loaded(50).clean

    def test_is_not_one_at_which_a_call_was_lost(self):
        load = loaded(50, succeeded=99)
        assert (load.wrong, load.clean) == (1, False)

    def test_is_not_one_at_which_a_call_ended_before_its_prompt_did(self):
        load = loaded(50, told=[PROMPT + 60.0] * 99 + [300.0])
        assert (load.wrong, load.clean) == (1, False)

    def test_is_not_one_at_which_callers_wait_for_the_answer(self):
        assert not loaded(50, answer=[20.0] * 97 + [400.0] * 3).clean

    def test_is_not_one_at_which_callers_wait_after_their_key(self):
        assert not loaded(50, told=[PROMPT + 1500.0] * 100).clean

    def test_is_not_one_at_which_nobody_was_answered(self):
        assert not loaded(50, succeeded=0, answer=[], told=[]).clean


class TestCleanLimit:
    @pytest.mark.parametrize("limit", [12, 31, 100, 163, 399])
    def test_is_found_within_an_eighth(self, limit):
        machine = Machine(limit)
        found = calls.clean_limit(machine.load, within=1000, now=machine.now)
        assert limit / calls.FINE <= found.rate <= limit

    def test_is_none_where_even_the_least_is_too_much(self):
        machine = Machine(3)
        assert calls.clean_limit(machine.load, within=1000, now=machine.now) is None

    def test_is_not_sought_beyond_the_most_that_is_tried(self):
        machine = Machine(100_000)
        assert calls.clean_limit(machine.load, within=1000, now=machine.now).rate <= calls.MOST

    def test_a_rate_that_something_else_disturbed_is_tried_again(self):
        machine = Machine(100, disturbed=[30, 87])
        assert calls.clean_limit(machine.load, within=1000, now=machine.now).rate >= 90

    def test_no_rate_is_begun_after_the_time_is_up(self):
        machine = Machine(300, seconds=10)
        found = calls.clean_limit(machine.load, within=25, now=machine.now)
        assert machine.tried == [30, 51, 87]
        assert found.rate == 87


class TestPercentile:
    def test_is_the_value_that_so_many_do_not_exceed(self):
        assert calls.percentile(range(1, 101), 99) == 99
        assert calls.percentile(range(1, 101), 50) == 50
        assert calls.percentile([7.0], 99) == 7.0

    def test_of_nothing_is_beyond_every_bound(self):
        assert math.isinf(calls.percentile([], 50))


class TestSwitches:
    """`opened` raises FileNotFoundError for a switch that is not on this machine."""

    def test_those_that_are_there_are_measured_and_the_others_named(self):
        @contextmanager
        def opened(kind):
            if kind == "freeswitch":
                raise FileNotFoundError("no FreeSWITCH on the PATH")
            yield kind

        found = calls.on_each_switch(lambda house: f"measured {house}", opened)
        assert found == {"asterisk": "measured asterisk", "not measured": ["no FreeSWITCH on the PATH"]}

    def test_none_at_all_is_said_with_every_reason(self):
        @contextmanager
        def opened(kind):
            raise FileNotFoundError(f"no {kind}")
            yield

        with pytest.raises(FileNotFoundError, match="no freeswitch; no asterisk"):
            calls.on_each_switch(lambda house: house, opened)
