"""Who is rung, by each strategy; restated from what Asterisk's and FreeSWITCH's own queue tests check."""

from __future__ import annotations

from collections import Counter

import pytest

from acd.agents import LiveAgent
from acd.calls import WaitingCall
from acd.engine import Acd
from acd.forecast import Pace
from acd.lines import Queue
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    CallAbandoned,
    CallQueued,
    Connect,
    ConnectFailed,
    OfferAnswered,
    OfferDeclined,
    OfferNotAnswered,
    Overflow,
    QueueRule,
    QueuesChanged,
    TalkEnded,
    WithdrawOffer,
)
from acd.routing import Setting, UnknownStrategy, strategies, strategy_named
from acd.skills import Needs
from tests.acd.script import Script, besides_states, offers, only_offer, rung


def script(strategy: str, **facts: object) -> Script:
    return Script(QueueRule("service", strategy=strategy, **({"wrap_up": 0} | facts)))


def staffed(strategy: str, *agents: str, **facts: object) -> Script:
    """The agents become Ready a second apart."""
    made = script(strategy, **facts)
    for number, agent in enumerate(agents):
        made.until(number)
        made.agent(agent)
    made.until(len(agents))
    return made


def next_agents(made: Script, count: int, *, talk: float = 1) -> list[str]:
    """Who gets so many calls, one after the other, each talked to its end before the next comes."""
    order = []
    for _ in range(count):
        offer = only_offer(made.call(f"c{made.now}-{len(made.said)}"))
        order.append(offer.agent)
        made.serve(offer, talk=talk)
    return order


def test_every_strategy_of_the_plan_is_there():
    assert set(strategies()) == {
        "best-skilled",
        "fewest-calls",
        "least-talk-time",
        "longest-idle",
        "random",
        "ring-all",
        "ring-progressively",
        "round-robin",
        "sticky",
        "top-down",
    }


def test_an_unknown_name_is_an_error_with_a_suggestion_and_never_a_fallback():
    with pytest.raises(UnknownStrategy, match="no strategy 'rrmemory'"):
        strategy_named("rrmemory")
    with pytest.raises(UnknownStrategy, match="Did you mean 'ring-all'"):
        Acd([QueueRule("service", strategy="ringall")])


@pytest.mark.parametrize("name", sorted(strategies()))
def test_the_index_holds_exactly_who_was_added_and_not_removed(name: str):
    rule = QueueRule("service", strategy=name)
    queue = Queue(rule, 0, Pace())
    call = WaitingCall(CallQueued("c1", "service"), 1, 0)
    queue.put(call)
    index = strategies()[name](Setting(rule, Needs(), 0))
    agents = [LiveAgent(Agent(f"10{number:02}"), number) for number in range(30)]
    for agent in agents:
        index.add(agent)
    queue.last_agent = agents[17]
    for agent in agents[::3]:
        index.remove(agent)
    left = []
    while (agent := index.best(call)) is not None:
        index.remove(agent)
        left.append(agent.rule.id)
    assert sorted(left) == [agent.rule.id for number, agent in enumerate(agents) if number % 3]


class TestLongestIdle:
    def test_rings_who_is_ready_longest(self):
        made = staffed("longest-idle", "b", "a", "c")
        assert next_agents(made, 5) == ["b", "a", "c", "b", "a"]

    @pytest.mark.parametrize(("counts_from", "expected"), [("ready", "b"), ("last-call", "a"), ("last-offer", "a")])
    def test_a_break_counts_as_idle_only_where_the_queue_says_so(self, counts_from: str, expected: str):
        made = staffed("longest-idle", "a", "b", idle_since=counts_from)
        assert next_agents(made, 2) == ["a", "b"]
        made.tell(AgentBecameNotReady("a", "lunch"))
        made.until(600)
        made.agent("a")
        assert next_agents(made, 1) == [expected]

    @pytest.mark.parametrize(("counts_from", "expected"), [("ready", "a"), ("last-call", "a"), ("last-offer", "b")])
    def test_an_offer_that_came_to_nothing_counts_only_where_the_queue_says_so(self, counts_from, expected):
        made = staffed("longest-idle", "a", "b", idle_since=counts_from)
        made.call("c0")
        made.tell(CallAbandoned("c0"))
        assert next_agents(made, 1) == [expected]

    def test_equals_are_drawn_by_the_seed_and_not_by_name(self):
        first = set()
        for seed in range(20):
            made = Script(QueueRule("service"), seed=seed)
            for agent in ("a", "b", "c"):
                made.agent(agent)
            first.add(only_offer(made.call("c1")).agent)
        assert first == {"a", "b", "c"}


