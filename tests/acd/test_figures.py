"""Figures: the four service levels, and every fold against a slow and obvious computation."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

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
    ResultGiven,
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


@pytest.mark.parametrize("meanwhile", [("CallQueued", {"queue": "other", "skills": []}), ("CallEnded", {})])
def test_a_result_belongs_to_the_talk_wherever_its_caller_is_by_then(meanwhile):
    type, facts = meanwhile
    records = [
        record(0, "CallQueued", "c1", queue="q", skills=["claims"]),
        record(5, "CallConnected", "c1", queue="q", agent="a"),
        record(5, "AgentStateChanged", "c1", agent="a", state="Busy"),
        record(60, "TalkEnded", "c1", queue="q", agent="a"),
        record(60, "AgentStateChanged", agent="a", state="WorkingAfterCall"),
        record(61, type, "c1", **facts),
        record(65, "NoteResult", "c1", queue="q", agent="a", result="sold"),
        record(80, "AgentStateChanged", agent="a", state="Ready"),
    ]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    assert figures.queue("q", *hour).results == figures.skill("claims", *hour).results == {"sold": 1}
    assert figures.queue("other", *hour).results == {}


def test_a_talk_whose_end_is_told_before_its_beginning_was_a_talk_of_no_length():
    records = [
        record(0, "CallQueued", "c1", queue="q"),
        record(0, "OfferCall", "c1", offer="0-1", queue="q", agent="a", ring_for=15_000),
        record(4, "OfferAnswered", "c1", offer="0-1", queue="q", agent="a"),
        record(5, "TalkEnded", "c1", offer="0-1", queue="q", agent="a"),
        record(5, "AgentStateChanged", "c1", agent="a", state="Busy"),
        record(5, "AgentStateChanged", agent="a", state="WorkingAfterCall"),
        record(6, "CallEnded", "c1"),
        record(25, "AgentStateChanged", agent="a", state="Ready"),
    ]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    queue, agent = figures.queue("q", *hour), figures.agent("a", *hour)
    assert (queue.answered, queue.abandoned, queue.speed_of_answer(), queue.talks, queue.talked) == (1, 0, 5, 1, 0)
    assert (agent.calls, agent.talks, queue.wrapped_up, agent.wrapped_up) == (1, 1, 20_000, 20_000)


def test_the_late_end_of_a_talk_does_not_answer_who_waits_again():
    records = [
        record(0, "CallQueued", "c1", queue="q"),
        record(0, "OfferCall", "c1", offer="0-1", queue="q", agent="a", ring_for=15_000),
        record(5, "CallConnected", "c1", offer="0-1", queue="q", agent="a"),
        record(60, "CallQueued", "c1", queue="other"),
        record(60, "TalkEnded", "c1", offer="0-1", queue="q", agent="a"),
    ]
    assert fold(records).queue("other", START, START + timedelta(hours=1)).answered == 0


def test_who_was_joined_to_an_agent_who_had_gone_did_not_leave_by_a_key():
    figures = fold([record(0, "CallQueued", "c1", queue="q"), record(9, "CallLeft", "c1", reason="agent gone")])
    queue = figures.queue("q", START, START + timedelta(hours=1))
    assert (queue.left, queue.overflowed, queue.waited) == (0, 1, 9_000)


def test_a_clock_that_is_set_lengthens_nothing_and_intervals_go_by_the_time_of_day():
    records = [
        record(0, "AgentStateChanged", agent="a", state="Ready"),
        record(600, "CallQueued", "c1", queue="q"),
        record(600, "CallQueued", "c2", queue="q"),
        record(3600 + 630, "ClockChanged", by=3_600_000),
        record(3600 + 630, "CallConnected", "c1", queue="q", agent="a"),
        record(3600 + 630, "AgentStateChanged", agent="a", state="Busy"),
        record(635, "ClockChanged", by=-3_600_000),
        record(640, "TalkEnded", "c1", queue="q", agent="a"),
        record(640, "AgentStateChanged", agent="a", state="WorkingAfterCall"),
        record(3600 + 650, "ClockChanged", by=3_600_000),
        record(3600 + 660, "AgentStateChanged", agent="a", state="Ready"),
        record(3600 + 660, "CallAbandoned", "c2"),
    ]
    figures, first, other = fold(records), START, START + timedelta(hours=1)
    queue = figures.queue("q", first, first + timedelta(minutes=15))
    assert (queue.answered, queue.speed_of_answer(), queue.longest_wait) == (1, 30, 60_000)
    assert (queue.talked, queue.wrapped_up) == (10_000, 20_000)
    before = figures.agent("a", first, first + timedelta(minutes=15))
    after = figures.agent("a", other, other + timedelta(minutes=15))
    assert (before.ready, before.busy, before.wrapped_up) == (630_000, 5_000, 10_000)
    assert (after.ready, after.busy, after.wrapped_up) == (0, 5_000, 10_000)


def test_an_offer_that_its_deadline_finds_unanswered_has_rung_out_once():
    rings = [record(1, "OfferCall", "c1", offer=f"0-{n}", queue="q", agent="a", ring_for=15_000) for n in (1, 2, 3)]
    records = [
        record(0, "CallQueued", "c1", queue="q", skills=["claims"]),
        *rings,
        record(31, "WithdrawOffer", offer="0-1", agent="a", reason="no answer"),
        record(32, "OfferNotAnswered", "c1", offer="0-2", queue="q", agent="a"),
        record(33, "WithdrawOffer", offer="0-2", agent="a", reason="no answer"),
        record(34, "WithdrawOffer", offer="0-3", agent="a", reason="caller gone"),
    ]
    figures, hour = fold(records), (START, START + timedelta(hours=1))
    counted = (figures.queue("q", *hour), figures.skill("claims", *hour), figures.agent("a", *hour))
    assert [each.ring_no_answer for each in counted] == [2, 2, 2]


def test_who_answered_and_was_not_joined_in_time_did_not_let_it_ring():
    records = [
        record(0, "CallQueued", "c1", queue="q"),
        record(0, "OfferCall", "c1", offer="0-1", queue="q", agent="a", ring_for=15_000),
        record(5, "OfferAnswered", "c1", offer="0-1", queue="q", agent="a"),
        record(15, "WithdrawOffer", offer="0-1", agent="a", reason="no answer"),
    ]
    assert fold(records).queue("q", START, START + timedelta(hours=1)).ring_no_answer == 0


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
    "pick-up",
    "cross",
    "end",
    "end",
    "hang-up",
    "go",
    "leave",
    "decline",
    "result",
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
clocks = st.dictionaries(st.integers(0, 500), st.integers(-4_000_000, 4_000_000), max_size=2)


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
            case "pick-up" if offer and acd.place(of["call"]):
                tell(OfferAnswered(offer), **of)
            case "cross" if offer and acd.place(of["call"]):
                tell(OfferAnswered(offer), **of)
                live.pop(offer)
                tell(TalkEnded(offer), **of)
            case "answer" if offer:
                tell(OfferAnswered(offer), **of)
                if acd.place(of["call"]):
                    tell(CallConnected(offer), **of)
            case "end" if offer and not acd.place(of["call"]):
                live.pop(offer)
                tell(TalkEnded(offer), **of)
                records.append(record(now / 1000, "CallEnded", of["call"]))
            case "hang-up" if offer and not acd.place(of["call"]):
                live.pop(offer)
                records.append(record(now / 1000, "CallEnded", of["call"]))
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
            case "result":
                tell(ResultGiven(agent, ("solved", "open")[pause % 2]))
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


def with_the_clock_set(records: list[dict[str, object]], settings: dict[int, int]) -> list[dict[str, object]]:
    """The same day where somebody set the time of day before some records; `true` is what it was without that."""
    moved, found = 0, []
    by_place = {place % len(records): by for place, by in settings.items()}
    for place, entry in enumerate(records):
        true = round(seconds(entry["at"]) * 1000)
        moved += by_place.get(place, 0)
        time = {"at": (START + timedelta(milliseconds=true + moved)).isoformat(), "true": true}
        if place in by_place:
            found.append({"type": "ClockChanged", "call": "", "by": by_place[place], **time})
        found.append({**entry, **time})
    return found


def visits(records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Every stay of a call in a queue, found by looking through the whole journal for each."""
    found = []
    for place, entry in enumerate(records):
        if entry["type"] not in ("CallQueued", "MoveCall"):
            continue
        visit = {"queue": entry["queue"], "entered": seconds(entry["at"]), "end": "", "waited": None, "talked": None}
        visit |= {"refused": [], "agent": "", "skills": skills_of(entry, records[:place]), "passed_on": False}
        visit["result"] = None
        for number, later in enumerate(records[place + 1 :], place + 1):
            if rang_out(later, records[:number]) == entry["call"]:
                visit["refused"].append("OfferNotAnswered")
            if later["call"] != entry["call"]:
                continue
            waited = (later["true"] - entry["true"]) / 1000
            if later["type"] == "OfferDeclined":
                visit["refused"].append(later["type"])
            elif later["type"] in ("CallConnected", "CallAbandoned", "CallLeft", "MoveCall", "EndWait"):
                visit |= {"end": later["type"], "waited": waited, "agent": later.get("agent", "")}
                if later["type"] != "CallConnected":
                    break
                visit["result"] = result_of(later["agent"], records[number + 1 :])
            elif later["type"] == "TalkEnded":
                if not visit["end"]:  # it comes before the word that the talk has begun
                    visit |= {"end": "CallConnected", "waited": waited, "agent": later["agent"]}
                    visit["result"] = result_of(later["agent"], records[number + 1 :])
                visit["talked"] = waited - visit["waited"]
                visit |= {"ended": seconds(later["at"]), "over": later["true"]}
            elif visit["talked"] is not None and later["type"] != "NoteResult":
                visit["passed_on"] = later["type"] == "CallQueued"
                break
        found.append(visit)
    return found


