"""The story of a call, told from records as the shell writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from acd.model import Overflow, QueueRule
from acd.why import why

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RULES = {"service": QueueRule("service", overflow=(Overflow(after=90_000, relax="claims"),))}


def record(second: float, type: str, call: str = "", **facts: object) -> dict[str, object]:
    return {
        "at": (START + timedelta(seconds=second)).isoformat(timespec="milliseconds"),
        "type": type,
        "call": call,
        **facts,
    }


def state(second: float, agent: str, name: str, call: str = "", reason: str = "") -> dict[str, object]:
    return record(second, "AgentStateChanged", call, agent=agent, state=name, reason=reason)


def staff(*agents: str, **skills: int) -> list[dict[str, object]]:
    return [record(0, "AgentChanged", agent=agent, queues=["service"], skills=skills) for agent in agents]


def story(records: list[dict[str, object]], call: str = "c1") -> list[str]:
    return [line.text for line in why(records, call, RULES)]


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
        "queued in service with priority 2; 1 waited there. Able and logged on: 1001 Busy with c0, "
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
    assert lines[1] == "1001's phone rings. Also free: 1002 (Ready for 30 s); service rings by longest-idle."


def test_nobody_able_nobody_there_nobody_ready():
    queued = record(60, "CallQueued", "c1", queue="service", priority=0, skills=["yue"])
    assert story([*staff("1001"), queued])[0].endswith("No agent of this queue is able for it.")
    assert story([*staff("1001", yue=2), queued])[0].endswith("Nobody who is able was logged on.")
    assert story([*staff("1001", yue=2), state(0, "1001", "NotReady", reason="lunch"), queued])[0].endswith(
        "All who are able take no calls: 1001 NotReady (lunch)."
    )


def test_every_end_has_its_sentence():
    queued = record(0, "CallQueued", "c1", queue="service", priority=0, skills=["cmn"])
    ends = {
        "CallAbandoned": "the caller hung up after 5 min. No agent of this queue is able for it.",
        "CallLeft": "the caller left by a key after 5 min.",
        "EndWait": "given back to its flow by 'overflowed' after 5 min.",
        "MoveCall": "moved to queue sales by its overflow, the arrival kept. No agent of this queue is able for it.",
    }
    for type, sentence in ends.items():
        assert story([queued, record(300, type, "c1", queue="sales", exit="overflowed")])[-1] == sentence


def test_a_call_that_nobody_knows_has_no_story():
    assert story([record(0, "CallQueued", "c2", queue="service")]) == []