class TestTopDown:
    def test_always_begins_at_the_top(self):
        made = staffed("top-down", "c", "a", "b")
        assert next_agents(made, 4) == ["a", "a", "a", "a"]

    def test_goes_down_while_those_above_talk(self):
        made = staffed("top-down", "c", "a", "b")
        assert [rung(made.call(name))[0][1] for name in ("1", "2", "3")] == ["a", "b", "c"]

    def test_follows_the_agents_order_before_their_ids(self):
        made = script("top-down")
        made.agent("a", order=2)
        made.agent("b", order=1)
        assert next_agents(made, 2) == ["b", "b"]

    def test_goes_by_numbers_as_numbers_and_has_those_without_an_order_last(self):
        made = staffed("top-down", "front-desk", "1000", "999")
        made.agent("2000", order=5)
        assert [rung(made.call(name))[0][1] for name in ("1", "2", "3", "4")] == ["2000", "999", "1000", "front-desk"]


class TestRoundRobin:
    def test_goes_round_and_remembers_where_it_was(self):
        made = staffed("round-robin", "c", "a", "b")
        assert next_agents(made, 7) == ["a", "b", "c", "a", "b", "c", "a"]

    def test_passes_over_who_is_not_there(self):
        made = staffed("round-robin", "a", "b", "c")
        made.tell(AgentBecameNotReady("b", "lunch"))
        assert next_agents(made, 3) == ["a", "c", "a"]

    def test_goes_on_behind_an_agent_who_has_left(self):
        made = staffed("round-robin", "a", "b", "c")
        assert next_agents(made, 2) == ["a", "b"]
        made.tell(AgentLoggedOff("b"))
        assert next_agents(made, 2) == ["c", "a"]

    def test_an_agent_who_declines_has_had_its_turn(self):
        made = staffed("round-robin", "a", "b", "c")
        offer = only_offer(made.call("c1"))
        assert rung(made.tell(OfferDeclined(offer.offer, "busy"))) == [("c1", "b")]

    @pytest.mark.parametrize("answered", [False, True], ids=["while it rings", "while the agent is being connected"])
    def test_an_agent_whose_caller_left_has_its_turn_yet(self, answered: bool):
        made = staffed("round-robin", "a", "b", "c")
        offer = only_offer(made.call("c1"))
        if answered:
            made.tell(OfferAnswered(offer.offer))
        made.tell(CallAbandoned("c1"))
        assert next_agents(made, 4) == ["a", "b", "c", "a"]

    @pytest.mark.parametrize("changes", ["the rule", "the agent"])
    def test_its_turn_outlives_a_reload(self, changes: str):
        made = staffed("round-robin", "a", "b", "c")
        made.call("c1")
        made.tell(CallAbandoned("c1"))
        if changes == "the rule":
            made.tell(QueuesChanged((QueueRule("service", strategy="round-robin", wrap_up=0, music="other"),)))
        else:
            made.tell(AgentChanged(Agent("a", queues=("service",), name="of a new name")))
        assert next_agents(made, 4) == ["a", "b", "c", "a"]

    def test_an_agent_whose_caller_left_is_before_those_whose_turn_came_meanwhile(self):
        made = staffed("round-robin", "a", "b", "c")
        assert rung(made.call("c1")) == [("c1", "a")]
        made.serve(only_offer(made.call("c2")), talk=1)
        made.tell(CallAbandoned("c1"))
        assert next_agents(made, 4) == ["a", "c", "a", "b"]

    def test_an_agent_whose_caller_left_and_who_went_is_not_waited_for(self):
        made = staffed("round-robin", "a", "b", "c")
        made.call("c1")
        made.tell(CallAbandoned("c1"))
        made.tell(AgentLoggedOff("a"))
        assert next_agents(made, 3) == ["b", "c", "b"]
        made.tell(AgentLoggedOn("a"))
        made.tell(AgentBecameReady("a"))
        assert next_agents(made, 3) == ["a", "c", "a"]

    def test_goes_on_where_it_was_when_the_rules_change(self):
        made = staffed("round-robin", "a", "b", "c")
        assert next_agents(made, 1) == ["a"]
        made.tell(QueuesChanged((QueueRule("service", strategy="round-robin", wrap_up=0, music="other"),)))
        assert next_agents(made, 3) == ["b", "c", "a"]