def result_of(agent: str, after: list[dict[str, object]]) -> object:
    """The agent's last word before it is rung again."""
    mine = takewhile(lambda each: each["type"] != "OfferCall" or each["agent"] != agent, after)
    said = [each["result"] for each in mine if each["type"] == "NoteResult" and each["agent"] == agent]
    return said[-1] if said else None


def rang_out(entry: dict[str, object], before: list[dict[str, object]]) -> object:
    """Whose offer nobody answered, by this record; "" where it says no such thing."""
    if entry["type"] == "OfferNotAnswered":
        return entry["call"]
    if entry["type"] != "WithdrawOffer" or entry["reason"] != "no answer":
        return ""
    told = [each for each in before if each.get("offer") == entry["offer"]]
    return "" if "OfferAnswered" in [each["type"] for each in told] else told[0]["call"]


def skills_of(entry: dict[str, object], before: list[dict[str, object]]) -> set[str]:
    """What a call asks for in a queue: by itself, also where it came from, and by the queue."""
    entries = [each for each in before if each["type"] == "CallQueued" and each["call"] == entry["call"]]
    asked = entry["skills"] if entry["type"] == "CallQueued" else entries[-1]["skills"]
    return {text.split()[0] for text in asked} | ({"expert"} if entry["queue"] == "experts" else set())


