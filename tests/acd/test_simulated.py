"""Discrete events around the engine: what callers and agents are written to do, they do."""

from __future__ import annotations

from acd.model import Agent, Announcements, Overflow, QueueRule
from acd.simulated import Caller, Outcome, Shift, Simulation

ALICE = Agent("1001", queues=("service",))


def outcomes(
    *callers: Caller, rule: QueueRule | None = None, shifts: tuple[Shift, ...] = (Shift(ALICE),), answer_in: int = 0
) -> list[Outcome]:
    return Simulation([rule or QueueRule("service", wrap_up=10_000)], shifts, answer_in=answer_in).serve(callers)


def ends(found: list[Outcome]) -> list[tuple[str, int, str]]:
    return [(outcome.end, outcome.waited, outcome.agent) for outcome in found]


def test_callers_are_served_one_after_the_other_with_wrap_up_between():
    found = outcomes(Caller("c1", 0, 60_000, "service"), Caller("c2", 10_000, 60_000, "service"))
    assert ends(found) == [("answered", 0, "1001"), ("answered", 60_000, "1001")]


def test_phones_take_a_while_to_be_answered():
    found = outcomes(Caller("c1", 5_000, 60_000, "service"), answer_in=4_000)
    assert ends(found) == [("answered", 4_000, "1001")]


def test_patience_ends():
    found = outcomes(Caller("c1", 0, 60_000, "service"), Caller("c2", 10_000, 60_000, "service", patience=30_000))
    assert ends(found)[1] == ("abandoned", 30_000, "")


def test_patience_that_lasts_until_the_answer_does_not_cut_the_talk():
    found = outcomes(Caller("c1", 0, 60_000, "service", patience=30_000), Caller("c2", 1_000, 1_000, "service"))
    assert ends(found) == [("answered", 0, "1001"), ("answered", 69_000, "1001")]


def test_queues_give_callers_back():
    rule = QueueRule("service", overflow=(Overflow(after=45_000, exit="overflowed"),))
    assert ends(outcomes(Caller("c1", 0, 60_000, "service"), rule=rule, shifts=())) == [("overflowed", 45_000, "")]


def test_a_shift_begins_and_ends():
    found = outcomes(
        Caller("c1", 0, 5_000, "service"),
        Caller("c2", 100_000, 5_000, "service", patience=1_000),
        shifts=(Shift(ALICE, since=30_000, until=60_000),),
    )
    assert ends(found) == [("answered", 30_000, "1001"), ("abandoned", 1_000, "")]


def test_what_was_told_is_kept():
    rule = QueueRule("service", announce=Announcements(position=True, first=15_000, every=30_000))
    found = outcomes(Caller("c1", 0, 60_000, "service", patience=20_000), rule=rule, shifts=())
    assert [(at, spoken.position) for at, spoken in found[0].told] == [(15_000, 1)]


def test_who_is_never_served_and_never_leaves_does_not_keep_it_running_for_ever():
    rule = QueueRule("service", announce=Announcements(position=True, only_if_better=False))
    (found,) = outcomes(Caller("c1", 0, 60_000, "service"), rule=rule, shifts=())
    assert (found.end, found.waited) == ("", 0)