class TestFewestCalls:
    def test_rings_who_had_the_fewest_since_log_on(self):
        made = staffed("fewest-calls", "a", "b")
        made.tell(AgentBecameNotReady("b", "lunch"))
        assert next_agents(made, 3) == ["a", "a", "a"]
        made.agent("b")
        assert next_agents(made, 4) == ["b", "b", "b", "a"]

    def test_log_on_begins_a_new_count(self):
        made = staffed("fewest-calls", "a", "b")
        assert next_agents(made, 2) == ["a", "b"]
        made.tell(AgentLoggedOff("b"))
        made.agent("b")
        assert next_agents(made, 1) == ["b"]


def test_least_talk_time_rings_who_talked_least():
    made = staffed("least-talk-time", "a", "b")
    assert next_agents(made, 1, talk=100) == ["a"]
    assert next_agents(made, 3, talk=40) == ["b", "b", "b"]
    assert next_agents(made, 1) == ["a"]


class TestRandom:
    def test_is_even(self):
        made = staffed("random", "a", "b", "c", "d")
        counts = Counter(next_agents(made, 400, talk=0))
        assert set(counts) == {"a", "b", "c", "d"}
        assert all(70 <= count <= 130 for count in counts.values())  # 100 expected, 3.5 sigma

    def test_draws_the_same_with_the_same_seed(self):
        assert next_agents(staffed("random", *"abcdef"), 50) == next_agents(staffed("random", *"abcdef"), 50)


class TestBestSkilled:
    def test_rings_the_highest_levels_in_what_is_asked_for(self):
        made = script("best-skilled", skills={"claims": "required"})
        made.agent("a", skills={"claims": 2, "cooking": 5})
        made.agent("b", skills={"claims": 4})
        made.agent("c", skills={"claims": 3})
        assert [rung(made.call(name))[0][1] for name in ("1", "2", "3")] == ["b", "c", "a"]

    def test_equals_go_by_idleness(self):
        made = staffed("best-skilled", "b", "a")
        assert next_agents(made, 3) == ["b", "a", "b"]


