"""Who is let in: limits of calls, of calls a second, and of how late the hub may be."""

from datetime import UTC, datetime

import pytest

from runtime.admission import CALM_LOOKS, Admission
from switch.port import CallId
from switch.shared.clock import VirtualClock


class Door:
    def __init__(self):
        self.clock = VirtualClock(datetime(2026, 11, 24, tzinfo=UTC))
        self.admission = Admission(self.clock, calls=3, per_second=2, lag=0.2)
        self.inside = 0
        self.knocks = 0

    def knocks_at(self, *, arrives=True):
        self.knocks += 1
        call = CallId(f"call-{self.knocks}")
        let_in = self.admission.lets_in(call, self.inside)
        if let_in and arrives:
            self.admission.arrived(call)
            self.inside += 1
        return let_in

    def pass_time(self, seconds):
        self.clock.run_until(lambda: False, longest=seconds)

    def looks(self, *lags):
        for lag in lags:
            self.admission.looked(lag)


@pytest.fixture
def door():
    return Door()


def test_so_many_a_second_and_more_in_the_next(door):
    assert [door.knocks_at() for _ in range(3)] == [True, True, False]
    door.pass_time(0.9)
    assert not door.knocks_at()
    door.pass_time(0.2)
    assert door.knocks_at()


def test_so_many_at_a_time_and_another_when_one_has_gone(door):
    for _ in range(3):
        assert door.knocks_at()
        door.pass_time(1.1)
    assert not door.knocks_at()
    door.inside -= 1
    assert door.knocks_at()


def test_those_who_are_on_their_way_in_count_until_they_are_given_up(door):
    for _ in range(3):
        assert door.knocks_at(arrives=False)
        door.pass_time(1.1)
    assert not door.knocks_at()
    door.pass_time(5)
    assert door.knocks_at()


def test_one_stall_refuses_nobody(door):
    door.looks(3.0, 0.01, 3.0, 3.0, 0.01)
    assert door.knocks_at()


def test_a_hub_that_stays_late_lets_nobody_in_until_it_was_calm_for_a_while(door):
    door.looks(0.3, 0.3, 0.3)
    assert not door.knocks_at()
    door.looks(*[0.01] * (CALM_LOOKS - 1))
    assert not door.knocks_at()
    door.looks(0.01)
    assert door.knocks_at()


def test_a_hub_that_is_late_again_and_again_lets_nobody_in(door):
    door.looks(0.3, 0.3, 0.3)
    door.looks(*[0.15, *[0.01] * (CALM_LOOKS // 4 - 1)] * 40)
    assert not door.knocks_at()


@pytest.mark.parametrize("lag", [0.15, 3.0])
def test_a_stall_now_and_then_keeps_nobody_out(door, lag):
    door.looks(0.3, 0.3, 0.3)
    door.looks(*[lag, *[0.01] * (CALM_LOOKS - 1)] * 2)
    assert door.knocks_at()


def test_nobody_is_let_in_sooner_for_the_looks_before_the_hub_was_late(door):
    door.looks(*[0.01] * 100, 0.3, 0.3, 0.3, *[0.01] * (CALM_LOOKS - 1))
    assert not door.knocks_at()


def test_who_is_let_in_again_is_kept_out_again_by_the_same_number_of_late_looks(door):
    door.looks(0.3, 0.3, 0.3, *[0.01] * CALM_LOOKS)
    door.looks(0.3, 0.3)
    assert door.knocks_at()
    door.looks(0.3)
    assert not door.knocks_at()


def test_the_refused_are_counted(door):
    for _ in range(5):
        door.knocks_at()
    assert door.admission.refused == 3
