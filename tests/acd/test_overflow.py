"""Limits and what happens then: at the entry, while waiting, when rules or agents change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentChanged,
    AgentLoggedOff,
    AgentRemoved,
    CallAbandoned,
    CallConnected,
    CallLeft,
    Comfort,
    Comforts,
    ConnectFailed,
    EndWait,
    MoveCall,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    Overflow,
    QueueHours,
    QueueRule,
    QueuesChanged,
    RelaxSkill,
    ShowAgentState,
    TalkEnded,
    WithdrawOffer,
)
from tests.acd.script import Script, besides_states, offers, only_offer, rung


def queue(*overflow: Overflow, name: str = "service", **facts: object) -> QueueRule:
    return QueueRule(name, overflow=overflow, **facts)


NONE_LOGGED_ON = Overflow(when="none-logged-on", exit="unavailable")
NONE_READY = Overflow(when="none-ready", after=300_000, exit="unavailable")
OVER = EndWait("c1", "service", "overflowed")
UNAVAILABLE = EndWait("c1", "service", "unavailable")


class TestLongestWait:
    def test_ends_the_wait_to_the_millisecond(self):
        script = Script(queue(Overflow(after=600_000, exit="overflowed")))
        script.call("c1")
        assert script.until(599.999) == []
        assert script.until(600) == [OVER]
        assert script.waiting() == []

    def test_counts_from_the_entry_into_the_queue_not_from_the_arrival(self):
        script = Script(queue(Overflow(after=600_000, exit="overflowed")))
        script.call("c1", at=1000, arrived=0)
        assert script.until(1599) == []
        assert script.until(1600) == [OVER]

    def test_goes_on_counting_across_a_restart(self):
        script = Script(queue(Overflow(after=600_000, exit="overflowed")))
        script.call("c1", at=1000, arrived=500_000, entered=500_000)
        assert script.until(1100) == [OVER]

    def test_does_not_tear_a_caller_from_an_agent_who_has_answered(self):
        script = Script(queue(Overflow(after=10_000, exit="overflowed")))
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"), at=9)
        assert script.until(12) == []
        assert script.tell(ConnectFailed("0-1"))[-1] == OVER


class TestNoneLoggedOn:
    def test_sends_callers_away_at_the_entry(self):
        script = Script(queue(NONE_LOGGED_ON))
        assert script.call("c1") == [UNAVAILABLE]

    def test_sends_those_away_who_wait_when_the_last_agent_leaves(self):
        script = Script(queue(NONE_LOGGED_ON))
        for agent in ("1001", "1002"):
            script.agent(agent)
            script.tell(AgentBecameNotReady(agent, "lunch"))
        assert script.call("c1") == []
        assert besides_states(script.tell(AgentLoggedOff("1001"))) == []
        assert besides_states(script.tell(AgentLoggedOff("1002"))) == [UNAVAILABLE]

    @pytest.mark.parametrize(
        "how", [AgentRemoved("1001"), AgentChanged(Agent("1001")), AgentChanged(Agent("1001", queues=("other",)))]
    )
    def test_an_agent_taken_from_the_queue_counts_as_leaving(self, how):
        script = Script(queue(NONE_LOGGED_ON))
        script.agent("1001")
        script.tell(AgentBecameNotReady("1001", "lunch"))
        script.call("c1")
        assert besides_states(script.tell(how)) == [UNAVAILABLE]

    def test_counts_only_agents_who_could_ever_serve_the_caller(self):
        script = Script(queue(NONE_LOGGED_ON))
        script.agent("1001", skills={"cmn": 5})
        assert script.call("c1", skills=("yue",)) == [UNAVAILABLE]

    def test_waits_for_a_skill_to_be_relaxed(self):
        script = Script(queue(NONE_LOGGED_ON, Overflow(after=30_000, relax="claims"), skills={"claims": "required"}))
        script.agent("1001")
        assert script.call("c1") == []
        assert rung(script.until(30)) == [("c1", "1001")]

    def test_may_send_to_another_queue_instead(self):
        script = Script(queue(Overflow(when="none-logged-on", to_queue="experts")), queue(name="experts"))
        assert script.call("c1") == [MoveCall("c1", "experts")]

    def test_in_two_queues_that_point_at_each_other_ends_somewhere(self):
        """Such files are refused; should one get in, nobody goes round for ever."""
        script = Script(
            queue(Overflow(when="none-logged-on", to_queue="experts")),
            queue(Overflow(when="none-logged-on", to_queue="service"), name="experts"),
        )
        assert script.call("c1") == [MoveCall("c1", "experts")]
        assert script.waiting("experts") == ["c1"]


class TestNoneReady:
    def test_means_that_nobody_takes_calls_not_that_all_are_talking(self):
        script = Script(queue(NONE_READY))
        script.agent("1001")
        script.accept(only_offer(script.call("c0")))
        script.call("c1")
        assert script.until(900) == []

    def test_ends_the_wait_when_its_time_has_come(self):
        script = Script(queue(NONE_READY))
        script.agent("1001")
        script.tell(AgentBecameNotReady("1001", "lunch"))
        script.call("c1", at=10)
        assert script.until(309.999) == []
        assert script.until(310) == [UNAVAILABLE]

    def test_ends_the_wait_when_the_last_one_goes_after_its_time(self):
        script = Script(queue(NONE_READY, wrap_up=0))
        script.agent("1001")
        script.accept(only_offer(script.call("c0")))
        script.call("c1")
        script.until(400)
        script.tell(AgentBecameNotReady("1001", "lunch"))
        assert besides_states(script.tell(TalkEnded("0-1"))) == [UNAVAILABLE]


def crowded(*queues: QueueRule, **facts: object) -> Script:
    """`experts`, to which others overflow, has room for one, and `c0` waits there."""
    script = Script(*queues, queue(name="experts", **({"longest_queue": 1} | facts)))
    script.call("c0", "experts")
    return script


class TestToQueue:
    def test_keeps_the_arrival(self):
        script = Script(queue(Overflow(after=60_000, to_queue="experts")), queue(name="experts"))
        script.call("c1")
        script.call("c2", "experts", at=30)
        assert script.until(60) == [MoveCall("c1", "experts")]
        assert script.waiting("experts") == ["c1", "c2"]

    def test_begins_the_limits_anew(self):
        """They count from the entry into this queue, though the arrival is kept."""
        limit = queue(Overflow(after=30_000, exit="overflowed"), name="experts")
        script = Script(queue(Overflow(after=60_000, to_queue="experts")), limit)
        script.call("c1")
        assert script.until(89.999) == [MoveCall("c1", "experts")]
        assert script.until(90) == [EndWait("c1", "experts", "overflowed")]

    def test_in_the_moment_in_which_another_may_be_rung_the_lower_rank_is(self):
        """At 30 s the phone of 1001 is given up, and the important caller comes over; 1002 is free."""
        script = Script(queue(Overflow(after=30_000, to_queue="experts")), queue(name="experts"))
        script.agent("1001", "experts")
        script.agent("1002", "experts")
        assert rung(script.call("c1", "experts")) == [("c1", "1001")]
        script.call("c2", priority=3)
        assert rung(script.until(30)) == [("c2", "1002")]

    def test_finds_a_free_agent_there_at_once(self):
        script = Script(queue(Overflow(after=60_000, to_queue="experts")), queue(name="experts"))
        script.agent("1001", "experts")
        script.call("c1")
        assert besides_states(script.until(60)) == [
            MoveCall("c1", "experts"),
            OfferCall("0-1", "c1", "experts", "1001", 15_000),
        ]

    def test_takes_back_the_offer_of_the_first_queue(self):
        script = Script(queue(Overflow(after=10_000, to_queue="experts")), queue(name="experts"))
        script.agent("1001")
        script.call("c1")
        assert besides_states(script.until(10)) == [
            WithdrawOffer("0-1", "1001", "caller gone"),
            MoveCall("c1", "experts"),
        ]

    def test_that_is_full_costs_no_looking_again(self):
        script = Script(queue(Overflow(after=10_000, to_queue="experts")), queue(name="experts", longest_queue=1))
        script.call("c0", "experts")
        script.call("c1")
        script.until(10)
        assert script.acd.next_deadline() is None

    def test_that_was_full_takes_those_first_who_rank_first_in_the_moment_in_which_there_is_room(self):
        script = crowded(queue(Overflow(after=10_000, to_queue="experts")))
        script.call("first", at=1)
        script.call("second", at=2)
        script.call("important", at=3, priority=1)
        script.until(14)
        assert script.tell(CallAbandoned("c0"), at=14) == [MoveCall("important", "experts")]
        assert script.tell(CallLeft("important"), at=15) == [MoveCall("first", "experts")]
        assert script.tell(CallLeft("first"), at=16) == [MoveCall("second", "experts")]

    def test_ranks_by_the_queue_that_was_full(self):
        script = crowded(queue(Overflow(after=10_000, to_queue="experts"), priority_credit=0), priority_credit=60_000)
        script.call("first", at=1)
        script.call("important", at=2, priority=1)
        script.until(14)
        assert script.tell(CallAbandoned("c0"), at=14) == [MoveCall("important", "experts")]

    def test_takes_those_who_rank_first_also_when_another_falls_due_in_that_moment(self):
        heavier = queue(Overflow(after=8_000, to_queue="experts"), name="sales", weight=2)
        full = queue(Overflow(after=12_000, exit="overflowed"), name="experts", weight=3, longest_queue=1)
        script = Script(queue(Overflow(after=10_000, to_queue="experts")), heavier, full)
        script.call("c0", "experts")
        script.call("first", at=1)
        script.call("due now", "sales", at=4)
        assert script.until(12) == [EndWait("c0", "experts", "overflowed"), MoveCall("first", "experts")]

    def test_at_once_is_for_whoever_finds_nobody_free(self):
        """Not for whom a phone rings, whatever else falls due meanwhile."""
        comfort = Comforts(("please-wait",), first=5_000)
        script = Script(queue(Overflow(to_queue="experts"), comfort=comfort), queue(name="experts"))
        script.agent("1001")
        (offer,) = offers(script.call("c1"))
        assert script.until(6) == [Comfort("c1", "please-wait")]
        assert MoveCall("c1", "experts") in script.tell(OfferDeclined(offer.offer, "declined"))

    def test_passes_over_who_is_being_connected_or_wants_it_no_more(self):
        rules = (Overflow(after=10_000, when="closed", to_queue="experts"),)
        script = crowded(queue(*rules), queue(Overflow(after=10_000, to_queue="experts"), name="sales"))
        script.tell(QueueHours("service", "closed"))
        script.call("connected", at=1)
        script.call("open again", at=2)
        script.call("third", "sales", at=3)
        script.until(20)
        script.agent("1001")
        script.tell(OfferAnswered("0-1"))
        script.tell(QueueHours("service", "open"))
        assert script.tell(CallAbandoned("c0")) == [MoveCall("third", "experts")]

    def test_takes_as_many_as_there_is_room_for_when_it_may_be_longer(self):
        leading = queue(Overflow(after=10_000, to_queue="experts"))
        script = crowded(leading)
        for number in (1, 2, 3):
            script.call(f"c{number}", at=number)
        script.until(20)
        longer = queue(name="experts", longest_queue=3)
        assert script.tell(QueuesChanged((leading, longer))) == [MoveCall("c1", "experts"), MoveCall("c2", "experts")]

    def test_forgets_who_went_elsewhere_meanwhile(self):
        leading = queue(Overflow(after=10_000, to_queue="experts"), Overflow(after=15_000, exit="overflowed"))
        script = crowded(leading)
        script.call("c1")
        assert script.until(15) == [OVER]
        assert script.tell(CallAbandoned("c0")) == []

    def test_that_cannot_be_does_not_keep_anybody_from_being_served(self):
        """Rules that came by another way than the file, which would have been refused."""
        script = Script(queue(Overflow(after=10_000, to_queue="nowhere")))
        script.call("c1")
        script.until(10)
        script.agent("1001")
        assert script.state("1001") == "Reserved"

    def test_moves_a_caller_round_three_queues_once(self):
        ring = {"service": "sales", "sales": "experts", "experts": "service"}
        script = Script(*(queue(Overflow(after=10_000, to_queue=to), name=name) for name, to in ring.items()))
        script.call("c1")
        assert script.until(600) == [MoveCall("c1", "sales"), MoveCall("c1", "experts")]

    def test_moves_a_caller_once_and_not_back(self):
        there_and_back = [
            queue(Overflow(after=10_000, to_queue="experts")),
            queue(Overflow(after=10_000, to_queue="service"), name="experts"),
        ]
        script = Script(*there_and_back)
        script.call("c1")
        assert script.until(600) == [MoveCall("c1", "experts")]

    def test_waits_for_room_in_a_queue_that_is_full(self):
        script = Script(queue(Overflow(after=10_000, to_queue="experts")), queue(name="experts", longest_queue=1))
        script.call("c0", "experts")
        script.call("c1")
        assert script.until(12) == []
        assert script.waiting("service") == ["c1"]
        script.agent("1001", "experts")
        script.tell(OfferAnswered("0-1"))
        assert MoveCall("c1", "experts") in script.tell(CallConnected("0-1"))


class TestRelax:
    def test_opens_the_call_to_more_agents_in_the_same_place(self):
        rule = queue(Overflow(after=90_000, relax="claims"), skills={"cmn": "required", "claims": "required"})
        script = Script(rule)
        script.agent("1001", skills={"cmn": 3})
        script.agent("1002", skills={"claims": 5})
        assert script.call("c1") == []
        assert script.until(89.999) == []
        assert rung(script.until(90)) == [("c1", "1001")]

    def test_a_preferred_skill_is_waited_for_until_it_is_relaxed(self):
        script = Script(queue(Overflow(after=90_000, relax="claims"), skills={"claims": "preferred"}))
        script.agent("1001")
        assert script.call("c1") == []
        assert rung(script.until(90)) == [("c1", "1001")]

    def test_after_it_the_skill_is_still_preferred(self):
        script = Script(queue(Overflow(after=90_000, relax="claims"), skills={"claims": "required 4"}))
        script.call("c1")
        script.until(90)
        script.call("other", skills=("nobody has this",))
        script.agent("1001", "elsewhere")
        script.agent("1002", "elsewhere", skills={"claims": 4})
        script.tell(QueuesChanged((queue(Overflow(after=90_000, relax="claims"), skills={"claims": "required 4"}),)))
        for id_ in ("1001", "1002"):
            script.tell(AgentBecameNotReady(id_, "wait"))
            script.tell(AgentChanged(Agent(id_, queues=("service",), skills={"claims": 4} if id_ == "1002" else {})))
        assert script.state("1001") == "NotReady (wait)"

    def test_two_who_relax_at_once_are_served_by_rank(self):
        script = Script(queue(Overflow(after=60_000, relax="claims"), skills={"claims": "required"}))
        script.call("later", arrived=-1)
        script.call("first", arrived=-2)
        script.agent("1001")
        assert rung(script.until(60)) == [("first", "1001")]


class TestLongestQueue:
    def test_gives_back_whoever_comes_when_it_is_full(self):
        script = Script(queue(longest_queue=2))
        for name in ("a", "b"):
            assert script.call(name) == []
        assert script.call("c1") == [OVER]
        assert script.waiting() == ["a", "b"]

    def test_lets_the_lines_that_hold_at_the_entry_go_first(self):
        """Who comes in an emergency hears that there is one, however many wait."""
        rules = (Overflow(when="emergency", exit="emergency"), NONE_LOGGED_ON)
        script = Script(queue(*rules, longest_queue=0))
        assert script.call("c1") == [UNAVAILABLE]
        script.tell(QueueHours("service", "emergency"))
        assert script.call("c1") == [EndWait("c1", "service", "emergency")]

    def test_sends_on_whoever_may_go_to_another_queue_at_once(self):
        script = Script(queue(Overflow(to_queue="experts"), longest_queue=0), queue(name="experts"))
        script.agent("1001", "experts")
        assert besides_states(script.call("c1")) == [
            MoveCall("c1", "experts"),
            OfferCall("0-1", "c1", "experts", "1001", 15_000),
        ]

    def test_gives_back_whoever_would_find_the_other_queue_full_as_well(self):
        script = crowded(queue(Overflow(to_queue="experts"), longest_queue=0))
        assert script.call("c1") == [OVER]
        assert script.tell(CallAbandoned("c0")) == []

    def test_lets_in_whoever_is_served_at_once_by_asking_for_less(self):
        rules = (Overflow(relax="claims"),)
        script = Script(queue(*rules, skills={"claims": "required"}, longest_queue=0))
        script.agent("1001")
        assert rung(script.call("c1")) == [("c1", "1001")]
        assert besides_states(script.call("c2")) == [RelaxSkill("c2", "claims"), EndWait("c2", "service", "overflowed")]

    def test_lets_in_whoever_is_served_at_once(self):
        script = Script(queue(longest_queue=0))
        script.agent("1001")
        assert rung(script.call("c1")) == [("c1", "1001")]
        assert script.call("c2") == [EndWait("c2", "service", "overflowed")]

    def test_lets_in_who_comes_back_for_the_agent_whom_it_sets_free(self):
        """The talk ends because its caller is queued again; nothing but these two says so."""
        script = Script(queue(longest_queue=0, wrap_up=0))
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        assert rung(script.call("c1", at=60)) == [("c1", "1001")]

    def test_gives_the_agent_set_free_to_who_has_waited_longer(self):
        script = Script(queue(longest_queue=1, wrap_up=0))
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        script.call("c2")
        assert besides_states(script.call("c1", at=60)) == [
            OfferCall("0-2", "c2", "service", "1001", 15_000),
            OVER,
        ]

    def test_of_the_wait_that_came_while_nobody_looked_ends_the_wait_of_who_comes_back(self):
        script = Script(queue(Overflow(after=20_000, exit="overflowed")))
        script.agent("1001")
        assert script.call("c1", at=60, arrived=30_000, entered=30_000) == [OVER]
        assert rung(script.call("c2", at=60, arrived=50_000, entered=50_000)) == [("c2", "1001")]

    def test_lets_in_who_waited_there_before_a_restart(self):
        """They were let in when an agent was free for them, or when the queue might be longer."""
        script = Script(queue(longest_queue=1))
        assert script.call("c1", arrived=0, entered=0) == script.call("c2", arrived=1, entered=1) == []
        assert script.call("c3") == [EndWait("c3", "service", "overflowed")]
        assert script.waiting() == ["c1", "c2"]


class TestReload:
    def test_drops_nobody_and_keeps_the_order(self):
        script = Script(queue())
        for number in range(3):
            script.call(f"c{number}", at=number)
        assert script.tell(QueuesChanged((queue(wrap_up=1_000, music="other"),))) == []
        assert script.waiting() == ["c0", "c1", "c2"]

    def test_applies_the_new_limits_to_who_waits(self):
        script = Script(queue())
        script.call("c1")
        script.until(100)
        assert script.tell(QueuesChanged((queue(Overflow(after=60_000, exit="overflowed")),))) == [OVER]

    def test_applies_the_new_credit_to_who_waits(self):
        script = Script(queue(priority_credit=60_000))
        script.call("plain")
        script.call("gold", at=30, priority=1)
        assert script.waiting() == ["gold", "plain"]
        script.tell(QueuesChanged((queue(priority_credit=10_000),)))
        assert script.waiting() == ["plain", "gold"]

    def test_lets_an_offer_ring_on(self):
        script = Script(queue())
        script.agent("1001")
        script.call("c1")
        assert script.tell(QueuesChanged((queue(music="other"),))) == []
        script.accept(OfferCall("0-1", "c1", "service", "1001", 15_000))

    def test_gives_the_calls_of_a_queue_that_is_gone_to_its_successor(self):
        script = Script(queue(successor="experts"), queue(name="experts"))
        script.agent("1001")
        script.agent("1002", "experts")
        script.call("c1")
        script.call("c2", at=1)
        assert besides_states(script.tell(QueuesChanged((queue(name="experts"),)))) == [
            WithdrawOffer("0-1", "1001", "queue gone"),
            MoveCall("c1", "experts"),
            MoveCall("c2", "experts"),
            OfferCall("0-2", "c1", "experts", "1002", 15_000),
        ]

    def test_follows_successors_that_are_removed_as_well(self):
        chain = queue(successor="sales"), queue(name="sales", successor="experts"), queue(name="experts")
        script = Script(*chain)
        script.call("first")
        script.call("there before", "experts", at=1)
        assert script.tell(QueuesChanged((queue(name="experts"),)), at=60) == [MoveCall("first", "experts")]
        assert script.waiting("experts") == ["first", "there before"]

    def test_follows_a_successor_that_went_later_for_who_was_being_connected(self):
        script = Script(queue(successor="sales"), queue(name="sales", successor="experts"), queue(name="experts"))
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        script.tell(QueuesChanged((queue(name="sales", successor="experts"), queue(name="experts"))))
        script.tell(QueuesChanged((queue(name="experts"),)))
        assert MoveCall("c1", "experts") in script.tell(ConnectFailed("0-1"))

    def test_follows_no_successor_of_a_time_before_the_queue_came_again(self):
        script = Script(queue(successor="sales"), queue(name="sales", successor="experts"), queue(name="experts"))
        script.tell(QueuesChanged((queue(successor="sales"), queue(name="experts"))))
        script.tell(QueuesChanged((queue(successor="sales"), queue(name="sales"), queue(name="experts"))))
        script.call("c1")
        assert script.tell(QueuesChanged((queue(name="experts"),))) == [OVER]

    @pytest.mark.parametrize("last", ["", "service", "sales"])
    def test_gives_them_back_to_their_flow_where_successors_lead_nowhere(self, last):
        script = Script(queue(successor="sales"), queue(name="sales", successor=last), queue(name="experts"))
        script.call("c1")
        assert script.tell(QueuesChanged((queue(name="experts"),))) == [OVER]

    def test_gives_them_back_to_their_flow_where_there_is_no_successor(self):
        script = Script(queue())
        script.call("c1")
        assert script.tell(QueuesChanged(())) == [OVER]

    def test_lets_who_is_being_connected_talk(self):
        script = Script(queue())
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        assert script.tell(QueuesChanged(())) == []
        script.tell(CallConnected("0-1"))
        assert script.state("1001") == "Busy"

    def test_gives_who_could_not_be_connected_back_then(self):
        script = Script(queue())
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        script.tell(QueuesChanged(()))
        assert script.tell(OfferDeclined("0-1", "gone"))[-1] == OVER

    def test_takes_in_who_was_being_connected_when_its_queue_comes_again(self):
        script = Script(queue())
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        script.tell(QueuesChanged(()))
        script.tell(QueuesChanged((queue(),)))
        assert script.waiting() == ["c1"]

    def test_a_new_queue_finds_its_agents(self):
        script = Script()
        script.agent("1001")
        script.tell(QueuesChanged((queue(),)))
        assert rung(script.call("c1")) == [("c1", "1001")]

    def test_an_agent_who_is_free_stays_free(self):
        script = Script(queue())
        script.agent("1001")
        assert script.tell(QueuesChanged((queue(music="other"),))) == []
        assert rung(script.call("c1")) == [("c1", "1001")]
        assert not [d for d in script.tell(QueuesChanged((queue(),))) if isinstance(d, ShowAgentState)]

    def test_many_free_agents_take_many_callers_in_order_by_the_strategy(self):
        script = Script(queue(name="experts"))
        for number in range(3):
            script.until(number)
            script.agent(f"100{number}")
        for number in range(3):
            script.call(f"c{number}", "experts", at=10 + number)
        assert offers(script.tell(QueuesChanged((queue(), queue(name="experts", successor="service"))))) == []
        assert rung(script.tell(QueuesChanged((queue(),)))) == [("c0", "1000"), ("c1", "1001"), ("c2", "1002")]


class TestTheCalendar:
    """What `when: closed` and `when: emergency` do, at the entry and while people wait."""

    RULE = QueueRule(
        "service",
        overflow=(Overflow(when="emergency", exit="emergency"), Overflow(60_000, when="closed", exit="closed")),
    )

    def test_a_queue_of_which_nothing_was_said_is_open(self):
        script = Script(self.RULE)
        script.call("c1")
        assert script.until(3600) == []

    def test_closing_gives_back_who_has_waited_long_enough_and_the_others_when_they_have(self):
        script = Script(self.RULE)
        script.call("early")
        script.call("late", at=50)
        assert script.tell(QueueHours("service", "closed"), at=70) == [EndWait("early", "service", "closed")]
        assert script.until(109.999) == []
        assert script.until(110) == [EndWait("late", "service", "closed")]

    def test_who_waits_after_closing_may_still_be_served(self):
        script = Script(self.RULE)
        script.call("c1")
        script.tell(QueueHours("service", "closed"), at=10)
        script.agent("1001")
        assert script.state("1001") == "Reserved"

    def test_opening_again_lets_everybody_wait(self):
        script = Script(self.RULE)
        script.call("c1")
        script.tell(QueueHours("service", "closed"), at=10)
        script.tell(QueueHours("service", "open"), at=20)
        assert script.until(3600) == []

    @pytest.mark.parametrize("state", ["closed", "holiday", "emergency"])
    def test_who_comes_then_is_not_served_first(self, state):
        """Though an agent is free: what closes at once counts for who comes as for who waits."""
        script = Script(QueueRule("service", overflow=(Overflow(when="closed", exit="closed"),)))
        script.agent("1001")
        script.tell(QueueHours("service", state))
        assert script.call("c1") == [EndWait("c1", "service", "closed")]

    def test_who_comes_then_is_served_where_the_queue_has_no_rule_for_it(self):
        script = Script(QueueRule("service"))
        script.agent("1001")
        script.tell(QueueHours("service", "closed"))
        script.call("c1")
        assert script.state("1001") == "Reserved"

    def test_an_emergency_gives_everybody_back_at_once_but_who_is_being_connected(self):
        script = Script(self.RULE)
        script.agent("1001")
        script.call("served")
        script.tell(OfferAnswered("0-1"))
        script.call("waits")
        assert script.tell(QueueHours("service", "emergency")) == [EndWait("waits", "service", "emergency")]
        script.tell(CallConnected("0-1"))
        assert script.state("1001") == "Busy"

    def test_an_emergency_stops_the_phone_that_rings(self):
        script = Script(self.RULE)
        script.agent("1001")
        script.call("c1")
        decisions = script.tell(QueueHours("service", "emergency"))
        assert besides_states(decisions) == [
            WithdrawOffer("0-1", "1001", "caller gone"),
            EndWait("c1", "service", "emergency"),
        ]
        assert script.state("1001") == "Ready"

    def test_a_change_of_the_rules_forgets_nothing_of_it(self):
        script = Script(self.RULE)
        script.tell(QueueHours("service", "emergency"))
        script.tell(QueuesChanged((replace(self.RULE, wrap_up=5_000),)))
        assert script.call("c1") == [EndWait("c1", "service", "emergency")]

    def test_of_an_unknown_queue_is_ignored(self):
        script = Script(self.RULE)
        assert script.tell(QueueHours("nowhere", "closed")) == []
        assert script.acd.ignored == {"QueueHours": 1}