class TestRingAll:
    def test_rings_everybody_and_the_first_to_answer_has_the_call(self):
        made = staffed("ring-all", "a", "b", "c")
        found = offers(made.call("c1"))
        assert [offer.agent for offer in found] == ["a", "b", "c"]
        assert besides_states(made.tell(OfferAnswered(found[1].offer), at=8)) == [
            Connect(found[1].offer, "c1", "b"),
            WithdrawOffer(found[0].offer, "a", "answered elsewhere"),
            WithdrawOffer(found[2].offer, "c", "answered elsewhere"),
        ]
        assert (made.state("a"), made.state("c")) == ("Ready", "Ready")

    def test_who_answers_second_is_ignored(self):
        made = staffed("ring-all", "a", "b")
        first, second = offers(made.call("c1"))
        made.tell(OfferAnswered(first.offer))
        assert made.tell(OfferAnswered(second.offer)) == []

    def test_those_who_were_too_late_are_not_blamed(self):
        made = staffed("ring-all", "a", "b", no_answer_limit=1)
        for number in range(5):
            first, _ = offers(made.call(f"c{number}"))
            made.serve(first, talk=1)
        assert (made.state("a"), made.state("b")) == ("Ready", "Ready")

    def test_who_becomes_free_meanwhile_rings_too(self):
        made = staffed("ring-all", "a")
        made.call("c1")
        made.tell(AgentBecameNotReady("b", "-"))
        made.agent("b")
        assert made.state("b") == "Reserved"
        assert sorted(made.acd.place("c1").offered_to) == ["a", "b"]

    def test_the_next_caller_gets_the_phones_that_stop_ringing(self):
        made = staffed("ring-all", "a", "b")
        first, _ = offers(made.call("c1"))
        assert offers(made.call("c2")) == []
        assert rung(made.tell(OfferAnswered(first.offer))) == [("c2", "b")]

    def test_one_who_declines_leaves_the_others_ringing(self):
        made = staffed("ring-all", "a", "b")
        first, second = offers(made.call("c1"))
        assert besides_states(made.tell(OfferDeclined(first.offer, "busy"))) == []
        made.accept(second)

    def test_a_connect_that_fails_rings_the_others_again(self):
        made = staffed("ring-all", "a", "b")
        first, _ = offers(made.call("c1"))
        made.tell(OfferAnswered(first.offer))
        assert rung(made.tell(ConnectFailed(first.offer))) == [("c1", "b")]

    def test_a_caller_who_leaves_stops_every_phone(self):
        made = staffed("ring-all", "a", "b")
        made.call("c1")
        assert [d.agent for d in besides_states(made.tell(CallAbandoned("c1")))] == ["a", "b"]

    def test_the_longest_wait_holds_though_phones_ring_for_ever(self):
        made = staffed("ring-all", "a", "b", overflow=(Overflow(after=60_000, exit="overflowed"),), no_answer_limit=0)
        made.call("c1")
        made.until(62)
        assert made.waiting() == []
        assert not offers(made.until(200))


class TestRingProgressively:
    def test_adds_a_phone_after_each_step(self):
        made = staffed("ring-progressively", "a", "b", "c", ring_step=5_000)
        start = made.now / 1000
        assert rung(made.call("c1")) == [("c1", "a")]
        assert rung(made.until(start + 4.999)) == []
        assert rung(made.until(start + 5)) == [("c1", "b")]
        assert rung(made.until(start + 10)) == [("c1", "c")]

    def test_rings_one_more_also_for_who_waited_before_anybody_was_free(self):
        made = script("ring-progressively", ring_step=5_000)
        made.call("c1")
        made.agent("a")
        made.agent("b")
        assert rung(made.until(4)) == []
        assert rung(made.until(5)) == [("c1", "b")]

    def test_who_did_not_answer_is_followed_by_the_next(self):
        made = staffed("ring-progressively", "a", "b", ring_step=60_000)
        offer = only_offer(made.call("c1"))
        assert rung(made.tell(OfferNotAnswered(offer.offer))) == [("c1", "b")]


