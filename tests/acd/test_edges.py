"""What comes seldom, and is noticed late where it is wrong. Most of these were asked for by a mutation tester."""

from __future__ import annotations

import gc

import pytest

from acd.calls import Offer, WaitingCall
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentChanged,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    AgentView,
    CallAbandoned,
    CallerLost,
    CallLeft,
    EndWait,
    OfferDeclined,
    Overflow,
    QueueRule,
    QueuesChanged,
    ResultGiven,
    ShowAgentState,
    TalkEnded,
    TalkFound,
    WrapUpExtended,
)
from tests.acd.script import Script, only_offer, rung


@pytest.mark.parametrize(
    "strategy", ["longest-idle", "round-robin", "random", "ring-all", "ring-progressively", "best-skilled"]
)
def test_when_the_last_free_agent_is_taken_the_next_call_waits(strategy):
    script = Script(QueueRule("service", strategy))
    script.agent("1001")
    assert rung(script.call("c1")) == [("c1", "1001")]
    assert rung(script.call("c2")) == []
    assert script.acd.waiting("service") == 2
    assert script.acd.waiting("sales") == 0


def test_best_skilled_counts_a_preferred_skill_that_an_agent_lacks_as_nothing():
    script = Script(QueueRule("service", "best-skilled", skills={"claims": "required", "yue": "preferred"}))
    script.agent("1001", skills={"claims": 2})
    script.agent("1002", skills={"claims": 3})
    assert rung(script.call("c1")) == [("c1", "1002")]


def test_random_is_drawn_by_the_seed_of_the_house():
    def order(seed: int) -> list[str]:
        script = Script(QueueRule("service", "random"), seed=seed)
        for number in range(20):
            script.agent(f"{1000 + number}")
        return [only_offer(script.call(f"c{number}")).agent for number in range(10)]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_random_is_drawn_anew_for_each_call():
    def first(call: str) -> str:
        script = Script(QueueRule("service", "random"))
        for number in range(20):
            script.agent(f"{1000 + number}")
        return only_offer(script.call(call)).agent

    assert len({first(f"c{number}") for number in range(10)}) > 3


def test_what_was_due_before_an_event_is_done_before_it_also_where_the_clock_was_held_up():
    script = Script(QueueRule("service", overflow=(Overflow(after=10_000, relax="claims"),)))
    script.agent("1001")
    script.call("c1", skills=("claims",))
    script.now = 12_000  # nobody said at 10 s that time had passed
    assert rung(script.call("c2")) == [("c1", "1001")]


def test_of_many_lines_one_that_another_call_still_needs_is_kept():
    """More different wishes than lines are kept of; of two calls with the same wish one leaves."""
    script = Script(QueueRule("service", longest_queue=1_000))
    script.call("c1", skills=("claims",))
    script.call("c2", skills=("claims",))
    for number in range(100):
        script.call(f"d{number}", skills=(f"skill-{number}",))
    script.tell(CallAbandoned("c1"))
    script.agent("1001", skills={"claims": 1})
    assert [call for call, _ in rung([said for _, said in script.said])] == ["c2"]


def test_who_ask_for_the_same_in_other_words_stand_in_one_line():
    script = Script(QueueRule("service", wrap_up=0))
    script.call("c1", at=1, skills=("claims",))
    script.call("c2", at=2, skills=("claims 1",))
    script.agent("1001", skills={"claims": 1})
    assert [call for call, _ in rung([said for _, said in script.said])] == ["c1"]


def test_who_is_removed_during_a_talk_and_added_again_stays():
    script = Script(QueueRule("service", wrap_up=0))
    script.agent("1001")
    offer = only_offer(script.call("c1"))
    script.accept(offer)
    script.tell(AgentRemoved("1001"))
    script.tell(AgentChanged(Agent("1001", queues=("service",))))
    script.tell(TalkEnded(offer.offer), at=60)
    assert script.state("1001") == "Ready"
    assert rung(script.call("c2")) == [("c2", "1001")]


def test_only_work_after_a_call_can_be_extended():
    script = Script(QueueRule("service", reject_delay=10_000))
    script.agent("1001")
    script.tell(OfferDeclined(only_offer(script.call("c1")).offer, "declined"))  # spared until 10 s
    for agent in ("1001", "9999"):
        script.tell(WrapUpExtended(agent, 60_000))
    assert script.acd.ignored == {"WrapUpExtended": 2}
    assert rung(script.until(10)) == [("c1", "1001")]


