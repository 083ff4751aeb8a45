"""Work beside the calls: done when asked, done when due, and done again after an error."""

from datetime import UTC, datetime

import pytest

from runtime.rounds import AFTER_AN_ERROR, Round
from switch.shared.clock import VirtualClock


class Chore:
    """What is done; it says when it wants to be done again."""

    def __init__(self, clock, *pauses):
        self.clock = clock
        self.pauses = list(pauses)
        self.done = []

    def __call__(self):
        self.done.append(self.clock.now() // 1000)
        pause = self.pauses.pop(0) if self.pauses else None
        if isinstance(pause, Exception):
            raise pause
        return pause


@pytest.fixture
def clock():
    return VirtualClock(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def start(clock):
    """Starts a chore, and lets time pass."""
    rounds = []

    def start(*pauses, seconds=3600):
        chore = Chore(clock, *pauses)
        rounds.append(Round(chore, clock))
        rounds[-1].start()
        clock.run_until(lambda: False, longest=seconds)
        return chore, rounds[-1]

    yield start
    for each in rounds:
        each.stop()


def test_it_is_done_at_once_and_when_it_wants_to_be(start):
    chore, _ = start(10, 20, None)
    assert chore.done == [0, 10, 30]


def test_it_is_done_when_it_is_asked_for_and_only_then(start, clock):
    chore, round = start(None, None)
    round.ask()
    round.ask()
    clock.run_until(lambda: False, longest=10)
    assert chore.done == [0, 3600]


def test_an_error_ends_it_for_a_minute_and_not_for_ever(start):
    chore, _ = start(RuntimeError("a bug"), None)
    assert chore.done == [0, AFTER_AN_ERROR]


def test_what_was_stopped_is_not_done(start, clock):
    chore, round = start(10, seconds=5)
    round.stop()
    clock.run_until(lambda: False, longest=60)
    assert chore.done == [0]