class TestSticky:
    def test_waits_for_the_last_agent_then_takes_the_longest_idle(self):
        made = staffed("sticky", "a", "b", sticky_for=20_000)
        made.accept(only_offer(made.call("c0", last_agent="b")))
        start = made.now / 1000
        assert offers(made.call("c1", last_agent="b")) == []
        assert rung(made.until(start + 20)) == [("c1", "a")]

    def test_goes_to_the_last_agent_as_soon_as_it_is_free(self):
        made = staffed("sticky", "a", "b", sticky_for=20_000)
        talk = only_offer(made.call("c0", last_agent="b"))
        made.accept(talk)
        made.call("c1", last_agent="b")
        made.until(made.now / 1000 + 5)
        assert rung(made.tell(TalkEnded(talk.offer))) == [("c1", "b")]

    def test_does_not_wait_for_who_takes_no_calls(self):
        made = staffed("sticky", "a", "b")
        made.tell(AgentBecameNotReady("b", "lunch"))
        assert rung(made.call("c1", last_agent="b")) == [("c1", "a")]

    @pytest.mark.parametrize("how", [AgentBecameNotReady("b", "lunch"), AgentLoggedOff("b")])
    def test_stops_waiting_when_the_last_agent_leaves(self, how):
        made = staffed("sticky", "a", "b")
        talk = only_offer(made.call("c0", last_agent="b"))
        made.accept(talk)
        made.call("c1", last_agent="b")
        made.tell(how)
        assert rung(made.tell(TalkEnded(talk.offer))) == [("c1", "a")]

    def test_stops_waiting_when_the_last_agent_declines(self):
        made = staffed("sticky", "a", "b")
        offer = only_offer(made.call("c1", last_agent="b"))
        assert offer.agent == "b"
        assert rung(made.tell(OfferDeclined(offer.offer, "busy"))) == [("c1", "a")]

    def test_a_last_agent_who_is_unknown_or_not_able_does_not_matter(self):
        made = staffed("sticky", "a")
        made.agent("b", "elsewhere")
        assert rung(made.call("c1", last_agent="b")) == [("c1", "a")]
        made.agent("c")
        assert rung(made.call("c2", last_agent="9999")) == [("c2", "c")]

    def test_waits_for_nobody_any_more_in_a_queue_that_is_not_sticky(self):
        friends = QueueRule("friends", strategy="sticky", overflow=(Overflow(after=5_000, to_queue="all"),))
        made = busy_friend(friends, QueueRule("all", sticky_for=300_000))
        assert rung(made.until(made.now / 1000 + 5)) == [("c1", "other")]

    def test_waits_for_nobody_any_more_when_the_queue_is_sticky_no_longer(self):
        made = busy_friend(QueueRule("friends", strategy="sticky"))
        assert rung(made.tell(QueuesChanged((QueueRule("friends"),)))) == [("c1", "other")]

    def test_waits_for_the_last_agent_in_a_sticky_queue_that_it_was_moved_to(self):
        overflow = (Overflow(after=1_000, to_queue="friends"),)
        made = Script(QueueRule("all", overflow=overflow), QueueRule("friends", strategy="sticky"))
        made.agent("friend", "friends")
        made.accept(only_offer(made.call("c0", "friends")))
        made.agent("other", "friends")
        made.call("c1", "all", last_agent="friend")
        start = made.now / 1000
        assert offers(made.until(start + 20)) == []
        assert rung(made.until(start + 21)) == [("c1", "other")]

    def test_does_not_wait_again_for_who_has_declined_it(self):
        overflow = (Overflow(after=1_000, to_queue="more"),)
        made = Script(QueueRule("friends", strategy="sticky", overflow=overflow), QueueRule("more", strategy="sticky"))
        made.agent("friend", "friends", "more")
        made.tell(OfferDeclined(only_offer(made.call("c1", "friends", last_agent="friend")).offer, "declined"))
        made.agent("other", "more")
        assert rung(made.until(1)) == [("c1", "other")]


def busy_friend(*queues: QueueRule) -> Script:
    """`c1` waits in the queue `friends` for the agent `friend`, who talks; `other` is free beside it."""
    made = Script(*queues)
    names = [rule.name for rule in queues]
    made.agent("friend", *names)
    made.accept(only_offer(made.call("c0", "friends")))
    made.agent("other", *names)
    assert offers(made.call("c1", "friends", last_agent="friend")) == []
    return made
