"""What Asterisk's own tests of its queues check, as scenarios of ours; each names the test that it restates."""

from __future__ import annotations

import pytest

from acd.model import Agent as Member
from acd.model import (
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    CallAbandoned,
    EndWait,
    OfferNotAnswered,
    Overflow,
    QueueRule,
    TalkEnded,
)
from tests.acd.script import Script, only_offer, rung

PLAIN = QueueRule("service", wrap_up=0)


def who_answers(script: Script, calls: int) -> list[str]:
    """Callers one after the other; each talks for a second."""
    found = []
    for number in range(calls):
        offer = only_offer(script.call(f"call {number}"))
        found.append(offer.agent)
        script.serve(offer, talk=1)
    return found


@pytest.mark.parametrize(
    ("strategy", "idle_since", "order"),
    [
        ("top-down", "ready", ["1001", "1001", "1001", "1001"]),  # linear
        ("round-robin", "ready", ["1001", "1002", "1003", "1001"]),  # rrmemory, rrordered
        ("fewest-calls", "ready", ["1001", "1002", "1003", "1001"]),
        ("longest-idle", "last-call", ["1001", "1002", "1003", "1001"]),  # leastrecent
    ],
)
def test_queue_baseline_members_are_rung_in_the_order_of_the_strategy(strategy, idle_since, order):
    script = Script(QueueRule("service", strategy=strategy, idle_since=idle_since, wrap_up=0))
    for number, agent in enumerate(("1001", "1002", "1003")):
        script.until(number)
        script.agent(agent)
    assert who_answers(script, 4) == order


def test_queue_baseline_ring_all_rings_every_member():
    script = Script(QueueRule("service", strategy="ring-all"))
    for agent in ("1001", "1002", "1003"):
        script.agent(agent)
    assert sorted(rung(script.call("c1"))) == [("c1", "1001"), ("c1", "1002"), ("c1", "1003")]


def test_position_priority_maxlen_callers_enter_at_the_position_of_their_priority():
    """Priorities that outweigh any wait, as Asterisk's do."""
    script = Script(QueueRule("service", priority_credit=3_600_000, longest_queue=5))
    positions = []
    for number, priority in enumerate((0, 0, 2, 1, 2)):
        call = f"c{number}"
        script.call(call, priority=priority, at=number)
        positions.append(script.acd.position(call))
    assert positions == [1, 2, 1, 2, 2]
    assert script.waiting() == ["c2", "c4", "c3", "c0", "c1"]


def test_position_priority_maxlen_a_full_queue_takes_nobody_whatever_the_priority():
    script = Script(QueueRule("service", longest_queue=2))
    script.call("c1")
    script.call("c2")
    assert script.call("c3", priority=9) == [EndWait("c3", "service", "overflowed")]
    script.tell(CallAbandoned("c1"))
    assert script.call("c4") == []


def test_wrapup_time_no_member_is_rung_in_its_wrap_up():
    script = Script(QueueRule("service", wrap_up=10_000))
    script.agent("1001")
    script.serve(only_offer(script.call("c1")), talk=5)
    script.call("c2", at=6)
    assert rung(script.until(14.999)) == []
    assert rung(script.until(15)) == [("c2", "1001")]


def test_wrapup_time_per_member_a_members_own_counts_in_place_of_the_queues():
    script = Script(QueueRule("service", wrap_up=10_000))
    script.agent("own", wrap_up=30_000)
    script.serve(only_offer(script.call("c1")), talk=1)
    script.agent("queue's")
    script.serve(only_offer(script.call("c2")), talk=1)
    script.call("c3")
    script.call("c4")
    assert rung(script.until(12)) == [("c3", "queue's")]
    assert rung(script.until(31)) == [("c4", "own")]


def test_set_penalty_and_penalties_the_member_of_the_lower_one_is_asked_first():
    script = Script(PLAIN)
    script.agent("1001", ranks={"service": 2})
    script.agent("1002", ranks={"service": 1})
    assert who_answers(script, 3) == ["1002", "1002", "1002"]
    script.tell(AgentChanged(Member("1001", queues=("service",), ranks={"service": 0})))
    assert who_answers(script, 2) == ["1001", "1001"]


