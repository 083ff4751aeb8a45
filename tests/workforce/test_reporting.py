"""Reports: what is chosen of the figures, and how it is printed, written and drawn."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings

from acd.model import QueueRule
from commands import main
from tests.acd.test_figures import journal, steps
from workforce.reporting import folded

CHECKOUT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # nine o'clock in Shanghai
DAY = ("--from", "2026-11-23 09:00", "--to", "2026-11-23 10:00")


def record(second: float, type: str, call: str = "", **facts: object) -> dict[str, object]:
    at = (START + timedelta(seconds=second)).isoformat(timespec="milliseconds")
    return {"at": at, "v": 1, "type": type, "call": call, **facts}


def state(second: float, agent: str, name: str) -> dict[str, object]:
    return record(second, "AgentStateChanged", agent=agent, state=name, reason="")


RULES = [QueueRule("sales", service_level=(90, 10_000)), QueueRule("service")]
RECORDS = [
    record(-300, "AgentStateChanged", agent="1001", state="NotReady", reason="meeting"),
    record(0, "QueuesChanged", queues=["sales", "service"], rules=[asdict(rule) for rule in RULES]),
    state(0, "1001", "Ready"),
    record(60, "CallQueued", "c1", queue="service", priority=0, skills=["claims"]),
    state(60, "1001", "Reserved"),
    record(75, "CallConnected", "c1", offer="0-1", queue="service", agent="1001", waited=15_000),
    state(75, "1001", "Busy"),
    record(80, "CallQueued", "c2", queue="sales", priority=0, skills=[]),
    record(84, "CallAbandoned", "c2"),
    record(195, "TalkEnded", "c1", offer="0-1", queue="service", agent="1001", talked=120_000),
    state(195, "1001", "WorkingAfterCall"),
    record(200, "NoteResult", "c1", queue="service", agent="1001", result="solved"),
    record(215, "CallQueued", "c1", queue="sales", priority=0, skills=[]),
    state(215, "1001", "Ready"),
    record(1000, "EndWait", "c1", queue="sales", exit="overflowed"),
    record(1810, "CallQueued", "c3", queue="sales", priority=0, skills=[]),
    record(1822, "CallConnected", "c3", offer="0-2", queue="sales", agent="1001", waited=12_000),
    state(1822, "1001", "Busy"),
    record(5000, "CallQueued", "c9", queue="service", priority=0, skills=[]),
]


@pytest.fixture
def report(tmp_path, capsys):
    (tmp_path / "appliance.yaml").write_text("time-zone: Asia/Shanghai\n")
    journal = tmp_path / "var" / "journal"
    journal.mkdir(parents=True)
    lines = [json.dumps({"seq": number, **each}) for number, each in enumerate(RECORDS, 1)]
    (journal / "000001.jsonl").write_text("\n".join(lines) + "\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["--config", str(tmp_path / "appliance.yaml"), "report", *arguments], CHECKOUT)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def figures(report):
    """Runs a report and returns its JSON."""

    def run(*arguments: str):
        code, out, _ = report(*arguments, "--json")
        assert code == 0
        return json.loads(out)

    return run


def of(found, kind: str, name: str):
    return next(each for each in found[kind] if each["name"] == name)


def test_queues_skills_and_agents_of_an_hour(figures):
    found = figures(*DAY)
    assert (found["from"], found["to"]) == ("2026-11-23T09:00:00+08:00", "2026-11-23T10:00:00+08:00")
    service, sales = of(found, "queues", "service")["total"], of(found, "queues", "sales")["total"]
    assert (service["offered"], service["answered"], service["asa"], service["transfers"]) == (1, 1, 15, 1)
    assert (service["aht"], service["talk"], service["wrap_up"]) == (140, 120, 20)
    assert (sales["offered"], sales["abandoned"], sales["abandoned_short"], sales["overflowed"]) == (3, 1, 1, 1)
    assert sales["longest_wait"] == 785
    assert of(found, "skills", "claims")["total"]["answered"] == 1
    agent = of(found, "agents", "1001")["total"]
    assert (agent["calls"], agent["wrap_up"], agent["transfers"]) == (2, 20, 1)
    assert agent["busy"] + agent["ready"] + agent["reserved"] + agent["wrap_up"] == agent["logged_on"] == 3600


def test_the_target_of_the_service_level_is_the_queues_own(figures):
    found = figures(*DAY)
    assert of(found, "queues", "service")["total"]["service_level"] == 1  # 15 s of 20
    assert of(found, "queues", "sales")["total"]["service_level"] == 0  # 12 s of 10


def test_the_formula_is_chosen_by_name(figures):
    levels = of(figures(*DAY), "queues", "sales")["total"]["service_levels"]
    assert levels == {"offered": 0, "answered": 0, "without-early": 0, "early-as-served": 0.5}
    for name, level in levels.items():
        assert of(figures(*DAY, "--formula", name), "queues", "sales")["total"]["service_level"] == level


def test_intervals_are_quarters_or_longer(figures):
    quarters = of(figures(*DAY), "queues", "sales")["intervals"]
    assert [(each["from"][11:16], each["offered"]) for each in quarters] == [("09:00", 2), ("09:30", 1)]
    hours = of(figures(*DAY, "--every", "1h"), "queues", "sales")["intervals"]
    assert [(each["from"][11:16], each["offered"]) for each in hours] == [("09:00", 3)]


def test_one_queue_one_skill_one_agent(figures, tmp_path):
    with (tmp_path / "var" / "journal" / "000001.jsonl").open("a") as journal:
        journal.write(json.dumps({"seq": len(RECORDS) + 1, **state(6000, "1009", "Ready")}) + "\n")
    found = figures(*DAY, "--queue", "sales")
    assert ([each["name"] for each in found["queues"]], found["skills"], found["agents"]) == (["sales"], [], [])
    assert of(figures(*DAY, "--skill", "claims"), "skills", "claims")["total"]["offered"] == 1
    assert of(figures(*DAY, "--agent", "1001", "--agent", "1009"), "agents", "1009")["total"]["calls"] == 0


def test_what_counts_as_short_is_chosen(figures):
    assert of(figures(*DAY, "--short", "3s"), "queues", "sales")["total"]["abandoned_short"] == 0


def test_what_came_later_does_not_count(figures):
    assert of(figures(*DAY), "queues", "service")["total"]["offered"] == 1
    assert of(figures("--from", "2026-11-23", "--to", "2026-11-24"), "queues", "service")["total"]["offered"] == 2


def test_who_entered_before_the_end_is_followed_beyond_it(figures):
    first = ("--from", "2026-11-23 09:00", "--to", "2026-11-23 09:15", "--queue", "sales")
    longer = ("--from", "2026-11-23 09:00", "--to", "2026-11-23 09:30", "--queue", "sales")
    (quarter,) = of(figures(*first), "queues", "sales")["intervals"]
    assert (quarter["offered"], quarter["overflowed"], quarter["longest_wait"]) == (2, 1, 785)
    assert of(figures(*longer), "queues", "sales")["intervals"] == [quarter]


@settings(max_examples=60, deadline=None)
@given(steps)
def test_a_quarter_has_the_same_figures_whatever_the_report_goes_up_to(script):
    records = journal(script)
    first, last = (datetime.fromisoformat(str(records[place]["at"])) for place in (0, -1))
    whole = folded(records, last + timedelta(hours=1), targets={}, short=5_000)
    for quarter in range(1, (last - first) // timedelta(minutes=15) + 2):
        part = folded(records, first + quarter * timedelta(minutes=15), targets={}, short=5_000)
        assert part.queues == {of: each for of, each in whole.queues.items() if of[0] < part.end}
        assert part.skills == {of: each for of, each in whole.skills.items() if of[0] < part.end}
        assert part.agents == {of: each for of, each in whole.agents.items() if of[0] < part.end}


def test_nobody_reads_on_when_all_who_entered_before_the_end_are_gone():
    def records():
        yield from RECORDS[:-2]
        yield record(1900, "TalkEnded", "c3", offer="0-2", queue="sales", agent="1001")
        yield state(1900, "1001", "WorkingAfterCall")
        yield record(1901, "CallEnded", "c3")
        yield record(1901, "CallEnded", "c1")
        yield state(1920, "1001", "Ready")
        yield record(1930, "CallQueued", "c4", queue="sales", priority=0, skills=[])
        pytest.fail("read on for nobody")

    found = folded(records(), START + timedelta(minutes=31), targets={}, short=5_000)
    assert found.queue("sales", START, START + timedelta(hours=1)).wrapped_up == 20_000


@pytest.mark.parametrize(("minutes", "now", "counted"), [(60, 40, 40), (60, 90, 60), (60, None, 3), (2, 40, 2)])
def test_the_time_of_agents_counts_up_to_the_end_or_to_now(minutes, now, counted):
    quiet = [state(0, "1001", "NotReady"), state(180, "1001", "Ready")]
    until, wall = START + timedelta(minutes=minutes), START + timedelta(minutes=now) if now else None
    found = folded(quiet, until, targets={}, short=5_000, now=wall).agent("1001", START, START + timedelta(hours=2))
    assert found.logged_on() == counted * 60_000


def test_csv_has_a_line_for_every_interval(report):
    _, out, _ = report(*DAY, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["kind"], row["name"], row["from"][11:16]) for row in rows] == [
        ("queue", "sales", "09:00"),
        ("queue", "sales", "09:30"),
        ("queue", "service", "09:00"),
        ("skill", "claims", "09:00"),
        ("agent", "1001", "09:00"),
        ("agent", "1001", "09:15"),
        ("agent", "1001", "09:30"),
        ("agent", "1001", "09:45"),
    ]
    assert rows[0]["offered"] == "2"
    assert rows[4]["occupancy"]


def test_tables_are_for_people(report):
    _, out, _ = report(*DAY, "--intervals")
    assert "2026-11-23 09:00 to 2026-11-23 10:00, service level offered, short abandons below 5 s" in out
    assert [line.split()[:4] for line in out.splitlines() if "sales" in line] == [["sales", "3", "1", "1"]]
    assert " 09:30 " in out
    assert "queue service, what came of the talks: solved 1" in out


def test_reasons_are_told_in_time(report, figures):
    before = ("--from", "2026-11-23 08:45", "--to", "2026-11-23 10:00")
    assert "agent 1001, not ready for: meeting 5:00" in report(*before)[1]
    assert of(figures(*before), "agents", "1001")["total"]["reasons"] == {"meeting": 300}
    assert "meeting=300.0" in report(*before, "--csv")[1]


def test_the_day_is_drawn(report, tmp_path):
    code, _, _ = report(*DAY, "--draw", str(tmp_path / "day.svg"))
    words = [each.text for each in Xml.parse(tmp_path / "day.svg").iter() if each.tag.endswith("text")]
    assert code == 0
    assert {"Calls", "Wait", "Agents", "Service level, of offered", "09:00"} <= set(words)
    report(*DAY, "--queue", "sales", "--draw", str(tmp_path / "sales.svg"))
    assert "goal 90 % in 10 s" in (tmp_path / "sales.svg").read_text()


def test_another_journal_is_reported_as_a_whole(figures, tmp_path):
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes((tmp_path / "var" / "journal" / "000001.jsonl").read_bytes())
    found = figures("--journal", str(copy))
    assert (found["from"][11:16], found["to"][11:16]) == ("08:45", "10:30")
    assert of(found, "queues", "service")["total"]["offered"] == 2


def test_lines_that_are_no_records_of_ours_are_passed_over(figures, report, tmp_path):
    good = (tmp_path / "var" / "journal" / "000001.jsonl").read_text()
    bad = [
        "nonsense",
        '{"seq":90,"type":"CallQueued","call":"c8"}',
        '{"seq":91,"at":"noon","type":"CallQueued","call":"c8","queue":"sales"}',
        '{"seq":92,"at":"2026-11-23T01:00:00+00:00","type":"CallQueued","call":"c8"}',
        '{"seq":93,"at":"2026-11-23T01:00:00+00:00","type":"AgentStateChanged","agent":"1001","state":"Asleep"}',
    ]
    (tmp_path / "mixed.jsonl").write_text("\n".join([*bad, good]))
    assert figures(*DAY, "--journal", str(tmp_path / "mixed.jsonl")) == figures(*DAY)


def test_a_queue_that_has_had_no_call_is_known_from_its_file(report, tmp_path):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "queues.yaml").write_text("claims: {strategy: of-a-slip}\n")
    assert report(*DAY, "--queue", "claims")[0] == 0


def test_a_day_without_calls_says_so(report):
    assert "nothing is recorded for it" in report("--from", "2026-11-20", "--to", "2026-11-21")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "noon"), "--from: 'noon' is not a time"),
        (("--from", "2026-11-23", "--to", "2026-11-22"), "is not after --from"),
        (("--every", "7m"), "--every: '7m' is not whole quarters of an hour"),
        (("--short", "soon"), "--short: 'soon' is not a duration"),
        (("--journal", "/no/such/journal"), "--journal /no/such/journal: there is no such file or folder"),
        ((*DAY, "--journal", "/no/such/journal"), "--journal /no/such/journal: there is no such file or folder"),
        (("--journal", __file__), "this is no journal"),
        (("--journal", str(CHECKOUT / "flows")), "this is no journal"),
        (
            ("--queue", "servce"),
            "--queue: there is no queue 'servce'; there is sales or service. Did you mean 'service'?",
        ),
        ((*DAY, "--agent", "9"), "--agent: there is no agent '9'; there is 1001."),
    ],
)
def test_slips_are_answered_where_they_are_made(report, arguments, said):
    code, _, err = report(*arguments)
    assert code == 2
    assert said in err
