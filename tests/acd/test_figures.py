"""Figures: the four service levels, and every fold against a slow and obvious computation."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd import records as words
from acd.engine import Acd
from acd.figures import QUARTER, AgentFigures, Figures, Formula, QueueFigures, fold
from acd.model import (
    Agent,
    AgentBecameNotReady,
    AgentBecameReady,
    AgentChanged,
    AgentLoggedOff,
    AgentLoggedOn,
    CallAbandoned,
    CallConnected,
    CallLeft,
    CallQueued,
    OfferAnswered,
    OfferDeclined,
    OfferNotAnswered,
    Overflow,
    QueueRule,
    QueuesChanged,
    ShowAgentState,
    TalkEnded,
    TimePassed,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def record(seconds: float, type: str, call: str = "", **facts: object) -> dict[str, object]:
    return {"at": at(seconds), "type": type, "call": call, **facts}


class TestServiceLevel:
    """1,000 answered, 860 of them within 20 s; 60 abandoned, 20 of them within 20 s."""

    FIGURES = QueueFigures(offered=1060, answered=1000, answered_in_time=860, abandoned=60, abandoned_in_time=20)

    @pytest.mark.parametrize(
        ("formula", "percent"),
        [
            (Formula.WITHOUT_EARLY, 83),
            (Formula.ANSWERED, 86),
            (Formula.OFFERED, 81),
            (Formula.EARLY_AS_SERVED, 83),
        ],
    )
    def test_depends_on_the_formula(self, formula: Formula, percent: int):
        assert round(self.FIGURES.service_level(formula) * 100) == percent

    @pytest.mark.parametrize("formula", Formula)
    def test_of_nothing_is_nothing(self, formula: Formula):
        assert QueueFigures().service_level(formula) is None

    def test_of_early_abandons_only(self):
        figures = QueueFigures(offered=2, abandoned=2, abandoned_in_time=2)
        assert [figures.service_level(formula) for formula in Formula] == [0, None, None, 1]


def test_one_call_and_its_agent():
    figures = fold(
        [
            record(0, "AgentStateChanged", agent="1001", state="NotReady", reason="logged on"),
            record(10, "AgentStateChanged", agent="1001", state="Ready"),
            record(60, "CallQueued", "c1", queue="service"),
            record(60, "AgentStateChanged", "c1", agent="1001", state="Reserved"),
            record(66, "CallConnected", "c1", queue="service", agent="1001", offer="0-1"),
            record(66, "AgentStateChanged", "c1", agent="1001", state="Busy"),
            record(246, "TalkEnded", "c1", queue="service", agent="1001", offer="0-1"),
            record(246, "AgentStateChanged", agent="1001", state="WorkingAfterCall"),
            record(266, "AgentStateChanged", agent="1001", state="Ready"),
        ]
    )
    figures.until(START + timedelta(seconds=300))
    queue = figures.queue("service", START, START + timedelta(hours=1))
    agent = figures.agent("1001", START, START + timedelta(hours=1))
    assert (queue.offered, queue.answered, queue.answered_in_time) == (1, 1, 1)
    assert (queue.speed_of_answer(), queue.handling_time(), queue.longest_wait) == (6.0, 200.0, 6_000)
    assert (agent.not_ready, agent.ready, agent.reserved, agent.busy, agent.wrapped_up) == (
        10_000,
        50_000 + 34_000,
        6_000,
        180_000,
        20_000,
    )
    assert agent.occupancy() == pytest.approx(206 / 290)


def test_a_target_of_its_own():
    records = [record(0, "CallQueued", "c1", queue="q"), record(25, "CallConnected", "c1", queue="q", agent="a")]
    hour = (START, START + timedelta(hours=1))
    assert fold(records).queue("q", *hour).service_level() == 0
    assert fold(records, {"q": 30_000}).queue("q", *hour).service_level() == 1


def test_short_abandons_stand_apart():
    records = []
    for number, waited in enumerate((2, 4.999, 5, 20, 21)):
        records += [record(0, "CallQueued", f"c{number}", queue="q"), record(waited, "CallAbandoned", f"c{number}")]
    figures = fold(sorted(records, key=lambda each: each["at"])).queue("q", START, START + timedelta(hours=1))
    assert (figures.abandoned, figures.abandoned_short, figures.abandoned_in_time) == (5, 2, 4)


def test_a_call_counts_where_it_entered_an_agents_time_where_it_was_spent():
    figures = fold(
        [
            record(0, "AgentStateChanged", agent="a", state="Ready"),
            record(890, "CallQueued", "c1", queue="q"),
            record(910, "CallAbandoned", "c1"),
            record(1900, "AgentStateChanged", agent="a", state="LoggedOff"),
        ]
    )
    quarters = [START + timedelta(minutes=15 * n) for n in range(4)]
    assert [figures.queue("q", *span).abandoned for span in pairwise(quarters)] == [1, 0, 0]
    assert [figures.agent("a", *span).ready for span in pairwise(quarters)] == [900_000, 900_000, 100_000]


def test_who_waited_when_the_connection_broke_and_did_not_come_back_has_abandoned():
    waits = [record(0, "CallQueued", "c1", queue="q"), record(0, "CallQueued", "c2", queue="q")]
    breaks = [record(9, type, call) for call in ("c1", "c2") for type in ("CallerLost", "CallDetached")]
    back = [record(12, "CallQueued", "c2", queue="q"), record(30, "CallConnected", "c2", queue="q", agent="a")]
    figures = fold([*waits, *breaks, *back, record(40, "CallEnded", "c1")])
    queue = figures.queue("q", START, START + timedelta(hours=1))
    assert (queue.offered, queue.answered, queue.abandoned, queue.longest_wait) == (2, 1, 1, 40_000)


def test_means_and_shares_are_of_those_that_they_name():
    calls = QueueFigures(
        answered=3, abandoned=1, left=2, overflowed=4, waited=50_000, talks=2, talked=60_000, wrapped_up=20_000
    )
    assert calls.mean_wait() == 5
    assert calls.share_abandoned() == 0.25
    assert (calls.talk_time(), calls.wrap_up_time(), calls.handling_time()) == (30, 10, 40)
    assert QueueFigures(answered=1, abandoned=1).share_abandoned() == 0.5
    assert (QueueFigures().mean_wait(), QueueFigures().share_abandoned(), QueueFigures().wrap_up_time()) == (None,) * 3
    agent = AgentFigures(not_ready=1, ready=20, reserved=3, busy=12, wrapped_up=5)
    assert (agent.occupancy(), agent.logged_on()) == (0.5, 41)
    assert AgentFigures(talks=2, talked=60_000, wrapped_up=20_000).handling_time() == 40
    assert AgentFigures(not_ready=9).occupancy() is None


def test_time_goes_on_after_it_was_counted_up_to_now():
    figures = fold([record(0, "AgentStateChanged", agent="a", state="NotReady")])
    for minute in (1, 3):
        figures.until(START + timedelta(minutes=minute))
    found = figures.agent("a", START, START + timedelta(hours=1))
    assert (found.not_ready, found.reasons) == (180_000, {"": 180_000})


def test_what_a_call_did_that_is_not_known_counts_where_it_was_done():
    records = [record(0, "OfferDeclined", "c1", agent="a"), record(1, "MoveCall", "c2", queue="q")]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    assert (figures.agent("a", *hour).declined, figures.queue("q", *hour).offered) == (1, 1)


def test_words_about_calls_that_nobody_knows_count_nothing():
    figures = fold([record(0, "CallAbandoned", "c1"), record(0, "TalkEnded", "c1", agent="a"), record(0, "Else", "c1")])
    assert (figures.queues, figures.agents) == ({}, {})


def test_a_talk_that_was_found_after_a_restart_was_answered():
    records = [
        record(0, "CallQueued", "c1", queue="q"),
        record(9, "TalkFound", "c1", offer="0-1", queue="q", agent="a"),
        record(99, "TalkEnded", "c1", offer="0-1", queue="q", agent="a"),
    ]
    figures = fold(records).queue("q", START, START + timedelta(hours=1))
    assert (figures.answered, figures.speed_of_answer(), figures.talk_time()) == (1, 9, 90)


def test_a_transfer_counts_for_the_talk_before_it_once():
    records = [
        record(0, "CallTransferred", "c0", to="2000"),  # straight from a menu
        record(0, "CallQueued", "c1", queue="q"),
        record(5, "CallConnected", "c1", queue="q", agent="a"),
        record(60, "TalkEnded", "c1", queue="q", agent="a"),
        record(61, "CallTransferred", "c1", to="2000"),
        record(62, "CallTransferred", "c1", to="2001"),
        record(65, "CallEnded", "c1"),
    ]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    assert (figures.queue("q", *hour).transfers, figures.agent("a", *hour).transfers) == (1, 1)


def test_what_came_of_a_talk_is_the_last_word_of_it():
    records = [
        record(0, "CallQueued", "c1", queue="q", skills=["claims"]),
        record(5, "CallConnected", "c1", queue="q", agent="a"),
        record(50, "NoteResult", "c1", queue="q", agent="a", result="open"),
        record(60, "TalkEnded", "c1", queue="q", agent="a"),
        record(70, "NoteResult", "c1", queue="q", agent="a", result="solved"),
        record(80, "NoteResult", "c9", queue="q", agent="a", result="solved"),
    ]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    assert figures.queue("q", *hour).results == {"solved": 1}
    assert figures.skill("claims", *hour).results == {"solved": 1}


def test_time_as_not_ready_by_its_reason():
    figures = fold(
        [
            record(0, "AgentStateChanged", agent="a", state="NotReady", reason="lunch"),
            record(800, "AgentStateChanged", agent="a", state="NotReady", reason="meeting"),
            record(1000, "AgentStateChanged", agent="a", state="Ready", reason=""),
        ]
    )
    quarters = [START + timedelta(minutes=15 * n) for n in range(3)]
    assert [figures.agent("a", *span).reasons for span in pairwise(quarters)] == [
        {"lunch": 800_000, "meeting": 100_000},
        {"meeting": 100_000},
    ]
    assert figures.agent("a", quarters[0], quarters[2]).reasons == {"lunch": 800_000, "meeting": 200_000}


def test_a_call_that_is_told_again_after_a_restart_is_offered_once():
    figures = fold([record(0, "CallQueued", "c1", queue="q"), record(5, "CallQueued", "c1", queue="q")])
    assert figures.queue("q", START, START + timedelta(hours=1)).offered == 1


# --- against the slow and obvious way ----------------------------------------------------------------

WORDS = [
    "call",
    "call",
    "call",
    "pass-on",
    "answer",
    "answer",
    "answer",
    "end",
    "end",
    "go",
    "leave",
    "decline",
    "ring-out",
    "pause",
    "off",
    "on",
]
STATES = {
    "NotReady": "not_ready",
    "Ready": "ready",
    "Reserved": "reserved",
    "Busy": "busy",
    "WorkingAfterCall": "wrapped_up",
}
steps = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 3), st.integers(0, 60_000)), min_size=15, max_size=80)


RULES = (
    QueueRule("service", overflow=(Overflow(after=200_000, to_queue="experts"),), no_answer_limit=0),
    QueueRule(
        "experts",
        overflow=(Overflow(after=300_000, exit="overflowed"),),
        wrap_up=5_000,
        skills={"expert": "preferred"},
        service_level=(90, 30_000),
    ),
)
TARGETS = {"service": 20, "experts": 30}


def journal(script: list[tuple[str, int, int]]) -> list[dict[str, object]]:
    """What the shell would write of such a day: the engine's own decisions, with calls and agents named."""
    acd = Acd(RULES)
    records: list[dict[str, object]] = []
    live: dict[str, tuple[str, str]] = {}
    now = calls = 0

    def tell(event, call="", **facts) -> None:
        decisions = acd.handle(event, now)
        if facts or call:
            records.append(record(now / 1000, type(event).__name__, call, **facts))
        for decision in decisions:
            name = "AgentStateChanged" if isinstance(decision, ShowAgentState) else type(decision).__name__
            plain = {key: value for key, value in asdict(decision).items() if key != "call"}
            records.append(record(now / 1000, name, getattr(decision, "call", ""), **plain))
            if name == "OfferCall":
                live[decision.offer] = (decision.call, decision.agent)
            elif name == "WithdrawOffer":
                live.pop(decision.offer, None)

    def pass_time(by: int) -> None:
        nonlocal now
        end = now + by
        while (due := acd.next_deadline()) is not None and due <= end:
            now = max(now, due)
            tell(TimePassed())
        now = end

    records.append(record(0, *words.entry(QueuesChanged(RULES))[:2], **words.entry(QueuesChanged(RULES))[2]))
    for number in range(3):
        queues = ("service", "experts") if number else ("service",)
        tell(AgentChanged(Agent(f"a{number}", queues=queues, skills={"claims": 1} if number == 1 else {})))
        tell(AgentLoggedOn(f"a{number}"))
        tell(AgentBecameReady(f"a{number}"))
    for what, which, pause in script:
        pass_time(pause)
        agent = f"a{which}"
        offer = sorted(live)[which % len(live)] if live else ""
        of = {"offer": offer, "call": live[offer][0], "agent": live[offer][1]} if offer else {}
        waiting = [call for queue in acd.queues() for call in queue.waiting]
        match what:
            case "call":
                calls += 1
                asked = ("claims 1",) if which == 1 else ()
                tell(CallQueued(f"c{calls}", "service", skills=asked), f"c{calls}", queue="service", skills=asked)
            case "answer" if offer:
                tell(OfferAnswered(offer))
                if acd.place(of["call"]):
                    tell(CallConnected(offer), **of)
            case "end" if offer and not acd.place(of["call"]):
                live.pop(offer)
                tell(TalkEnded(offer), **of)
            case "pass-on" if offer and not acd.place(of["call"]):
                live.pop(offer)
                tell(TalkEnded(offer), **of)
                tell(CallQueued(of["call"], "experts"), of["call"], queue="experts", skills=())
            case "decline" if offer and acd.place(of["call"]):
                live.pop(offer)
                tell(OfferDeclined(offer, "busy"), **of)
            case "ring-out" if offer and acd.place(of["call"]):
                live.pop(offer)
                tell(OfferNotAnswered(offer), **of)
            case "go" if waiting:
                tell(CallAbandoned(waiting[0]), waiting[0])
            case "leave" if waiting:
                tell(CallLeft(waiting[-1]), waiting[-1])
            case "pause":
                tell(AgentBecameNotReady(agent, "lunch"))
            case "off":
                tell(AgentLoggedOff(agent))
            case "on":
                tell(AgentLoggedOn(agent))
                tell(AgentBecameReady(agent))
    return records


