"""How long the wait will be: the estimator against its definition, and what it does when nothing is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.forecast import Drift, Mean, Pace, band, departures
from acd.model import CallAbandoned, Overflow, QueueRule
from acd.skills import Demand, Needs
from tests.acd.script import Script, only_offer


def test_without_abandonment_it_is_the_classic_queue_length_estimator():
    """(n + 1) / (s mu): 4 ahead, 2 agents, 60 s each."""
    pace = Pace()
    pace.handled(60_000)
    assert pace.wait(4, 2) == pytest.approx(150)


def test_with_abandonment_it_is_shorter():
    pace = Pace()
    pace.handled(60_000)
    pace.waited(120_000, abandoned=True)
    assert pace.abandon_rate() == pytest.approx(1 / 120_000)
    # mu = 1/30000 for the two agents, theta = 1/120000: the sum of 1 / (mu + i theta) for i = 0 .. 4
    assert pace.wait(4, 2) == pytest.approx(sum(1 / (1 / 30 + i / 120) for i in range(5)))


@pytest.mark.parametrize("agents", [0, 3])
def test_nothing_is_told_when_nothing_is_known(agents: int):
    assert Pace().wait(3, agents) is None


def test_nothing_is_told_when_nobody_works():
    pace = Pace()
    pace.handled(60_000)
    assert pace.wait(0, 0) is None


@given(st.integers(1, 3000), st.floats(1e-6, 1e-2), st.floats(1e-8, 1e-2))
def test_long_queues_are_summed_by_a_formula_that_is_right_within_a_hundredth(count, service, abandon):
    exact = sum(1 / (service + i * abandon) for i in range(count))
    assert departures(count, service, abandon) == pytest.approx(exact, rel=0.01)


def test_what_callers_really_waited_corrects_what_the_queue_says():
    drift = Drift()
    assert drift.factor() == 1
    drift.observe(expected=100, real=50)
    assert drift.factor() == pytest.approx(0.5)
    for _ in range(50):
        drift.observe(expected=100, real=300)
    assert drift.factor() == pytest.approx(3, rel=0.01)
    for _ in range(50):
        drift.observe(expected=1, real=1_000)
    assert drift.factor() == 5


def test_each_need_has_a_drift_of_its_own_and_too_many_are_not_remembered():
    pace = Pace()
    first = Needs((Demand("s0"),))
    pace.drift(first).observe(100, 50)
    assert pace.drift(first).factor() == pytest.approx(0.5)
    assert pace.drift(Needs()).factor() == 1
    for number in range(300):
        pace.drift(Needs((Demand(f"other{number}"),)))
    assert pace.drift(first).factor() == 1


@pytest.mark.parametrize("sent_on", [{"exit": "overflowed"}, {"to_queue": "experts"}])
def test_who_is_sent_on_has_shown_patience_too(sent_on: dict[str, str]):
    """Twenty who waited a minute, and one who gave up after ten seconds: patience is near 1,210 s, not 10 s."""
    script = Script(QueueRule("service", overflow=(Overflow(after=60_000, **sent_on),)), QueueRule("experts"))
    script.agent("1001")
    script.serve(only_offer(script.call("served")), talk=60)
    for number in range(20):
        script.call(f"c{number}")
    script.until(script.now / 1000 + 60)
    script.call("impatient")
    script.tell(CallAbandoned("impatient"), at=script.now / 1000 + 10)
    for number in range(10):
        script.call(f"next{number}")
    assert script.acd.place("next9").wait == pytest.approx(departures(10, 1 / 80, 1 / 1210), rel=0.1)


def test_who_is_sent_away_at_the_door_has_shown_nothing():
    pace = Pace()
    pace.waited(10_000, abandoned=True)
    for _ in range(1000):
        pace.waited(0, abandoned=False)
    pace.waited(90_000, abandoned=False)
    assert pace.abandon_rate() == pytest.approx(1 / 100_000, rel=0.05)


def test_more_ahead_never_means_a_shorter_wait():
    pace = Pace()
    pace.handled(60_000)
    pace.waited(100_000, abandoned=True)
    waits = [pace.wait(ahead, 3) for ahead in range(300)]
    assert waits == sorted(waits)


def test_the_mean_is_plain_at_first_and_follows_later():
    mean = Mean()
    for value in (10.0, 20.0, 30.0):
        mean.observe(value)
    assert mean.value == pytest.approx(20)
    for _ in range(400):
        mean.observe(100.0)
    assert mean.value == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(
    ("seconds", "spoken"), [(0, (0, 60)), (59.9, (0, 60)), (60, (60, 120)), (200, (180, 300)), (9999, (3600, None))]
)
def test_bands(seconds: float, spoken: tuple[int, int | None]):
    assert band(seconds) == spoken