def test_who_waits_is_seen_with_the_wait_that_others_had_before():
    script = Script(QueueRule("service", wrap_up=0))
    script.agent("1001")
    for number in range(5):
        script.serve(only_offer(script.call(f"c{number}")), talk=60)
    script.accept(only_offer(script.call("d1")))
    script.call("d2")
    assert script.acd.place("d2").wait == pytest.approx(60)


def test_another_reason_is_shown_and_the_same_one_again_is_not():
    script = Script(QueueRule("service"))
    script.agent("1001")
    for reason, shown in (("meal", True), ("meeting", True), ("meeting", False)):
        said = script.tell(AgentBecameNotReady("1001", reason))
        assert (ShowAgentState("1001", AgentState.NOT_READY, reason) in said) is shown


def test_who_is_spared_after_declining_gives_no_reason_when_that_is_over():
    script = Script(QueueRule("service", reject_delay=10_000))
    script.agent("1001")
    script.tell(OfferDeclined(only_offer(script.call("c1")).offer, "declined"))
    assert script.state("1001").startswith("Ready (")
    script.tell(CallAbandoned("c1"))
    script.until(11)
    assert script.state("1001") == "Ready"


def test_an_agent_who_has_just_come_is_seen_with_nothing_to_do():
    script = Script(QueueRule("service"))
    script.tell(AgentChanged(Agent("1001", queues=("service",))), at=5)
    assert script.acd.agents() == (AgentView("1001", AgentState.LOGGED_OFF, "", "", 5_000),)
    script.tell(AgentLoggedOn("1001"), at=7)
    assert script.acd.agents() == (AgentView("1001", AgentState.NOT_READY, "logged on", "", 7_000),)


def test_what_is_known_is_not_counted_as_ignored_and_what_is_not_known_is():
    script = Script(QueueRule("service"))
    script.tell(QueuesChanged((QueueRule("service", weight=2),)))
    script.tell(AgentChanged(Agent("1001", queues=("service",))))
    script.tell(AgentLoggedOn("1001"))
    script.tell(TalkFound("1-1", "c1", "service", "1001"))
    assert script.acd.ignored == {}
    script.tell(ResultGiven("9999", "solved"))
    script.tell(TalkFound("1-2", "c2", "service", "9999"))
    assert script.acd.ignored == {"ResultGiven": 1, "TalkFound": 1}


def test_who_is_gone_is_forgotten():
    """However its wait ended: else the house would grow by every call."""
    others = waits_and_offers()  # what other tests hold
    rule = QueueRule("service", overflow=(Overflow(after=60_000, exit="overflowed"),))
    script = Script(rule, QueueRule("experts", overflow=(Overflow(after=30_000, to_queue="service"),)))
    script.agent("1001")
    script.tell(OfferDeclined(only_offer(script.call("declined")).offer, "declined"))
    for name, goes in (("left", CallLeft), ("abandoned", CallAbandoned), ("lost", CallerLost)):
        script.call(name)
        script.tell(goes(name))
    script.call("overflows")
    script.call("moved", "experts")
    script.serve(only_offer(script.until(10)), talk=600)
    script.accept(only_offer(script.call("hung up", at=700)))
    script.tell(CallAbandoned("hung up"))
    script.until(3_600)
    assert {decision.call for _, decision in script.said if isinstance(decision, EndWait)} == {"overflows", "moved"}
    assert [thing for thing in waits_and_offers() if not any(thing is other for other in others)] == []


def waits_and_offers() -> list[WaitingCall | Offer]:
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, WaitingCall | Offer)]


def test_two_who_become_free_in_the_same_moment_are_both_rung():
    script = Script(QueueRule("service", wrap_up=20_000))
    talks = []
    for agent in ("1001", "1002"):
        script.agent(agent)
        talks.append(only_offer(script.call(f"first of {agent}")))
    for talk in talks:
        script.accept(talk)
        script.tell(TalkEnded(talk.offer))
    assert script.call("c1") == script.call("c2") == []
    assert sorted(call for call, _ in rung(script.until(20))) == ["c1", "c2"]


def test_a_talk_of_a_queue_that_is_there_no_more_ends_like_any_other():
    script = Script()
    script.agent("1001")
    script.tell(TalkFound("before", "c1", "gone", "1001"))
    script.tell(TalkEnded("before"), at=60)
    assert script.state("1001") == "WorkingAfterCall"
    script.until(80)
    assert script.state("1001") == "Ready"
