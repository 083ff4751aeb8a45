"""The life of a queued call, as scripts of what goes in and what comes out."""

from __future__ import annotations

import pytest

from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    AgentRemoved,
    AgentState,
    CallAbandoned,
    CallConnected,
    CallLeft,
    CallQueued,
    CallView,
    Connect,
    ConnectFailed,
    EndWait,
    NoteResult,
    OfferAnswered,
    OfferCall,
    OfferDeclined,
    OfferFailed,
    OfferNotAnswered,
    Overflow,
    QueueRule,
    ResultGiven,
    ShowAgentState,
    TalkEnded,
    TalkFound,
    TimePassed,
    WithdrawOffer,
    WrapUpExtended,
)
from tests.acd.script import Script, besides_states, offers, only_offer, rung

SERVICE = QueueRule("service")


def show(agent: str, state: AgentState, reason: str = "", call: str = "") -> ShowAgentState:
    return ShowAgentState(agent, state, reason, call)


class TestACall:
    def test_goes_to_the_free_agent_and_back_to_work_goes_the_agent(self):
        script = Script(SERVICE)
        script.agent("1001")
        assert script.call("c1", at=10) == [
            show("1001", AgentState.RESERVED, call="c1"),
            OfferCall("0-1", "c1", "service", "1001", 15_000),
        ]
        assert script.tell(OfferAnswered("0-1"), at=13) == [Connect("0-1", "c1", "1001")]
        assert script.tell(CallConnected("0-1")) == [show("1001", AgentState.BUSY, call="c1")]
        assert script.waiting() == []
        assert script.tell(TalkEnded("0-1"), at=100) == [show("1001", AgentState.WORKING_AFTER_CALL)]
        assert script.until(119.999) == []
        assert script.until(120) == [show("1001", AgentState.READY)]

    def test_waits_until_an_agent_is_ready(self):
        script = Script(SERVICE)
        script.tell(AgentChanged(Agent("1001", queues=("service",))))
        script.tell(AgentLoggedOn("1001"))
        assert script.state("1001") == "NotReady (logged on)"
        assert script.call("c1") == []
        assert rung(script.tell(AgentBecameReady("1001"), at=5)) == [("c1", "1001")]

    def test_goes_to_whoever_is_free_after_the_wrap_up(self):
        script = Script(SERVICE)
        script.agent("1001")
        first = only_offer(script.call("c1"))
        assert script.call("c2") == []
        script.serve(first, talk=60)
        assert rung(script.until(80)) == [("c2", "1001")]

    def test_in_an_unknown_queue_is_given_back_at_once(self):
        script = Script(SERVICE)
        assert script.call("c1", "nowhere") == [EndWait("c1", "nowhere", "unavailable")]
        assert script.acd.place("c1") is None

    def test_that_is_queued_twice_waits_once(self):
        script = Script(SERVICE)
        script.call("c1")
        assert script.call("c1", at=1) == []
        assert script.waiting() == ["c1"]
        assert script.acd.ignored == {"CallQueued": 1}

    def test_that_leaves_by_a_key_waits_no_more(self):
        script = Script(SERVICE)
        script.call("c1")
        assert script.tell(CallLeft("c1")) == []
        script.agent("1001")
        assert script.state("1001") == "Ready"

    def test_shows_its_place(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.call("c2", at=3, priority=2)
        assert script.acd.place("c1") == CallView("c1", "service", 2, 0, 0, None, ("1001",))
        assert script.acd.place("c2") == CallView("c2", "service", 1, 3_000, -117_000, None, ())
        assert (script.acd.position("c1"), script.acd.position("nobody")) == (2, None)


class TestOrder:
    """Rank is arrival less priority times credit; among equals it is strict arrival."""

    def serve_all(self, script: Script) -> list[str]:
        """The order in which one agent gets everybody."""
        order, decisions = [], script.tell(AgentBecameReady("1001"))
        while found := offers(decisions):
            order.append(found[0].call)
            decisions = script.serve(found[0], talk=1)
            decisions += script.until(script.now / 1000 + 20)
        return order

    def script(self, rule: QueueRule = SERVICE) -> Script:
        script = Script(rule)
        script.tell(AgentChanged(Agent("1001", queues=("service", "sales"))))
        script.tell(AgentLoggedOn("1001"))
        return script

    def test_first_come_first_served(self):
        script = self.script()
        for number in range(5):
            script.call(f"c{number}", at=number / 1000)
        assert self.serve_all(script) == ["c0", "c1", "c2", "c3", "c4"]

    def test_same_millisecond_in_the_order_of_the_events(self):
        script = self.script()
        for name in ("z", "a", "m"):
            script.call(name)
        assert self.serve_all(script) == ["z", "a", "m"]

    def test_one_step_of_priority_is_worth_the_credit_and_no_more(self):
        script = self.script()
        script.call("patient", at=0)
        script.call("59 s later", at=59, priority=1)
        script.call("61 s later", at=61, priority=1)
        assert self.serve_all(script) == ["59 s later", "patient", "61 s later"]

    def test_equal_ranks_go_by_arrival(self):
        script = self.script()
        script.call("early", at=0)
        script.call("late gold", at=60, priority=1)
        assert self.serve_all(script) == ["early", "late gold"]

    def test_nobody_starves_however_many_more_important_ones_come(self):
        """The bound: no caller of priority p who comes more than (p - q) x credit later is served before."""
        script = self.script()
        script.call("patient")
        for number in range(1, 200):
            script.call(f"gold {number}", at=number, priority=1)
        assert self.serve_all(script).index("patient") == 59

    def test_an_arrival_from_before_is_kept(self):
        script = self.script()
        script.call("new", at=100)
        script.call("came back", at=101, arrived=50_000)
        assert self.serve_all(script) == ["came back", "new"]

    def test_an_agent_of_several_queues_serves_the_weightiest_first(self):
        script = self.script()
        script = Script(SERVICE, QueueRule("sales", weight=2))
        script.tell(AgentChanged(Agent("1001", queues=("service", "sales"))))
        script.tell(AgentLoggedOn("1001"))
        script.call("c1", "service")
        script.call("c2", "sales", at=30)
        script.call("c3", "service", at=31)
        assert self.serve_all(script) == ["c2", "c1", "c3"]

    @pytest.mark.parametrize("how", [OfferDeclined("0-1", "busy"), OfferNotAnswered("0-1"), OfferFailed("0-1", "gone")])
    def test_an_offer_that_failed_does_not_lose_the_place(self, how):
        script = self.script()
        script.call("c1")
        script.call("c2", at=1)
        script.tell(AgentBecameReady("1001"))
        script.tell(how)
        assert script.waiting() == ["c1", "c2"]
        assert rung(script.until(12)) == [("c1", "1001")]


class TestRanks:
    """An agent's rank in a queue, as other systems have tiers and penalties: who stands lower is asked first."""

    def script(self) -> Script:
        script = Script(QueueRule("service"), QueueRule("sales"))
        script.agent("second", "service", "sales", ranks={"service": 2})
        script.agent("first", "service", "sales", ranks={"sales": 2}, order=1)
        return script

    def test_the_lower_rank_is_rung_first_though_another_has_been_idle_longer(self):
        script = self.script()
        assert rung(script.call("c1", at=10)) == [("c1", "first")]

    def test_the_higher_rank_takes_what_the_lower_cannot(self):
        script = self.script()
        script.call("c1")
        assert rung(script.call("c2")) == [("c2", "second")]

    def test_each_queue_has_ranks_of_its_own(self):
        assert rung(self.script().call("c1", "sales")) == [("c1", "second")]

    def test_a_rank_comes_before_preferred_skills(self):
        script = Script(QueueRule("service", skills={"claims": "preferred"}))
        script.agent("skilled", skills={"claims": 5}, ranks={"service": 2})
        script.agent("plain")
        assert rung(script.call("c1")) == [("c1", "plain")]


class TestAnOfferThatFails:
    def test_goes_to_another_able_agent_at_once(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.tell(TimePassed(), at=1)
        script.agent("1002")
        assert rung(script.call("c1", at=2)) == [("c1", "1001")]
        assert rung(script.tell(OfferDeclined("0-1", "busy"), at=3)) == [("c1", "1002")]
        assert script.state("1001") == "Ready (busy)"

    def test_spares_an_agent_who_declined_for_the_reject_delay(self):
        script = Script(QueueRule("service", reject_delay=10_000, busy_delay=60_000))
        script.agent("1001")
        script.call("c1")
        assert offers(script.tell(OfferDeclined("0-1", "rejected"), at=3)) == []
        assert offers(script.call("c2", at=5)) == [], "nor for anybody else"
        assert offers(script.until(12.999)) == []
        assert rung(script.until(13)) == [("c1", "1001")]

    def test_spares_an_agent_whose_phone_was_busy_for_the_busy_delay(self):
        script = Script(QueueRule("service", reject_delay=10_000, busy_delay=60_000))
        script.agent("1001")
        script.call("c1")
        script.tell(OfferDeclined("0-1", "busy"))
        assert offers(script.until(59.999)) == []
        assert rung(script.until(60)) == [("c1", "1001")]

    def test_lets_who_says_ready_be_rung_at_once(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.tell(OfferDeclined("0-1", "rejected"))
        assert rung(script.tell(AgentBecameReady("1001"), at=1)) == [("c1", "1001")]

    def test_is_not_the_agents_fault_when_the_phone_cannot_be_reached(self):
        """A switch that is down must not send all agents home: they are tried again, without an end."""
        script = Script(QueueRule("service", no_answer_limit=1))
        script.agent("1001")
        decisions = script.call("c1")
        for _ in range(5):
            script.tell(OfferFailed(only_offer(decisions).offer, "switch lost"))
            assert script.state("1001") == "Ready (switch lost)"
            decisions = script.until(script.now / 1000 + 10)

    def test_for_lack_of_the_agents_leg_keeps_the_callers_place(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        script.tell(ConnectFailed("0-1"), at=2)
        assert script.waiting() == ["c1"]
        assert script.state("1001") == "Ready (hung up before the caller came)"
        assert rung(script.until(12)) == [("c1", "1001")]


class TestRingNoAnswer:
    def test_makes_the_agent_not_ready_at_the_limit(self):
        script = Script(QueueRule("service", no_answer_limit=2, no_answer_delay=5_000))
        script.agent("1001")
        script.call("c1")
        assert script.tell(OfferNotAnswered("0-1"), at=15) == [show("1001", AgentState.READY, "no answer")]
        assert rung(script.until(20)) == [("c1", "1001")]
        assert script.tell(OfferNotAnswered("0-2"), at=35) == [show("1001", AgentState.NOT_READY, "no answer")]
        assert offers(script.until(600)) == []
        assert rung(script.tell(AgentBecameReady("1001"))) == [("c1", "1001")]

    def test_counts_only_offers_in_a_row(self):
        script = Script(QueueRule("service", no_answer_limit=2, wrap_up=0))
        script.agent("1001")
        for name in ("c1", "c2", "c3"):
            decisions = script.call(name)
            script.tell(OfferNotAnswered(only_offer(decisions).offer))
            script.serve(only_offer(script.until(script.now / 1000 + 5)), talk=10)
        assert script.state("1001") == "Ready"

    def test_begins_to_count_anew_when_the_agent_comes_back(self):
        script = Script(QueueRule("service", no_answer_limit=2))
        script.agent("1001")
        script.call("c1")
        script.tell(OfferNotAnswered("0-1"))
        script.tell(AgentBecameNotReady("1001", "lunch"))
        script.tell(AgentBecameReady("1001"), at=600)
        script.tell(OfferNotAnswered("0-2"))
        assert script.state("1001") == "Ready (no answer)"

    def test_does_not_count_calls_whose_callers_gave_up(self):
        script = Script(QueueRule("service", no_answer_limit=2))
        script.agent("1001")
        for name in ("c1", "c2", "c3"):
            script.call(name)
            script.tell(CallAbandoned(name))
        offer = only_offer(script.call("c4"))
        script.tell(OfferNotAnswered(offer.offer))
        assert script.state("1001") == "Ready (no answer)"

    def test_never_benches_an_agent_where_the_limit_is_0(self):
        script = Script(QueueRule("service", no_answer_limit=0))
        script.agent("1001")
        script.call("c1")
        script.until(3600)
        assert script.state("1001").startswith(("Ready", "Reserved"))

    def test_that_nobody_tells_is_found_by_the_deadline(self):
        """No agent stays Reserved for ever, whatever is lost."""
        script = Script(QueueRule("service", ring_for=15_000, answer_within=15_000, no_answer_limit=1))
        script.agent("1001")
        script.call("c1")
        assert script.until(29.999) == []
        assert script.until(30) == [
            WithdrawOffer("0-1", "1001", "no answer"),
            show("1001", AgentState.NOT_READY, "no answer"),
        ]

    def test_an_answer_that_is_never_connected_is_found_by_its_own_deadline(self):
        script = Script(QueueRule("service", connect_within=10_000, reject_delay=10_000))
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"), at=29)
        assert script.until(38.999) == []
        assert script.until(39) == [
            WithdrawOffer("0-1", "1001", "no answer"),
            show("1001", AgentState.READY, "not connected"),
        ]
        assert script.waiting() == ["c1"]


class TestACallerWhoLeaves:
    @pytest.mark.parametrize("answered", [False, True], ids=["while it rings", "while the agent is being connected"])
    @pytest.mark.parametrize("how", [CallAbandoned, CallLeft])
    def test_withdraws_the_offer_without_wrap_up_or_blame(self, answered: bool, how):
        script = Script(QueueRule("service", no_answer_limit=1))
        script.agent("1001")
        script.call("c1")
        if answered:
            script.tell(OfferAnswered("0-1"))
        assert script.tell(how("c1"), at=5) == [
            WithdrawOffer("0-1", "1001", "caller gone"),
            show("1001", AgentState.READY),
        ]
        assert rung(script.call("c2")) == [("c2", "1001")], "free at once"

    def test_frees_the_agent_for_the_next_caller_in_the_same_breath(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.call("c2")
        assert besides_states(script.tell(CallAbandoned("c1"))) == [
            WithdrawOffer("0-1", "1001", "caller gone"),
            OfferCall("0-2", "c2", "service", "1001", 15_000),
        ]

    def test_does_not_cost_the_agent_its_turn(self):
        """Withdrawn offers do not count as work: who was idle longest still is."""
        script = Script(SERVICE)
        script.agent("1001")
        script.tell(TimePassed(), at=1)
        script.agent("1002")
        for name in ("c1", "c2"):
            assert rung(script.call(name)) == [(name, "1001")]
            script.tell(CallAbandoned(name))


class TestWordsThatCross:
    def talking(self) -> Script:
        script = Script(SERVICE)
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        return script

    @pytest.mark.parametrize(
        "word",
        [
            OfferAnswered("0-1"),
            OfferDeclined("0-1", "busy"),
            OfferNotAnswered("0-1"),
            OfferFailed("0-1", "gone"),
            CallConnected("0-1"),
            ConnectFailed("0-1"),
            TalkEnded("0-1"),
        ],
    )
    def test_what_is_said_of_an_offer_that_is_over_is_ignored_and_counted(self, word):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.tell(CallAbandoned("c1"))
        assert script.tell(word) == []
        assert script.state("1001") == "Ready"
        assert script.acd.ignored == {type(word).__name__: 1}

    @pytest.mark.parametrize("word", [OfferAnswered, OfferNotAnswered, CallConnected, ConnectFailed])
    def test_what_comes_again_during_the_talk_is_ignored(self, word):
        script = self.talking()
        assert script.tell(word("0-1")) == []
        assert script.state("1001") == "Busy"

    def test_an_answer_after_the_deadline_does_not_connect(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.until(30)
        assert script.tell(OfferAnswered("0-1")) == []

    def test_an_answer_that_had_to_wait_for_us_counts(self):
        """The process was held up for a minute, the answer lay in its inbox: no blame, no caller lost."""
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        assert script.acd.handle(OfferAnswered("0-1"), 60_000) == [Connect("0-1", "c1", "1001")]
        assert script.acd.handle(CallConnected("0-1"), 120_000) == [show("1001", AgentState.BUSY, call="c1")]

    def test_a_talk_that_ended_before_its_beginning_was_told_is_a_talk(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        assert script.tell(TalkEnded("0-1"))[-1] == show("1001", AgentState.WORKING_AFTER_CALL)
        assert script.tell(CallConnected("0-1")) == []
        assert script.waiting() == []

    def test_a_caller_who_queues_again_ends_the_talk_that_nobody_ended(self):
        script = self.talking()
        assert script.call("c1", at=60) == [show("1001", AgentState.WORKING_AFTER_CALL)]
        assert script.waiting() == ["c1"]
        assert script.tell(TalkEnded("0-1")) == []
        assert rung(script.until(80)) == [("c1", "1001")]

    def test_a_caller_who_hangs_up_ends_the_talk(self):
        script = self.talking()
        assert script.tell(CallAbandoned("c1")) == [show("1001", AgentState.WORKING_AFTER_CALL)]

    @pytest.mark.parametrize(
        "event",
        [
            AgentLoggedOn("9999"),
            AgentLoggedOff("9999"),
            AgentBecameReady("9999"),
            AgentBecameNotReady("9999", "lunch"),
            AgentRemoved("9999"),
            CallAbandoned("nobody"),
            CallLeft("nobody"),
            OfferAnswered("nothing"),
        ],
    )
    def test_what_nobody_knows_is_ignored_and_counted(self, event):
        script = Script(SERVICE)
        assert script.tell(event) == []
        assert script.acd.ignored == {type(event).__name__: 1}


class TestAnAgentWho:
    def busy(self) -> Script:
        script = Script(SERVICE)
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        return script

    @pytest.mark.parametrize(
        ("event", "after"),
        [(AgentBecameNotReady("1001", "lunch"), "NotReady (lunch)"), (AgentLoggedOff("1001"), "LoggedOff")],
    )
    def test_leaves_during_a_talk_leaves_after_it(self, event, after: str):
        script = self.busy()
        assert script.tell(event) == []
        assert script.state("1001") == "Busy"
        script.tell(TalkEnded("0-1"))
        assert script.state("1001") == after

    def test_is_logged_off_by_a_supervisor_during_a_talk_keeps_the_reason_for_after_it(self):
        script = self.busy()
        script.tell(AgentLoggedOff("1001", "training", by="li"))
        script.tell(TalkEnded("0-1"))
        assert script.state("1001") == "LoggedOff (training)"

    def test_takes_it_back_in_time_stays(self):
        script = self.busy()
        script.tell(AgentBecameNotReady("1001", "lunch"))
        script.tell(AgentBecameReady("1001"))
        script.tell(TalkEnded("0-1"))
        assert script.state("1001") == "WorkingAfterCall"

    @pytest.mark.parametrize(
        ("event", "after"),
        [(AgentBecameNotReady("1001", "lunch"), "NotReady (lunch)"), (AgentLoggedOff("1001"), "LoggedOff")],
    )
    def test_leaves_while_the_phone_rings_gives_the_call_to_another(self, event, after: str):
        script = Script(SERVICE)
        script.agent("1001")
        script.tell(TimePassed(), at=1)
        script.agent("1002")
        script.call("c1")
        decisions = script.tell(event)
        assert besides_states(decisions)[0] == WithdrawOffer("0-1", "1001", "agent left")
        assert rung(decisions) == [("c1", "1002")]
        assert script.state("1001") == after

    def test_leaves_after_answering_still_gets_the_caller(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.tell(OfferAnswered("0-1"))
        assert script.tell(AgentLoggedOff("1001")) == []
        script.tell(CallConnected("0-1"))
        script.tell(TalkEnded("0-1"))
        assert script.state("1001") == "LoggedOff"

    def test_says_ready_ends_the_wrap_up(self):
        script = self.busy()
        script.tell(TalkEnded("0-1"))
        script.call("c2")
        assert rung(script.tell(AgentBecameReady("1001"), at=2)) == [("c2", "1001")]

    def test_takes_a_break_in_the_wrap_up_is_not_rung_when_it_would_have_ended(self):
        script = self.busy()
        script.tell(TalkEnded("0-1"))
        script.tell(AgentBecameNotReady("1001", "lunch"))
        script.call("c2")
        assert offers(script.until(3600)) == []

    def test_has_no_wrap_up_is_ready_at_once(self):
        script = Script(QueueRule("service", wrap_up=0))
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        assert script.tell(TalkEnded("0-1")) == [show("1001", AgentState.READY)]

    def test_has_a_wrap_up_of_its_own_keeps_to_it(self):
        script = Script(QueueRule("service", wrap_up=20_000))
        script.agent("1001", wrap_up=60_000)
        script.serve(only_offer(script.call("c1")), talk=10)
        assert script.until(69.999) == []
        assert script.until(70) == [show("1001", AgentState.READY)]

    def test_needs_longer_has_it(self):
        script = self.busy()
        script.tell(TalkEnded("0-1"))
        assert script.tell(WrapUpExtended("1001", 40_000), at=19) == []
        assert script.until(59.999) == []
        assert script.until(60) == [show("1001", AgentState.READY)]

    def test_does_not_wrap_up_cannot_have_longer(self):
        script = self.busy()
        assert script.tell(WrapUpExtended("1001", 40_000)) == []
        assert script.acd.ignored == {"WrapUpExtended": 1}

    def test_is_forced_by_a_supervisor_obeys_as_if_it_had_asked_itself(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.tell(AgentBecameNotReady("1001", "training", by="li"))
        assert script.state("1001") == "NotReady (training)"
        script.tell(AgentBecameReady("1001", by="li"))
        assert script.state("1001") == "Ready"
        script.tell(AgentLoggedOff("1001", by="li"))
        assert script.state("1001") == "LoggedOff"

    @pytest.mark.parametrize("talks", [True, False])
    def test_says_what_came_of_a_call_has_it_noted(self, talks: bool):
        script = self.busy()
        if not talks:
            script.tell(TalkEnded("0-1"))
        assert script.tell(ResultGiven("1001", "solved")) == [NoteResult("c1", "service", "1001", "solved")]

    def test_says_it_before_or_after_the_call_is_not_heard(self):
        script = Script(QueueRule("service", results=("solved", "call-back")))
        script.agent("1001")
        script.tell(ResultGiven("1001", "solved"))
        script.accept(only_offer(script.call("c1")))
        assert script.tell(ResultGiven("1001", "sold")) == []
        script.tell(TalkEnded("0-1"))
        script.tell(ResultGiven("1001", "solved"), at=30)
        assert script.acd.ignored == {"ResultGiven": 3}

    def test_is_removed_during_a_talk_goes_after_it(self):
        script = self.busy()
        script.tell(AgentRemoved("1001"))
        assert script.state("1001") == "Busy"
        assert script.tell(TalkEnded("0-1")) == [show("1001", AgentState.LOGGED_OFF, "removed")]
        assert script.acd.agents() == ()

    def test_is_removed_and_comes_again_during_a_talk_stays(self):
        script = self.busy()
        script.tell(AgentRemoved("1001"))
        script.tell(AgentChanged(Agent("1001", queues=("service",))))
        script.tell(TalkEnded("0-1"))
        assert script.state("1001") == "WorkingAfterCall"

    def test_is_removed_while_the_phone_rings_gives_the_call_back(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        assert script.tell(AgentRemoved("1001"))[0] == WithdrawOffer("0-1", "1001", "agent left")
        assert script.acd.agents() == ()
        assert script.waiting() == ["c1"]

    def test_joins_a_queue_gets_who_waits_there(self):
        script = Script(SERVICE)
        script.agent("1001", "elsewhere")
        script.call("c1")
        assert rung(script.tell(AgentChanged(Agent("1001", queues=("service",))))) == [("c1", "1001")]

    def test_changes_during_a_talk_keeps_it(self):
        script = self.busy()
        assert script.tell(AgentChanged(Agent("1001", queues=()))) == []
        assert script.state("1001") == "Busy"
        script.tell(TalkEnded("0-1"))
        script.call("c2")
        assert offers(script.until(100)) == []

    def test_logs_on_twice_stays_as_it_is(self):
        script = self.busy()
        assert script.tell(AgentLoggedOn("1001")) == []
        assert script.state("1001") == "Busy"


class TestATalkFoundAfterARestart:
    @pytest.mark.parametrize(
        ("events", "after"),
        [
            ([AgentLoggedOn("1001"), AgentBecameReady("1001")], "WorkingAfterCall"),
            ([AgentLoggedOn("1001"), AgentBecameNotReady("1001", "lunch")], "NotReady (lunch)"),
            ([], "LoggedOff"),
        ],
    )
    def test_keeps_its_agent_until_its_end(self, events, after: str):
        script = Script(SERVICE, seed=2)
        for event in (AgentChanged(Agent("1001", queues=("service",))), *events):
            script.tell(event)
        assert script.tell(TalkFound("1-7", "c1", "service", "1001")) == [show("1001", AgentState.BUSY, call="c1")]
        assert offers(script.call("c2", at=5)) == []
        script.tell(TalkEnded("1-7"), at=60)
        assert script.state("1001") == after
        assert bool(offers(script.until(80))) == (after == "WorkingAfterCall")

    def test_is_wrapped_up_as_its_queue_says(self):
        script = Script(QueueRule("service", wrap_up=45_000))
        script.tell(AgentChanged(Agent("1001", queues=("service",))))
        script.tell(AgentLoggedOn("1001"))
        script.tell(AgentBecameReady("1001"))
        script.tell(TalkFound("old-1", "c1", "service", "1001"))
        script.tell(TalkEnded("old-1"), at=10)
        assert script.until(54.999) == []
        assert script.until(55) == [show("1001", AgentState.READY)]

    def test_of_a_queue_that_is_gone_keeps_its_agent_too(self):
        script = Script()
        script.agent("1001")
        script.tell(TalkFound("1-7", "c1", "service", "1001"))
        assert script.state("1001") == "Busy"
        script.tell(TalkEnded("1-7"))
        assert script.state("1001") == "WorkingAfterCall"

    def test_that_is_known_or_of_nobody_is_ignored(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.accept(only_offer(script.call("c1")))
        for event in (TalkFound("1-7", "c1", "service", "1001"), TalkFound("1-8", "c2", "service", "9999")):
            assert script.tell(event) == []
        assert script.acd.ignored == {"TalkFound": 2}


class TestTime:
    def test_never_goes_back_inside(self):
        acd = Acd([SERVICE])
        acd.handle(CallQueued("c1", "service"), 10_000)
        acd.handle(CallQueued("c2", "service"), 4_000)
        assert acd.place("c2").arrived == 10_000

    def test_that_jumps_ahead_leaves_nothing_behind(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.call("c1")
        script.now = 10_000_000
        script.tell(TimePassed())
        assert script.state("1001") == "Ready (no answer)"
        assert script.acd.next_deadline() == 10_005_000

    def test_without_anything_to_do_has_no_deadline(self):
        script = Script(SERVICE)
        script.agent("1001")
        assert script.acd.next_deadline() is None

    def test_a_deadline_comes_before_the_event_of_the_same_moment(self):
        script = Script(SERVICE)
        script.agent("1001")
        script.serve(only_offer(script.call("c1")), talk=10)
        assert rung(script.acd.handle(CallQueued("c2", "service"), 30_000)) == [("c2", "1001")]


def test_ids_of_offers_differ_between_lives():
    script, again = Script(SERVICE, seed=1), Script(SERVICE, seed=2)
    for each in (script, again):
        each.agent("1001")
    assert only_offer(script.call("c1")).offer != only_offer(again.call("c1")).offer


def test_the_longest_wait_holds_while_a_phone_rings_too():
    script = Script(QueueRule("service", overflow=(Overflow(after=10_000, exit="overflowed"),)))
    script.agent("1001")
    script.call("c1")
    assert script.until(10) == [
        WithdrawOffer("0-1", "1001", "caller gone"),
        show("1001", AgentState.READY),
        EndWait("c1", "service", "overflowed"),
    ]
