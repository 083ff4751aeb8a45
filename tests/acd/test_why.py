"""The story of a call, told from records as the shell writes them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from acd.chronicle import Chronicle
from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOn,
    CallAbandoned,
    CallConnected,
    CallQueued,
    Event,
    OfferAnswered,
    OfferDeclined,
    Overflow,
    QueueRule,
    QueuesChanged,
    TalkEnded,
    TimePassed,
)
from acd.story import as_json
from acd.why import why

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = {"service": QueueRule("service", overflow=(Overflow(after=90_000, relax="claims"),))}


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat(timespec="milliseconds")


def record(second: float, type: str, call: str = "", **facts: object) -> dict[str, object]:
    return {
        "at": at(second),
        "type": type,
        "call": call,
        **facts,
    }


def state(second: float, agent: str, name: str, call: str = "", reason: str = "") -> dict[str, object]:
    return record(second, "AgentStateChanged", call, agent=agent, state=name, reason=reason)


def staff(*agents: str, **skills: int) -> list[dict[str, object]]:
    return [record(0, "AgentChanged", agent=agent, queues=["service"], skills=skills) for agent in agents]


def story(records: list[dict[str, object]], call: str = "c1") -> list[str]:
    return [line.text for line in why(records, call, RULES).lines]


def test_why_it_waited_and_why_that_agent_got_it():
    assert story(
        [
            *staff("1001", "1002", "1003", "1004"),
            record(0, "AgentChanged", agent="2001", queues=["sales"], skills={}),
            state(0, "1001", "Busy", "c0"),
            state(0, "1002", "NotReady", reason="lunch"),
            state(0, "1003", "WorkingAfterCall"),
            record(10, "CallQueued", "c9", queue="service", priority=0, skills=[]),
            record(20, "CallQueued", "c1", queue="service", priority=2, skills=[]),
            record(35, "Announce", "c1", position=1, wait=40.0),
            state(41, "1003", "Ready"),
            record(41, "CallAbandoned", "c9"),
            state(41, "1003", "Reserved", "c1"),
            record(41, "OfferCall", "c1", offer="0-2", queue="service", agent="1003", ring_for=15_000),
            record(45, "OfferDeclined", "c1", offer="0-2", agent="1003", queue="service", cause="busy"),
            state(45, "1003", "Ready", reason="busy"),
            state(50, "1001", "Ready"),
            state(50, "1001", "Reserved", "c1"),
            record(50, "OfferCall", "c1", offer="0-3", queue="service", agent="1001", ring_for=15_000),
            record(53, "CallConnected", "c1", offer="0-3", agent="1001", queue="service"),
            record(99, "TalkEnded", "c1", offer="0-3", agent="1001", queue="service"),
        ]
    ) == [
        "queued in service with priority 2; nobody waits before it. Able and logged on: 1001 Busy with c0, "
        "1002 NotReady (lunch), 1003 WorkingAfterCall.",
        "told position 1 and a wait of about 40 s.",
        "1003's phone rings: the only able agent who is free.",
        "1003 could not have it (busy); the call kept its place.",
        "1001's phone rings: the only able agent who is free.",
        "connected with 1001 after 33 s.",
        "the talk ended.",
    ]


def test_who_else_was_free_and_by_which_rule_one_was_chosen():
    lines = story(
        [
            *staff("1001", "1002"),
            state(0, "1001", "Ready"),
            state(30, "1002", "Ready"),
            record(60, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            state(60, "1001", "Reserved", "c1"),
            record(60, "OfferCall", "c1", offer="0-1", queue="service", agent="1001", ring_for=15_000),
        ]
    )
    assert lines[1] == (
        "1001's phone rings: service rings by longest-idle (Ready for 60 s); also free: 1002 (Ready for 30 s)."
    )


def test_nobody_able_nobody_there_nobody_ready():
    queued = record(60, "CallQueued", "c1", queue="service", priority=0, skills=["yue"])
    assert story([*staff("1001"), queued])[0].endswith("No agent of this queue is able for it.")
    assert story([*staff("1001", yue=2), queued])[0].endswith("Nobody who is able was logged on.")
    assert story([*staff("1001", yue=2), state(0, "1001", "NotReady", reason="lunch"), queued])[0].endswith(
        "All who are able take no calls: 1001 NotReady (lunch)."
    )


def test_of_a_hundred_agents_it_is_told_how_many_do_what():
    names = [f"{number}" for number in range(100)]
    states = [state(0, name, "Busy", f"c{name}") for name in names[:70]]
    states += [state(0, name, "WorkingAfterCall") for name in names[70:90]]
    states += [state(0, name, "NotReady", reason="lunch") for name in names[90:]]
    told = why([*staff(*names), *states, record(60, "CallQueued", "c1", queue="service", priority=0, skills=[])], "c1")
    assert told.lines[0].text.endswith(
        "Able and logged on: 100 agents, 70 Busy, 20 WorkingAfterCall, 10 NotReady (lunch)."
    )
    assert len(told.waits[0].able) == 100


def test_every_end_has_its_sentence():
    queued = record(0, "CallQueued", "c1", queue="service", priority=0, skills=["cmn"])
    ends = {
        "CallAbandoned": "the caller hung up after 5 min. No agent of this queue is able for it.",
        "CallLeft": "the caller left by a key after 5 min.",
        "CallEnded": "the call ended while it waited, after 5 min.",
        "EndWait": "given back to its flow by 'overflowed' after 5 min.",
        "MoveCall": "moved to queue sales by its overflow, the arrival kept. No agent of this queue is able for it.",
    }
    for type, sentence in ends.items():
        assert story([queued, record(300, type, "c1", queue="sales", exit="overflowed")])[-1] == sentence


def test_who_was_joined_to_an_agent_who_had_gone_did_not_leave_by_a_key():
    queued = record(0, "CallQueued", "c1", queue="service", priority=0, skills=[])
    told = why([queued, record(3, "CallLeft", "c1", reason="agent gone")], "c1", RULES)
    assert told.waits[0].end == "agent gone"
    assert told.lines[-1].text == "joined after 3 s to an agent who had gone; its flow goes on as after a talk."


def test_who_was_served_before_it_and_why():
    records = [
        *staff("1001", "1002"),
        record(0, "QueuesChanged", queues=["service", "gold"], rules=[asdict(QueueRule("gold", weight=5))]),
        record(0, "AgentChanged", agent="1001", queues=["service", "gold"], skills={}),
        state(0, "1001", "Busy", "c0"),
        record(5, "CallQueued", "c1", queue="service", priority=0, skills=[]),
        record(10, "CallQueued", "c2", queue="service", priority=0, skills=[]),
        record(20, "CallQueued", "c3", queue="service", priority=2, skills=[]),
        record(30, "CallQueued", "c4", queue="gold", priority=0, skills=[]),
    ]
    for second, call, queue in (
        (40, "c4", "gold"),
        (50, "c3", "service"),
        (60, "c1", "service"),
        (70, "c2", "service"),
    ):
        records += [
            state(second, "1001", "Reserved", call),
            record(second, "OfferCall", call, offer=f"0-{call}", queue=queue, agent="1001", ring_for=15_000),
            record(second + 1, "CallConnected", call, offer=f"0-{call}", queue=queue, agent="1001"),
        ]
    told = why(records, "c2")
    assert [line.text for line in told.lines] == [
        "queued in service with priority 0; 1 waits before it. Able and logged on: 1001 Busy with c0.",
        "meanwhile others were served before it: 1001 was rung for c4 of queue gold, which has weight 5 against 1; "
        "1001 was rung for c3, which has priority 2 against 0; 1001 was rung for c1, which came 5 s earlier.",
        "1001's phone rings: the only able agent who is free.",
        "connected with 1001 after 61 s.",
    ]
    (wait,) = told.waits
    assert [(each.agent, each.call) for each in wait.passed_by] == [("1001", "c4"), ("1001", "c3"), ("1001", "c1")]
    assert [(each.state, each.call) for each in wait.able["1001"]] == [
        ("Busy", "c0"),
        ("Reserved", "c4"),
        ("Reserved", "c3"),
        ("Reserved", "c1"),
        ("Reserved", "c2"),
    ]


def test_what_is_relaxed_is_told_when_its_time_has_come():
    rule = QueueRule("service", skills={"claims": "required"}, overflow=(Overflow(after=60_000, relax="claims"),))
    lines = why(
        [
            record(0, "QueuesChanged", queues=["service"], rules=[asdict(rule)]),
            record(0, "AgentChanged", agent="1001", queues=["service"], skills={"claims": 3}),
            record(0, "AgentChanged", agent="1002", queues=["service"], skills={}),
            state(0, "1001", "Busy", "c0"),
            state(0, "1002", "Ready"),
            record(10, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(70, "RelaxSkill", "c1", skill="claims"),
            state(70, "1002", "Reserved", "c1"),
            record(70, "OfferCall", "c1", offer="0-1", queue="service", agent="1002", ring_for=15_000),
        ],
        "c1",
    ).lines
    assert [(line.at[14:19], line.text) for line in lines] == [
        (
            "00:10",
            "queued in service with priority 0; nobody waits before it. Able and logged on: 1001 Busy with c0. "
            "Able when less is asked for: 1002 Ready.",
        ),
        (
            "01:10",
            "'claims' was no longer required after 60 s. Able and logged on: 1001 Busy with c0, 1002 Ready.",
        ),
        ("01:10", "1002's phone rings: the only able agent who is free."),
    ]


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("longest-idle", "longest-idle (Ready for 90 s); also free: 1002 (Ready for 60 s)"),
        ("fewest-calls", "fewest-calls (1 calls since log-on); also free: 1002 (0 calls since log-on)"),
        ("least-talk-time", "least-talk-time (talked 30 s since log-on); also free: 1002 (talked 0 s since log-on)"),
        ("best-skilled", "best-skilled (claims 3); also free: 1002 (claims 2)"),
        ("round-robin", "round-robin (rung last); also free: 1002"),
        ("top-down", "top-down; also free: 1002"),
    ],
)
def test_why_this_agent_of_all_who_were_free_in_the_figures_of_the_strategy(strategy, reason):
    rule = QueueRule("service", strategy, skills={"claims": "required"})
    records = [
        record(0, "QueuesChanged", queues=["service"], rules=[asdict(rule)]),
        record(0, "AgentChanged", agent="1001", queues=["service"], skills={"claims": 3}),
        record(0, "AgentChanged", agent="1002", queues=["service"], skills={"claims": 2}),
        state(0, "1001", "Ready"),
        record(0, "CallQueued", "c0", queue="service", priority=0, skills=[]),
        state(0, "1001", "Reserved", "c0"),
        record(0, "OfferCall", "c0", offer="0-1", queue="service", agent="1001", ring_for=15_000),
        state(0, "1001", "Busy", "c0"),
        record(0, "CallConnected", "c0", offer="0-1", queue="service", agent="1001"),
        state(30, "1001", "Ready"),
        state(60, "1002", "Ready"),
        record(120, "CallQueued", "c1", queue="service", priority=0, skills=[], last_agent="1001"),
        state(120, "1001", "Reserved", "c1"),
        record(120, "OfferCall", "c1", offer="0-2", queue="service", agent="1001", ring_for=15_000),
    ]
    (choice,) = why(records, "c1").waits[0].offers
    assert choice.why == f"service rings by {reason}"
    assert choice.others == ("1002",)


class Day:
    """The engine at work and the journal of it, as a simulation writes it."""

    def __init__(self, *rules: QueueRule) -> None:
        self.records: list[dict[str, object]] = []
        self.chronicle = Chronicle(lambda now, entry: self.records.append(record(now / 1000, *entry[:2], **entry[2])))
        self.acd = Acd(rules)
        self.chronicle.take(0, QueuesChanged(rules), ())

    def tell(self, event: Event, *, at: float) -> None:
        """What is due before comes before, each at its time."""
        while (due := self.acd.next_deadline()) is not None and due < at * 1000:
            self.chronicle.take(due, TimePassed(), self.acd.handle(TimePassed(), due))
        self.chronicle.take(round(at * 1000), event, self.acd.handle(event, round(at * 1000)))

    def agent(self, id: str, *queues: str, **skills: int) -> None:
        for event in (AgentChanged(Agent(id, queues=queues, skills=skills)), AgentLoggedOn(id), AgentBecameReady(id)):
            self.tell(event, at=0)

    def talk(self, offer: str, *, at: float) -> None:
        self.tell(OfferAnswered(offer), at=at)
        self.tell(CallConnected(offer), at=at)

    def why(self, call: str) -> list[str]:
        return [f"{line.at[14:19]} {line.text}" for line in why(self.records, call).lines]


class TestOfAStickyQueue:
    RULES = (QueueRule("service", "sticky", wrap_up=0), QueueRule("sales", wrap_up=0))

    def day(self) -> Day:
        """1001 talks to c0; c1 talked to 1001 before; 1002 is free."""
        day = Day(*self.RULES)
        day.agent("1001", "service")
        day.agent("1002", "service", "sales")
        day.tell(CallQueued("c0", "service", last_agent="1001"), at=1)
        day.talk("0-1", at=2)
        day.tell(CallQueued("c1", "service", last_agent="1001"), at=5)
        return day

    def test_a_call_waits_for_its_last_agent_beside_one_who_is_free_and_then_for_anybody(self):
        day = self.day()
        day.tell(TimePassed(), at=30)
        assert day.why("c1") == [
            "00:05 queued in service with priority 0; nobody waits before it. "
            "For 20 s only its last agent 1001 is rung. Able and logged on: 1001 Busy with c0, 1002 Ready.",
            "00:25 waits for anybody who is able, not only for its last agent: 20 s are over.",
            "00:25 1002's phone rings: the only able agent who is free.",
        ]

    def test_the_last_agent_gets_it_though_another_is_free_for_longer(self):
        day = self.day()
        day.tell(TalkEnded("0-1"), at=15)
        assert (
            day.why("c1")[-1] == "00:15 1001's phone rings: the caller's last agent; also free: 1002 (Ready for 15 s)."
        )

    def test_the_last_agent_goes_to_lunch_and_is_waited_for_no_more(self):
        day = self.day()
        day.tell(AgentBecameNotReady("1001", "lunch"), at=10)
        day.tell(TalkEnded("0-1"), at=15)
        assert day.why("c1")[-2:] == [
            "00:15 waits for anybody who is able, not only for its last agent: 1001 is NotReady (lunch).",
            "00:15 1002's phone rings: the only able agent who is free.",
        ]

    def test_the_last_agent_declines_and_anybody_is_rung(self):
        day = self.day()
        day.tell(TalkEnded("0-1"), at=15)
        day.tell(OfferDeclined("0-2", "declined"), at=16)
        assert day.why("c1")[-1] == "00:16 1002's phone rings: the only able agent who is free."

    def test_others_are_served_meanwhile_for_whom_nobody_is_kept(self):
        day = self.day()
        day.tell(CallQueued("c2", "sales"), at=10)
        day.tell(CallAbandoned("c1"), at=12)
        assert day.why("c1")[-3] == (
            "00:12 meanwhile others were served before it: 1002 was rung for c2 of queue sales, "
            "which came while this one waited for 1001 alone."
        )

    def test_who_takes_no_calls_is_not_waited_for_at_all(self):
        day = self.day()
        day.tell(AgentBecameNotReady("1001", "lunch"), at=10)
        day.tell(TalkEnded("0-1"), at=15)
        day.tell(CallQueued("c3", "service", last_agent="1001"), at=16)
        assert day.why("c3")[0].endswith(
            "1 waits before it. Able and logged on: 1001 NotReady (lunch), 1002 Reserved with c1."
        )


class TestOfSkillsThatAreRelaxed:
    def day(self, *overflow: Overflow) -> Day:
        day = Day(QueueRule("service", skills={"claims": "required"}, overflow=overflow))
        day.agent("1001", "service", claims=1)
        day.agent("1002", "service")
        return day

    def test_on_a_condition_they_are_told_when_it_was_met_and_not_before(self):
        day = self.day(Overflow(after=5_000, when="none-ready", relax="claims"))
        for agent in ("1001", "1002"):
            day.tell(AgentBecameNotReady(agent, "lunch"), at=1)
        day.tell(CallQueued("c1", "service"), at=2)
        day.tell(AgentBecameReady("1002"), at=30)
        assert day.why("c1")[1:] == [
            "00:07 'claims' was no longer required after 5 s (none-ready). All who are able take no calls: "
            "1001 NotReady (lunch), 1002 NotReady (lunch).",
            "00:30 1002's phone rings: the only able agent who is free.",
        ]

    def test_on_a_condition_that_is_never_met_they_stay_required(self):
        day = self.day(Overflow(after=5_000, when="none-ready", relax="claims"))
        day.tell(CallQueued("c0", "service"), at=1)
        day.talk("0-1", at=2)
        day.tell(CallQueued("c1", "service"), at=3)
        day.tell(CallAbandoned("c1"), at=60)
        assert day.why("c1")[1:-1] == [
            "01:00 the caller hung up after 57 s. Able and logged on: 1001 Busy with c0. "
            "Able when less is asked for: 1002 Ready.",
        ]

    def test_in_new_rules_they_are_required_again_until_these_relax_them(self):
        day = self.day(Overflow(after=5_000, relax="claims"))
        for agent in ("1001", "1002"):
            day.tell(AgentBecameNotReady(agent, "lunch"), at=1)
        day.tell(CallQueued("c1", "service"), at=2)
        day.tell(QueuesChanged((QueueRule("service", skills={"claims": "required"}),)), at=20)
        day.tell(AgentBecameReady("1002"), at=30)
        day.tell(CallAbandoned("c1"), at=40)
        assert day.why("c1")[-2].endswith("after 38 s. All who are able take no calls: 1001 NotReady (lunch).")


def test_the_wait_counts_from_the_arrival_that_the_process_before_noted():
    """The journal of that process is gone, its clock went on; then somebody set the time of day."""
    told = why(
        [
            record(0, "ApplianceStarted", boot="b", now=900_000, pid=1),
            record(3, "ClockChanged", by=-1_000),
            *staff("1001"),
            record(4, "CallQueued", "c1", queue="service", arrived=805_000, entered=855_000),
            record(20, "CallConnected", "c1", offer="0-1", queue="service", agent="1001"),
        ],
        "c1",
    )
    assert told.lines[-1].text == "connected with 1001 after 116 s."


def test_a_clock_that_is_set_lengthens_no_wait():
    told = why(
        [
            *staff("1001"),
            record(0, "CallQueued", "c1", queue="service"),
            record(10, "CallQueued", "c2", queue="service", priority=0, skills=[]),
            record(3_630, "ClockChanged", by=3_600_000),
            record(3_630, "AskToStay", "c2", prompt="offer"),
            record(3_640, "MoveCall", "c2", queue="sales"),
            record(3_645, "CallAbandoned", "c2"),
        ],
        "c2",
    )
    assert [line.text.partition(".")[0] for line in told.lines[1:]] == [
        "asked after 20 s whether to go on waiting",
        "moved to queue sales by its overflow, the arrival kept",
        "the caller hung up after 35 s",
    ]
    assert [wait.waited for wait in told.waits] == [30.0, 5.0]


def test_a_preferred_skill_comes_before_the_strategy():
    rule = QueueRule("service", skills={"gold": "preferred"})
    records = [
        record(0, "QueuesChanged", queues=["service"], rules=[asdict(rule)]),
        record(0, "AgentChanged", agent="1001", queues=["service"], skills={}),
        record(0, "AgentChanged", agent="1002", queues=["service"], skills={"gold": 4}),
        state(0, "1001", "Ready"),
        state(50, "1002", "Ready"),
        record(60, "CallQueued", "c1", queue="service", priority=0, skills=[]),
        state(60, "1002", "Reserved", "c1"),
        record(60, "OfferCall", "c1", offer="0-1", queue="service", agent="1002", ring_for=15_000),
    ]
    (choice,) = why(records, "c1").waits[0].offers
    assert choice.why == "the best in what is preferred (gold 4); also free: 1001 (gold 0)"


def test_a_lower_rank_comes_before_both():
    records = [
        record(0, "AgentChanged", agent="1001", queues=["service"], skills={}),
        record(0, "AgentChanged", agent="1002", queues=["service"], skills={}, ranks={"service": 2}),
        state(0, "1002", "Ready"),
        state(50, "1001", "Ready"),
        record(60, "CallQueued", "c1", queue="service", priority=0, skills=[]),
        state(60, "1001", "Reserved", "c1"),
        record(60, "OfferCall", "c1", offer="0-1", queue="service", agent="1001", ring_for=15_000),
    ]
    (choice,) = why(records, "c1").waits[0].offers
    assert choice.why == "the first rank in service (rank 1); also free: 1002 (rank 2)"


def test_a_talk_that_was_found_after_a_restart_and_what_came_of_it():
    told = why(
        [
            *staff("1001"),
            record(0, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(20, "TalkFound", "c1", offer="0-1", queue="service", agent="1001"),
            record(50, "TalkEnded", "c1", offer="0-1", queue="service", agent="1001", talked=30_000),
            record(55, "NoteResult", "c1", queue="service", agent="1001", result="solved"),
            record(60, "CallTransferred", "c1", to="2000"),
        ],
        "c1",
    )
    assert [line.text for line in told.lines[1:]] == [
        "found talking after the appliance was started anew: connected with 1001 after 20 s.",
        "the talk ended after 30 s.",
        "1001 said what came of it: solved.",
        "transferred to 2000.",
    ]
    assert (told.waits[0].end, told.agent) == ("answered", "1001")


def test_an_offer_that_is_taken_back_names_no_call_in_its_record():
    lines = story(
        [
            *staff("1001"),
            record(0, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(0, "OfferCall", "c1", offer="0-1", queue="service", agent="1001", ring_for=15_000),
            record(9, "WithdrawOffer", offer="0-1", agent="1001", reason="agent left"),
        ]
    )
    assert lines[-1] == "the offer to 1001 was taken back: agent left."


def test_a_call_that_waited_twice_and_was_told_again_after_a_restart():
    told = why(
        [
            *staff("1001"),
            record(0, "CallArrived", "c1", caller="13900000001", dialled="1000", flow="hotline", version=1),
            record(0, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(5, "CallReturned", "c1", caller="13900000001", dialled="1000", flow="hotline", version=1),
            record(6, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(20, "MoveCall", "c1", queue="sales"),
            record(30, "EndWait", "c1", queue="sales", exit="overflowed"),
            record(40, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(45, "CallAbandoned", "c1"),
            record(45, "CallEnded", "c1", cause="normal", outcome="caller left"),
        ],
        "c1",
        RULES,
    )
    assert [(wait.queue, wait.end, wait.waited) for wait in told.waits] == [
        ("service", "moved", 20.0),
        ("sales", "overflowed", 10.0),
        ("service", "abandoned", 5.0),
    ]
    words = [line.text for line in told.lines]
    assert words[0] == "dialled 1000; flow hotline answers."
    assert "taken over again after the appliance was started anew." in words
    assert "given back to its flow by 'overflowed' after 30 s." in words
    assert words[-2].startswith("the caller hung up after 5 s.")
    assert "13900000001" not in json.dumps(as_json(told))


def test_a_broken_connection_is_told_and_ends_no_wait():
    told = why(
        [
            *staff("1001"),
            record(0, "CallArrived", "c1", caller="13900000001", dialled="1000", flow="hotline", version=1),
            record(0, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(5, "CallerLost", "c1"),
            record(5, "CallDetached", "c1"),
            record(7, "CallReturned", "c1", caller="13900000001", dialled="1000", flow="hotline", version=1),
            record(7, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            record(9, "CallAbandoned", "c1"),
        ],
        "c1",
        RULES,
    )
    assert [(wait.end, wait.waited) for wait in told.waits] == [("abandoned", 9.0)]
    words = [line.text for line in told.lines]
    assert "the connection to the switch broke." in words
    assert "found again on the switch." in words


def test_a_call_that_is_lost_with_the_switch_waits_no_more():
    lost = [record(5, "CallerLost", "c1"), record(5, "CallDetached", "c1")]
    told = why(
        [
            *staff("1001"),
            record(0, "CallQueued", "c1", queue="service", priority=0, skills=[]),
            *lost,
            record(0, "CallQueued", "c2", queue="service", priority=0, skills=[]),
            record(35, "CallEnded", "c1", cause="switch lost", outcome="switch lost"),
        ],
        "c1",
        RULES,
    )
    assert [(wait.end, wait.waited) for wait in told.waits] == [("abandoned", 35.0)]
    assert told.lines[-1].text == "the call ended while it waited, after 35 s: switch lost."


def test_a_talk_that_ends_before_the_word_of_its_beginning_was_a_talk():
    day = Day(QueueRule("service"))
    day.agent("1001", "service")
    day.tell(CallQueued("c1", "service"), at=1)
    day.tell(OfferAnswered("0-1"), at=3)
    day.tell(TalkEnded("0-1"), at=3)
    day.tell(CallQueued("c2", "service"), at=4)
    assert day.why("c1")[-2:] == [
        "00:03 connected with 1001 after 2 s. The talk ended at once.",
        "00:03 the call ended: flow ended.",
    ]
    told = why(day.records, "c1")
    assert (as_json(told)["outcome"], told.agent) == ("answered", "1001")
    assert why(day.records, "c2").waits[0].ahead == 0


def test_what_outsiders_read_is_plain_and_complete():
    records = [
        *staff("1001"),
        state(0, "1001", "Ready"),
        record(0, "CallQueued", "c1", queue="service", priority=1, skills=["claims"]),
    ]
    waiting = json.loads(json.dumps(as_json(why(records, "c1", RULES))))
    assert (waiting["queue"], waiting["agent"], waiting["outcome"], waiting["waited"]) == (
        "service",
        None,
        "waiting",
        0,
    )
    (wait,) = waiting["waits"]
    assert {"queue", "since", "until", "waited", "end", "priority", "skills", "ahead", "agent"} <= wait.keys()
    assert wait["able"] == {"1001": [{"since": at(0), "state": "Ready", "reason": "", "call": "", "until": ""}]}
    unknown = as_json(why(records, "c9"))
    assert (unknown["waits"], unknown["story"], unknown["outcome"]) == ([], [], None)


def test_records_that_lack_what_they_should_have_are_passed_over():
    broken = [record(0, "OfferCall", "c1"), record(0, "AgentChanged"), record(1, "CallQueued", "c1"), {"type": "Else"}]
    queued = record(2, "CallQueued", "c1", queue="service", priority=0, skills=[])
    assert len(story([*broken, queued])) == 1


def test_a_call_that_nobody_knows_has_no_story():
    assert story([record(0, "CallQueued", "c2", queue="service")]) == []