def seconds(text: object) -> float:
    return (datetime.fromisoformat(str(text)) - START).total_seconds()


def visits(records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every stay of a call in a queue, found by looking through the whole journal for each."""
    found = []
    for place, entry in enumerate(records):
        if entry["type"] not in ("CallQueued", "MoveCall"):
            continue
        visit = {"queue": entry["queue"], "entered": seconds(entry["at"]), "end": "", "waited": None, "talked": None}
        visit |= {"refused": [], "agent": "", "skills": skills_of(entry, records[:place]), "passed_on": False}
        for later in records[place + 1 :]:
            if later["call"] != entry["call"]:
                continue
            waited = seconds(later["at"]) - visit["entered"]
            if later["type"] in ("OfferNotAnswered", "OfferDeclined"):
                visit["refused"].append(later["type"])
            elif later["type"] in ("CallConnected", "CallAbandoned", "CallLeft", "MoveCall", "EndWait"):
                visit |= {"end": later["type"], "waited": waited, "agent": later.get("agent", "")}
                if later["type"] != "CallConnected":
                    break
            elif later["type"] == "TalkEnded":
                visit["talked"] = waited - visit["waited"]
                visit["ended"] = seconds(later["at"])
            elif visit["talked"] is not None:
                visit["passed_on"] = later["type"] == "CallQueued"
                break
        found.append(visit)
    return found


def skills_of(entry: dict[str, object], before: list[dict[str, object]]) -> set[str]:
    """What a call asks for in a queue: by itself, also where it came from, and by the queue."""
    entries = [each for each in before if each["type"] == "CallQueued" and each["call"] == entry["call"]]
    asked = entry["skills"] if entry["type"] == "CallQueued" else entries[-1]["skills"]
    return {text.split()[0] for text in asked} | ({"expert"} if entry["queue"] == "experts" else set())


def spans_of(agent: str, records: list[dict[str, object]], end: float) -> list[tuple[str, float, float]]:
    """An agent's states, each from its beginning to the next word."""
    mine = [entry for entry in records if entry["type"] == "AgentStateChanged" and entry["agent"] == agent]
    changes = [(seconds(entry["at"]), str(entry["state"])) for entry in mine]
    return [(name, since, until) for (since, name), (until, _) in pairwise([*changes, (end, "")])]


def wrap_up_after(visit: dict[str, object], records: list[dict[str, object]], end: float) -> float:
    """How long the agent worked after this talk, up to the end of the journal's finished states."""
    if visit["talked"] is None:
        return 0.0
    over = visit["entered"] + visit["waited"] + visit["talked"]
    spans = spans_of(visit["agent"], records, end)
    return sum(
        until - since for name, since, until in spans if name == "WorkingAfterCall" and abs(since - over) < 0.0005
    )


@settings(max_examples=60, deadline=None)
@given(steps)
def test_queues_are_what_a_slow_and_obvious_computation_says(script):
    records = journal(script)
    end = max((seconds(entry["at"]) for entry in records), default=0.0)
    figures, stays = fold(records), visits(records)
    figures.until(START + timedelta(seconds=end))
    scopes = [(start, name, q, lambda v, name=name: v["queue"] == name) for (start, name), q in figures.queues.items()]
    scopes += [
        (start, name, q, lambda v, name=name: name in v["skills"]) for (start, name), q in figures.skills.items()
    ]
    for start, _, quarter, belongs in scopes:
        begin = start / 1000 - START.timestamp()
        mine = [v for v in stays if belongs(v) and begin <= v["entered"] < begin + QUARTER / 1000]
        over = [v for v in mine if v["end"]]
        ends = [v["end"] for v in mine]
        answered = [v for v in mine if v["end"] == "CallConnected"]
        gone = [v for v in mine if v["end"] == "CallAbandoned"]
        assert quarter.offered == len(mine)
        assert quarter.answered == len(answered)
        assert quarter.answered_in_time == len([v for v in answered if v["waited"] <= TARGETS[v["queue"]]])
        assert quarter.abandoned == len(gone)
        assert quarter.abandoned_in_time == len([v for v in gone if v["waited"] <= TARGETS[v["queue"]]])
        assert quarter.abandoned_short == len([v for v in gone if v["waited"] < 5])
        assert quarter.left == ends.count("CallLeft")
        assert quarter.overflowed == ends.count("MoveCall") + ends.count("EndWait")
        assert quarter.waited == round(sum(v["waited"] for v in over) * 1000)
        assert quarter.waited_answered == round(sum(v["waited"] for v in answered) * 1000)
        assert quarter.longest_wait == round(max((v["waited"] for v in over), default=0) * 1000)
        talks = [v["talked"] for v in mine if v["talked"] is not None]
        assert (quarter.talks, quarter.talked) == (len(talks), round(sum(talks) * 1000))
        assert quarter.transfers == len([v for v in mine if v["passed_on"]])
        assert quarter.wrapped_up == round(sum(wrap_up_after(v, records, end) for v in mine) * 1000)
        assert quarter.ring_no_answer == sum(v["refused"].count("OfferNotAnswered") for v in mine)
        assert quarter.declined == sum(v["refused"].count("OfferDeclined") for v in mine)
    assert sum(each.offered for each in figures.queues.values()) == len(stays)
    assert sum(each.offered for each in figures.skills.values()) == sum(len(v["skills"]) for v in stays)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_agents_are_what_a_slow_and_obvious_computation_says(script):
    records = journal(script)
    end = max((seconds(entry["at"]) for entry in records), default=0.0)
    figures, stays = fold(records), visits(records)
    figures.until(START + timedelta(seconds=end))
    for agent in ("a0", "a1", "a2"):
        spans = spans_of(agent, records, end)
        total = AgentFigures()
        for (start, of), quarter in figures.agents.items():
            if of != agent:
                continue
            begin = start / 1000 - START.timestamp()
            for state, name in STATES.items():
                inside = [min(until, begin + 900) - max(since, begin) for what, since, until in spans if what == state]
                assert getattr(quarter, name) == round(sum(max(0, each) for each in inside) * 1000)
            assert sum(quarter.reasons.values()) == quarter.not_ready
            ended = [v for v in stays if v["agent"] == agent and v["talked"] is not None]
            mine = [v for v in ended if begin <= v["ended"] < begin + QUARTER / 1000]
            assert (quarter.talks, quarter.talked) == (len(mine), round(sum(v["talked"] for v in mine) * 1000))
            total.add(quarter)
        assert total.transfers == len([v for v in stays if v["agent"] == agent and v["passed_on"]])
        assert total.calls == len([e for e in records if e["type"] == "CallConnected" and e["agent"] == agent])
        everything = sum(until - since for what, since, until in spans if what in STATES)
        assert sum(getattr(total, name) for name in STATES.values()) == round(everything * 1000)


def test_intervals_add_up_and_the_longest_wait_is_the_longest():
    one, other = QueueFigures(offered=2, longest_wait=5_000), QueueFigures(offered=3, longest_wait=9_000)
    one.add(other)
    assert (one.offered, one.longest_wait) == (5, 9_000)
    assert {each.name for each in fields(QueueFigures)} >= {"offered", "answered", "abandoned"}
    assert Figures().queue("q", START, START) == QueueFigures()