def spans_of(agent: str, records: list[dict[str, object]], end: float) -> list[tuple[str, float, float]]:
    """An agent's states by the time of day, each from its beginning to the next word, or until that is set."""
    spans, state, since = [], "", 0.0
    for entry in records:
        is_set = entry["type"] == "ClockChanged"
        if is_set or (entry["type"] == "AgentStateChanged" and entry["agent"] == agent):
            spans.append((state, since, seconds(entry["at"]) - (entry["by"] / 1000 if is_set else 0)))
            state, since = state if is_set else str(entry["state"]), seconds(entry["at"])
    return [*spans, (state, since, end)]


def wrap_up_after(visit: dict[str, object], records: list[dict[str, object]]) -> float:
    """How long the agent worked after this talk, up to the end of the journal's finished states."""
    if visit["talked"] is None:
        return 0.0
    mine = [each for each in records if each["type"] == "AgentStateChanged" and each["agent"] == visit["agent"]]
    spans = pairwise([(each["true"], each["state"]) for each in mine] + [(records[-1]["true"], "")])
    return sum(
        (until - since) / 1000
        for (since, state), (until, _) in spans
        if state == "WorkingAfterCall" and since == visit["over"]
    )


@settings(max_examples=60, deadline=None)
@given(steps, clocks)
def test_queues_are_what_a_slow_and_obvious_computation_says(script, set_by):
    records = with_the_clock_set(journal(script), set_by)
    end = seconds(records[-1]["at"])
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
        assert +quarter.results == Counter(v["result"] for v in mine if v["result"])
        assert quarter.wrapped_up == round(sum(wrap_up_after(v, records) for v in mine) * 1000)
        assert quarter.ring_no_answer == sum(v["refused"].count("OfferNotAnswered") for v in mine)
        assert quarter.declined == sum(v["refused"].count("OfferDeclined") for v in mine)
    assert sum(each.offered for each in figures.queues.values()) == len(stays)
    assert sum(each.offered for each in figures.skills.values()) == sum(len(v["skills"]) for v in stays)


@settings(max_examples=60, deadline=None)
@given(steps, clocks)
def test_agents_are_what_a_slow_and_obvious_computation_says(script, set_by):
    records = with_the_clock_set(journal(script), set_by)
    end = seconds(records[-1]["at"])
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
        rung = [e["agent"] for n, e in enumerate(records) if rang_out(e, records[:n])]
        assert total.ring_no_answer == rung.count(agent)
        assert total.transfers == len([v for v in stays if v["agent"] == agent and v["passed_on"]])
        assert total.calls == len([v for v in stays if v["agent"] == agent and v["end"] == "CallConnected"])
        everything = sum(until - since for what, since, until in spans if what in STATES)
        assert sum(getattr(total, name) for name in STATES.values()) == round(everything * 1000)


def test_intervals_add_up_and_the_longest_wait_is_the_longest():
    one, other = QueueFigures(offered=2, longest_wait=5_000), QueueFigures(offered=3, longest_wait=9_000)
    one.add(other)
    assert (one.offered, one.longest_wait) == (5, 9_000)
    assert {each.name for each in fields(QueueFigures)} >= {"offered", "answered", "abandoned"}
    assert Figures().queue("q", START, START) == QueueFigures()
