"""Discrete events around the engine: what callers and agents are written to do, they do."""

from __future__ import annotations

from acd.model import Agent, Announcements, Overflow, Question, QueueHours, QueueRule
from acd.simulated import Caller, Outcome, Ring, Shift, Simulation

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


def test_work_after_the_call_is_as_long_as_the_call_needs():
    callers = [Caller("c1", 0, 60_000, "service", wrap_up=3_000), Caller("c2", 0, 60_000, "service", wrap_up=40_000)]
    found = outcomes(*callers, Caller("c3", 0, 60_000, "service"), Caller("c4", 0, 60_000, "service"))
    assert [outcome.waited for outcome in found] == [0, 63_000, 163_000, 233_000]


def test_a_phone_that_rings_out_and_one_that_is_declined_go_to_somebody_else():
    answers = iter([Ring(15_000), Ring(2_000, "declines"), Ring(1_000)])
    bob, carol = Agent("1002", queues=("service",)), Agent("1003", queues=("service",))
    found = Simulation(
        [QueueRule("service")], [Shift(ALICE), Shift(bob), Shift(carol)], ring=lambda agent: next(answers)
    ).serve([Caller("c1", 10_000, 60_000, "service")])
    assert [(outcome.end, outcome.waited) for outcome in found] == [("answered", 18_000)]


def test_who_was_made_not_ready_comes_back():
    rings = iter([Ring(15_000), Ring(15_000), Ring(1_000)])
    rule = QueueRule("service", no_answer_limit=2, no_answer_delay=0)
    simulation = Simulation([rule], [Shift(ALICE)], ring=lambda _: next(rings), back_after=lambda _: 100_000)
    (found,) = simulation.serve([Caller("c1", 0, 60_000, "service")])
    assert (found.end, found.waited) == ("answered", 131_000)


def test_who_did_not_answer_and_then_has_its_break_comes_back_after_the_break():
    rings = iter([Ring(20_000), Ring(1_000)])
    rule, shift = QueueRule("service", no_answer_limit=1), Shift(ALICE, breaks=((60_000, 400_000),))
    simulation = Simulation([rule], [shift], ring=lambda _: next(rings), back_after=lambda _: 100_000)
    (found,) = simulation.serve([Caller("c1", 0, 60_000, "service")])
    assert (found.end, found.waited) == ("answered", 401_000)


def test_nobody_is_rung_in_a_break():
    shift = Shift(ALICE, breaks=((5_000, 100_000),))
    found = outcomes(Caller("c1", 10_000, 60_000, "service"), shifts=(shift,))
    assert ends(found) == [("answered", 90_000, "1001")]


def test_who_is_asked_whether_to_go_on_waiting_may_leave():
    rule = QueueRule("service", question=Question(after=30_000))
    found = outcomes(
        Caller("c1", 0, 60_000, "service", stays=2),
        Caller("c2", 1_000, 60_000, "service", patience=200_000),
        rule=rule,
        shifts=(),
    )
    assert ends(found) == [("left", 90_000, ""), ("abandoned", 200_000, "")]


def test_queues_close_by_their_calendars():
    rule = QueueRule("service", calendar="office", overflow=(Overflow(when="closed", exit="closed"),))
    simulation = Simulation([rule], [Shift(ALICE)], hours=[(30_000, QueueHours("service", "closed"))])
    found = simulation.serve([Caller(f"c{at}", at, 300_000, "service") for at in (0, 10_000, 40_000)])
    assert ends(found) == [("answered", 0, "1001"), ("closed", 20_000, ""), ("closed", 0, "")]


def test_who_calls_again_waits_for_its_last_agent():
    rule = QueueRule("service", strategy="sticky", sticky_for=20_000, wrap_up=0)
    bob = Agent("1002", queues=("service",))
    found = Simulation([rule], [Shift(ALICE), Shift(bob, since=1_000)]).serve(
        [
            Caller("c1", 500, 30_000, "service", customer="Wang"),
            Caller("c2", 60_000, 30_000, "service", customer="Wang"),
            Caller("c3", 70_000, 1_000, "service", customer="Wang"),
            Caller("c4", 100_000, 1_000, "service"),
            Caller("c5", 100_000, 1_000, "service", customer="Li"),
        ]
    )
    first = {"1001", "1002"} - {found[3].agent}
    assert ends(found)[:3] == [("answered", 0, "1001"), ("answered", 0, "1001"), ("answered", 20_000, "1002")]
    assert first == {found[4].agent}


def test_the_records_are_those_of_the_shell():
    records: list[tuple[int, str, str]] = []
    Simulation(
        [QueueRule("service", wrap_up=10_000)],
        [Shift(ALICE)],
        answer_in=2_000,
        observe=lambda at, entry: records.append((at, entry[0], entry[1])),
    ).serve([Caller("c1", 5_000, 60_000, "service"), Caller("c2", 6_000, 60_000, "service", patience=30_000)])
    assert records == [
        (0, "QueuesChanged", ""),
        (0, "AgentChanged", ""),
        (0, "AgentLoggedOn", ""),
        (0, "AgentStateChanged", ""),
        (0, "AgentBecameReady", ""),
        (0, "AgentStateChanged", ""),
        (5_000, "CallArrived", "c1"),
        (5_000, "CallQueued", "c1"),
        (5_000, "AgentStateChanged", "c1"),
        (5_000, "OfferCall", "c1"),
        (6_000, "CallArrived", "c2"),
        (6_000, "CallQueued", "c2"),
        (7_000, "OfferAnswered", "c1"),
        (7_000, "Connect", "c1"),
        (7_000, "CallConnected", "c1"),
        (7_000, "AgentStateChanged", "c1"),
        (36_000, "CallAbandoned", "c2"),
        (36_000, "CallEnded", "c2"),
        (67_000, "TalkEnded", "c1"),
        (67_000, "AgentStateChanged", ""),
        (67_000, "CallEnded", "c1"),
        (77_000, "AgentStateChanged", ""),
    ]