def test_queue_penalty_outside_range_the_caller_waits_out_its_time():
    """The only member is not among those whom the caller may have: here, by the level of a skill."""
    script = Script(
        QueueRule("service", skills={"claims": "required 3"}, overflow=(Overflow(30_000, exit="overflowed"),))
    )
    script.agent("1001", skills={"claims": 2})
    script.call("c1")
    assert script.until(30) == [EndWait("c1", "service", "overflowed")]


def test_penalty_ranges_widen_with_the_time_waited():
    script = Script(QueueRule("service", skills={"claims": "required"}, overflow=(Overflow(20_000, relax="claims"),)))
    script.agent("1001")
    script.call("c1")
    assert rung(script.until(19.999)) == []
    assert rung(script.until(20)) == [("c1", "1001")]


def test_ringinuse_who_talks_or_rings_is_not_rung_for_another_queue():
    script = Script(QueueRule("service", wrap_up=0), QueueRule("sales", wrap_up=0))
    script.agent("1001", "service", "sales")
    offer = only_offer(script.call("c1"))
    assert script.call("c2", "sales") == []
    script.accept(offer)
    assert script.call("c3", "sales") == []
    assert rung(script.tell(TalkEnded(offer.offer))) == [("c2", "1001")]


def test_autopause_after_no_answer_and_never_for_who_was_not_rung():
    script = Script(QueueRule("service", no_answer_limit=1))
    script.agent("1001")
    script.agent("1002")
    offer = only_offer(script.call("c1"))
    other = next(iter({"1001", "1002"} - {offer.agent}))
    assert rung(script.tell(OfferNotAnswered(offer.offer), at=15)) == [("c1", other)]
    assert script.state(offer.agent) == "NotReady (no answer)"
    assert script.state(other) == "Reserved"


@pytest.mark.parametrize("all_pause", [True, False])
def test_queue_paused_no_answer_those_who_pause_are_not_rung(all_pause: bool):
    script = Script(PLAIN)
    script.agent("1001")
    script.agent("1002")
    script.tell(AgentBecameNotReady("1001", "break"))
    if all_pause:
        script.tell(AgentBecameNotReady("1002", "break"))
    assert rung(script.call("c1")) == ([] if all_pause else [("c1", "1002")])


def test_pause_while_ringing_the_phone_stops_and_the_next_is_rung():
    script = Script(PLAIN)
    script.agent("1001")
    script.call("c1")
    script.tell(AgentBecameNotReady("1001", "break"), at=3)
    assert script.state("1001") == "NotReady (break)"
    assert script.waiting() == ["c1"]
    script.until(5)
    script.agent("1002")
    assert script.state("1002") == "Reserved"


def test_reason_pause_the_reason_is_kept_and_cleared():
    script = Script(PLAIN)
    script.agent("1001")
    script.tell(AgentBecameNotReady("1001", "lunch"))
    assert script.state("1001") == "NotReady (lunch)"
    script.tell(AgentBecameNotReady("1001", "training"))
    assert script.state("1001") == "NotReady (training)"
    script.tell(AgentBecameReady("1001"))
    assert script.state("1001") == "Ready"


def test_reload_queue_members_who_waits_reaches_whoever_became_a_member():
    script = Script(PLAIN, QueueRule("sales"))
    script.agent("1001", "sales")
    script.call("c1")
    assert rung(script.tell(AgentChanged(Member("1001", queues=("service",))))) == [("c1", "1001")]
    assert script.call("c2", "sales") == []


def test_queue_no_answer_the_caller_keeps_its_place_and_is_offered_again():
    script = Script(QueueRule("service", no_answer_limit=0, no_answer_delay=5_000))
    script.agent("1001")
    offer = only_offer(script.call("c1"))
    script.call("c2")
    script.tell(OfferNotAnswered(offer.offer), at=15)
    assert script.waiting() == ["c1", "c2"]
    assert rung(script.until(20)) == [("c1", "1001")]
