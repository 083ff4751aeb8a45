"""Deadlines: the earliest first, the newest word counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.deadlines import Deadlines


class Thing:
    due = None


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 20)), max_size=400), st.integers(0, 20))
def test_only_the_last_deadline_of_a_thing_counts(steps, now):
    things, deadlines = [Thing() for _ in range(5)], Deadlines()
    for number, due in steps:
        deadlines.set(things[number], due)
        live = [thing.due for thing in things if thing.due is not None]
        assert deadlines.next() == min(live, default=None)
    expected = sorted(thing.due for thing in things if thing.due is not None and thing.due <= now)
    came = []
    while (due := deadlines.next()) is not None and (thing := deadlines.pop(now)) is not None:
        assert thing.due is None
        came.append(due)
    assert came == expected


def test_deadlines_that_are_replaced_for_ever_do_not_fill_the_memory():
    deadlines, thing = Deadlines(), Thing()
    for due in range(10_000):
        deadlines.set(thing, 1_000_000 - due)
    assert len(deadlines._heap) < 200
    assert deadlines.next() == 990_001
