"""Simulations: the file, the callers that are drawn, and what the replications say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest

from acd.erlang import erlang_a
from acd.hindsight import milliseconds
from commands import main
from journal.reader import records_of, verify
from workforce.callers import Rates, Sources, mean_patience, rates, recorded, replayed
from workforce.confidence import estimate, quantile
from workforce.draws import draw
from workforce.experiment import Experiment, as_json, differences
from workforce.plan import CallersEntry, load_plans

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "what-if.yaml"
ZONE = ZoneInfo("Asia/Shanghai")
HOUR = 3_600_000

PLAN = """\
from: "2026-11-23 09:00"
until: "2026-11-23 10:00"
replications: 2
queues:
  service: {wrap-up: 0s}
callers:
  all: {queue: service, per-hour: 60, patience: exponential 3m, talk: exponential 2m}
agents:
  team: {count: 2, queues: service, answers-after: 0s}
variants:
  one more: {agents.team.count: +1}
"""


def plans(tmp_path: Path, text: str = PLAN, *sets: str):
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    return load_plans(file, ZONE, tmp_path, sets)


def slips(tmp_path: Path, text: str, *sets: str) -> list[str]:
    found, problems = plans(tmp_path, text, *sets)
    assert not found
    return [str(problem).replace(f"{tmp_path}/", "") for problem in problems]


class TestTimes:
    @pytest.mark.parametrize(
        ("written", "mean"),
        [("3m", 180), ("exponential 3m", 180), ("lognormal 3m 0.6", 180), ("uniform 2s 6s", 4), (["10s", "30s"], 20)],
    )
    def test_have_the_mean_that_is_written(self, written, mean):
        chances = [(number + 0.5) / 20_000 for number in range(20_000)]
        times = [draw(written).at(chance) for chance in chances]
        assert fmean(times) == pytest.approx(mean, rel=0.005)
        assert draw(written).mean() == mean
        assert times == sorted(times)  # the same luck is never worse with longer times

    def test_spread_of_a_lognormal_is_relative_to_the_mean(self):
        times = [draw("lognormal 3m 0.6").at((number + 0.5) / 20_000) for number in range(20_000)]
        assert fmean((time - 180) ** 2 for time in times) ** 0.5 == pytest.approx(0.6 * 180, rel=0.02)

    @pytest.mark.parametrize(
        "written", ["", "3", "exponential", "normal 3m", "lognormal 3m x", "uniform 6s 2s", [], "exponential 0s"]
    )
    def test_slips_are_answered_with_examples(self, written):
        with pytest.raises(ValueError, match=r"exponential 3m|write 0s"):
            draw(written)


class TestArrivals:
    def test_come_as_often_as_each_hour_says(self):
        day = rates(
            {8 * 60: 600, 10 * 60: 60}, datetime(2026, 11, 23, 7, tzinfo=ZONE), datetime(2026, 11, 23, 12, tzinfo=ZONE)
        )
        found = Counter((at - day.starts[0]) // HOUR for at in day.arrivals(Random(1)))
        assert found[0] == 0
        assert [found[1] + found[2], found[3] + found[4]] == [pytest.approx(1200, rel=0.1), pytest.approx(120, rel=0.3)]

    def test_of_a_busier_day_are_the_same_callers_sooner(self):
        slow = list(Rates((0,), (60.0,), 10 * HOUR).arrivals(Random(1)))
        fast = list(Rates((0,), (120.0,), 10 * HOUR).arrivals(Random(1)))
        assert fast[: len(slow)] == [pytest.approx(at / 2, abs=1) for at in slow]

    def test_rates_go_on_over_midnight_and_begin_anew_each_day(self):
        span = datetime(2026, 11, 23, 22, tzinfo=ZONE), datetime(2026, 11, 24, 10, tzinfo=ZONE)
        found = rates({9 * 60: 30, 23 * 60: 0}, *span)
        assert [datetime.fromtimestamp(at / 1000, ZONE).hour for at in found.starts] == [22, 23, 0, 9]
        assert found.per_hour == (30, 0, 0, 30)


class TestConfidence:
    @pytest.mark.parametrize(("degrees", "t"), [(1, 12.706), (2, 4.303), (9, 2.262), (10, 2.228), (30, 2.042)])
    def test_is_by_students_published_table(self, degrees, t):
        assert quantile(degrees) == pytest.approx(t, abs=0.0006)

    def test_holds_the_true_mean_in_95_of_100_cases(self):
        source = Random(1)
        found = [estimate([source.gauss(10, 2) for _ in range(5)]) for _ in range(1000)]
        assert 930 <= sum(each.low <= 10 <= each.high for each in found) <= 970

    def test_one_value_says_nothing_of_its_spread_and_none_nothing_at_all(self):
        assert (estimate([3.0]).mean, estimate([3.0]).low, estimate([None])) == (3.0, None, None)

    def test_luck_that_both_had_is_out_of_a_difference(self):
        base = [{"asa": 10.0}, {"asa": 30.0}, {"asa": 20.0}]
        better = [{"asa": 8.0}, {"asa": 28.5}, {"asa": 17.5}]
        found = differences(better, base)["asa"]
        assert found.mean == -2
        assert found.differs()
        assert estimate([run["asa"] for run in base]).half > 20


class TestThePlan:
    def test_is_one_variant_as_written_and_each_of_its_own(self, tmp_path):
        found, problems = plans(tmp_path, PLAN, "agents.team.skills={claims: 3}", "seed=7")
        assert not problems
        assert [(plan.name, plan.entry.agents["team"].count) for plan in found] == [
            ("as written", 2),
            ("one more", 3),
            ("as set", 2),
        ]
        assert (found[2].entry.seed, found[2].entry.agents["team"].skills) == (7, {"claims": 3})
        assert found[1].changes == {"agents.team.count": "+1"}

    def test_changes_the_rules_of_queues_by_their_place(self, tmp_path):
        text = PLAN.replace("{wrap-up: 0s}", "{overflow: [{after: 90s, relax: claims}]}")
        found, _ = plans(tmp_path, text, "queues.service.overflow.0.after=60s", "queues.service.weight=5")
        assert [plan.rules[0].overflow[0].after for plan in found] == [90_000, 90_000, 60_000]
        assert found[2].rules[0].weight == 5

    def test_gives_agents_ranks_in_their_queues(self, tmp_path):
        (plan, *_), problems = plans(tmp_path, PLAN.replace("queues: service,", "queues: service=2,"))
        assert (problems, plan.entry.agents["team"].queues) == ([], (("service", 2),))
        assert (
            "write for example claims=2" in slips(tmp_path, PLAN.replace("queues: service,", "queues: service=x,"))[0]
        )

    def test_uses_the_appliances_queues_where_it_has_none(self, tmp_path):
        (tmp_path / "queues.yaml").write_text("service: {wrap-up: 7s}\n")
        found, problems = plans(tmp_path, PLAN.replace("queues:\n  service: {wrap-up: 0s}\n", ""))
        assert (problems, found[0].rules[0].wrap_up) == ([], 7_000)

    @pytest.mark.parametrize("where", ["in the plan", "in a file", "the appliance's own"])
    def test_has_the_calendars_of_its_queues(self, tmp_path, where):
        office = 'office: {zone: Asia/Shanghai, open: {mon-fri: "09:00-17:00"}}\n'
        file = "calendars.yaml" if where == "the appliance's own" else "hours.yaml"
        (tmp_path / file).write_text(office)
        written = {"in the plan": f"calendars:\n  {office}", "in a file": "calendars: hours.yaml\n"}.get(where, "")
        text = PLAN.replace("{wrap-up: 0s}", "{calendar: office}")
        found, problems = plans(tmp_path, text + written, "calendars.office.open.sat=09:00-12:00")
        assert not problems
        assert [len(plan.calendars["office"].week[5]) for plan in found] == [0, 0, 1]
        assert slips(tmp_path, text.replace("calendar: office", "calendar: offices") + written)[0] == (
            "plan.yaml:5:23: queues.service.calendar: no calendar 'offices'. Did you mean 'office'?"
        )

    @pytest.mark.parametrize("since", ["2026-11-23 09:00", "2026-11-23T09:00+08:00", "2026-11-23T03:00+02:00"])
    def test_has_times_of_its_zone_or_with_an_offset_of_their_own(self, tmp_path, since):
        (plan, _), problems = plans(tmp_path, PLAN.replace("2026-11-23 09:00", since))
        assert not problems
        begin, end = Experiment([plan]).span(plan)
        assert [at.isoformat() for at in (begin, end)] == ["2026-11-23T09:00:00+08:00", "2026-11-23T10:00:00+08:00"]

    def test_slips_are_told_with_their_places(self, tmp_path):
        text = PLAN.replace("queue: service,", "queue: sevice,").replace("queues: service", "queues: [service, slaes]")
        assert slips(tmp_path, text.replace("per-hour: 60,", "per-hour: 60, skills: claims,")) == [
            "plan.yaml:7:16: callers.all.queue: no queue 'sevice'. Did you mean 'service'?",
            "plan.yaml:7:38: callers.all.skills.0: no agent has the skill 'claims'.",
            "plan.yaml:9:38: agents.team.queues.1: no queue 'slaes'.",
        ]

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            (
                "exponential 3m",
                "normal 3m",
                "plan.yaml:7:49: callers.all.patience: 'normal 3m' is no distribution of times",
            ),
            (
                "per-hour: 60, ",
                "",
                "plan.yaml:7:8: callers.all: write how many call, by exactly one of per-hour and journal",
            ),
            (", talk: exponential 2m", "", "callers.all: write how long they talk"),
            ('"2026-11-23 10:00"', '"2026-11-23 08:00"', "plan.yaml:2:8: until: is not after from"),
            ('"2026-11-23 10:00"', '"2026-11-23T01:00+00:00"', "plan.yaml:2:8: until: is not after from"),
            ('from: "2026-11-23 09:00"\n', "", "say with from: when they call"),
            ("60,", "900000,", "up to 900,000 calls are too many"),
            (
                "wrap-up: 0s",
                "wrapup: 0s",
                "plan.yaml:5:13: queues.service.wrapup: 'wrapup' is not known here. Did you mean 'wrap-up'?",
            ),
            (
                "agents.team.count",
                "agents.taem.count",
                "plan.yaml:11:33: there is no 'taem' in 'agents.taem.count' to change. Did you mean 'team'?",
            ),
            ("count: +1", "count: many", "plan.yaml:11:33: agents.team.count: 'many' stands here"),
            ("count: +1", "queues: nobody", "plan.yaml:11:34: agents.team.queues.0: no queue 'nobody'."),
            (
                "per-hour: 60,",
                "journal: day.jsonl, customers: 5,",
                "customers: the journal says who called; leave it out",
            ),
            ("{wrap-up: 0s}", "{wrap-up: 0s}\ncalendars: no.yaml", "calendars: there is no file"),
            (
                "{wrap-up: 0s}",
                "{wrap-up: 0s}\ncalendars: {office: {zone: Peking, open: {daily: closed}}}",
                "plan.yaml:6:28: calendars.office.zone: 'Peking' is not a time zone. All of China is Asia/Shanghai",
            ),
            ("agents.team.count: +1", "queues.service.strategy: longest-idel", "Did you mean 'longest-idle'?"),
        ],
    )
    def test_each_slip(self, tmp_path, before, after, said):
        assert before in PLAN
        assert said in "\n".join(slips(tmp_path, PLAN.replace(before, after)))

    def test_a_slip_on_the_command_line_is_told_there(self, tmp_path):
        assert slips(tmp_path, PLAN, "agents.team.count=x")[0].startswith(
            "--set agents.team.count=x:1:1: agents.team.count: 'x'"
        )
        assert "write a path, = and a value" in slips(tmp_path, PLAN, "more")[0]
        assert "counts from a whole number" in slips(tmp_path, PLAN, "callers.all.queue=+1")[0]


class TestTheExperiment:
    def experiment(self, tmp_path, text: str = PLAN, *sets: str) -> Experiment:
        found, problems = plans(tmp_path, text, *sets)
        assert not problems
        experiment = Experiment(found)
        for _ in experiment.run():
            pass
        return experiment

    def test_every_variant_serves_the_same_callers(self, tmp_path):
        experiment = self.experiment(tmp_path)
        level = as_json(experiment)["variants"][0]["all"]["mean_wait"]
        assert level["low"] < level["mean"] < level["high"]
        written, more = experiment.variants
        assert [run.all["offered"] for run in written.runs] == [run.all["offered"] for run in more.runs]
        assert written.runs[0].all["offered"] != written.runs[1].all["offered"]
        assert all(b.all["mean_wait"] < a.all["mean_wait"] for a, b in zip(written.runs, more.runs, strict=True))

    def test_the_same_seed_gives_the_same_answers_and_another_one_others(self, tmp_path):
        first, again = (as_json(self.experiment(tmp_path)) for _ in range(2))
        assert first == again
        assert as_json(self.experiment(tmp_path, PLAN + "seed: 2\n"))["variants"] != first["variants"]

    def test_is_as_erlang_a_says(self, tmp_path):
        """Ten agents, ten erlangs, patience three minutes: the whole way from the file to the means."""
        text = """\
from: "2026-11-23 00:00"
until: "2026-11-24 00:00"
warm-up: 1h
replications: 1
queues: {service: {wrap-up: 0s}}
callers: {all: {queue: service, per-hour: 200, patience: exponential 3m, talk: exponential 3m}}
agents: {team: {count: 10, queues: service, answers-after: 0s}}
"""
        (variant,) = self.experiment(tmp_path, text).variants
        (run,) = variant.runs
        expected = erlang_a(10, 10, handling=180, patience=180)
        assert run.all["offered"] == pytest.approx(4_600, rel=0.05)  # 23 hours of 200
        assert run.all["occupancy"] == pytest.approx(expected.occupancy, rel=0.03)
        assert run.all["abandon_rate"] == pytest.approx(expected.abandons, abs=0.02)
        assert run.all["mean_wait"] == pytest.approx(expected.mean_wait, rel=0.15)  # the noise of 4,600 calls

    def test_where_and_when_nobody_called_counts_as_none_in_the_mean(self, tmp_path):
        """One call an hour into one of two queues: of most quarters most replications have none."""
        text = PLAN.replace("per-hour: 60", "per-hour: 1").replace("replications: 2", "replications: 20")
        text = text.replace("{wrap-up: 0s}", "{wrap-up: 0s}\n  sales: {}")
        experiment = self.experiment(tmp_path, text)
        found = as_json(experiment)["variants"][0]
        runs = [run.all["offered"] for run in experiment.variants[0].runs]
        assert 0 in runs
        assert len(found["intervals"]) == 4
        for count in ("offered", "answered", "abandoned", "left", "overflowed", "unserved"):
            everybody = found["all"][count]["mean"]
            assert everybody == pytest.approx(sum(queue[count]["mean"] for queue in found["queues"].values()))
            assert everybody == pytest.approx(sum(quarter[count]["mean"] for quarter in found["intervals"]))
        assert found["all"]["offered"]["mean"] == fmean(runs)
        assert found["queues"]["sales"]["offered"] == {"mean": 0, "low": 0, "high": 0}
        assert (found["queues"]["sales"]["asa"], found["queues"]["sales"]["longest_wait"]) == (None, None)

    def test_of_a_span_that_begins_within_a_quarter_every_call_is_counted(self, tmp_path):
        text = PLAN.replace("09:00", "09:05")
        counted = self.experiment(tmp_path, text).variants[0].runs[0]
        assert counted.all["offered"] == sum(quarter["offered"] for quarter in counted.intervals.values())
        (plan, _), _ = plans(tmp_path, text)
        records: list[str] = []
        Experiment([plan]).measure(plan, 0, lambda _, entry: records.append(entry[0]))
        assert counted.all["offered"] == records.count("CallQueued") > 0

    def test_after_a_warm_up_only_whole_quarters_are_counted(self, tmp_path):
        run = self.experiment(tmp_path, PLAN + "warm-up: 20m\n").variants[0].runs[0]
        starts = [datetime.fromtimestamp(start / 1000, ZONE).minute for start in run.intervals]
        assert starts == [30, 45]
        assert run.all["offered"] == sum(quarter["offered"] for quarter in run.intervals.values()) > 0

    def test_shifts_breaks_and_what_agents_do_with_their_phones(self, tmp_path):
        agents = (
            "team: {count: 4, queues: service, shift: 09:00-09:30, breaks: 09:10-09:20, no-answer: 30%, declines: 30%}"
        )
        text = PLAN.replace("team: {count: 2, queues: service, answers-after: 0s}", agents)
        records: list[tuple[int, str, dict[str, object]]] = []
        (plan, _), _ = plans(tmp_path, text)
        Experiment([plan]).measure(plan, 0, lambda at, entry: records.append((at, entry[0], entry[2])))
        start = milliseconds(datetime(2026, 11, 23, 9, tzinfo=ZONE))
        kinds = Counter(kind for _, kind, _ in records)
        assert min(kinds["OfferNotAnswered"], kinds["OfferDeclined"], kinds["CallConnected"]) > 2
        rung = [(at - start) / 60_000 for at, kind, _ in records if kind == "OfferCall"]
        assert not [at for at in rung if 10 < at < 20 or at > 30]
        assert [at for at in rung if at < 10]
        assert [at for at in rung if at > 20]

    def test_queues_are_open_when_their_calendars_say_so(self, tmp_path):
        """Open for half of the hour; in the variant for all of it."""
        text = PLAN.replace("{wrap-up: 0s}", "{calendar: office, overflow: [{when: closed, exit: closed}]}").replace(
            "agents.team.count: +1", "calendars.office.open.daily: 09:00-10:00"
        )
        calendars = 'calendars: {office: {zone: Asia/Shanghai, open: {daily: "09:30-10:00"}}}\n'
        half, whole = (variant.runs[0] for variant in self.experiment(tmp_path, text + calendars).variants)
        closed = [quarter["overflowed"] == quarter["offered"] > 0 for quarter in half.intervals.values()]
        assert closed == [True, True, False, False]
        assert whole.all["overflowed"] == 0
        assert half.all["offered"] == whole.all["offered"]

    def test_customers_who_call_again_are_known_to_sticky_queues(self, tmp_path):
        sticky = PLAN.replace("{wrap-up: 0s}", "{wrap-up: 0s, strategy: sticky, sticky-for: 1h}")
        shares = []
        for text in (sticky, sticky.replace("queue: service,", "queue: service, customers: 5,")):
            (plan, _), problems = plans(tmp_path, text)
            assert not problems
            known = [0, 0]

            def note(_, entry, known=known):
                if entry[0] == "CallQueued":
                    known[bool(entry[2]["last_agent"])] += 1

            Experiment([plan]).measure(plan, 0, note)
            shares.append(known[1] / sum(known))
        assert shares[0] == 0
        assert shares[1] > 0.5

    def test_who_still_waits_at_the_end_is_told_apart(self, tmp_path):
        text = PLAN.replace("patience: exponential 3m, ", "").replace("count: 2,", "count: 2, shift: 09:00-09:01,")
        run = self.experiment(tmp_path, text).variants[0].runs[0].all
        assert run["unserved"] > 0
        assert run["offered"] == run["answered"] + run["abandoned"] + run["left"] + run["overflowed"] + run["unserved"]

    def test_calls_of_a_journal_come_again_as_they_came(self, tmp_path):
        (plan, _), _ = plans(tmp_path)
        with (tmp_path / "day.jsonl").open("w") as out:

            def write(at, entry):
                facts = {
                    "seq": 1,
                    "at": datetime.fromtimestamp(at / 1000, UTC).isoformat(),
                    "type": entry[0],
                    "call": entry[1],
                }
                out.write(json.dumps(facts | dict(entry[2])) + "\n")

            before = Experiment([plan]).measure(plan, 0, write)
        text = (
            PLAN.split("callers:", maxsplit=1)[0].split("\n", 2)[2]
            + "callers: {all: {journal: day.jsonl}}\n"
            + PLAN[PLAN.index("agents:") :]
        )
        again, more = self.experiment(tmp_path, text).variants
        assert again.runs[0].all["offered"] == before.all["offered"]
        assert again.runs[0].all["service_level"] == pytest.approx(before.all["service_level"], abs=0.02)
        assert again.runs[0].all["abandoned"] == pytest.approx(before.all["abandoned"], abs=2)
        assert more.runs[0].all["mean_wait"] < again.runs[0].all["mean_wait"]

    def test_patience_is_guessed_with_those_in_mind_who_did_not_need_all_of_it(self, tmp_path):
        facts = {"seq": 1, "queue": "service", "caller": "13800000001"}
        text = "\n".join(
            json.dumps({**facts, "at": f"2026-11-23T09:00:{second:02}+00:00", "type": type, "call": call})
            for second, type, call in [
                (0, "CallQueued", "a"),
                (0, "CallArrived", "b"),
                (0, "CallQueued", "b"),
                (10, "CallConnected", "a"),
                (20, "CallAbandoned", "b"),
                (40, "TalkEnded", "a"),
            ]
        )
        (tmp_path / "day.jsonl").write_text(text + "\n")
        calls = recorded(tmp_path / "day.jsonl", (None, None), "")
        assert mean_patience(calls) == 30  # 10 s and 20 s waited, one gave up
        entry = CallersEntry.model_validate({"journal": "day.jsonl"})
        answered, gone = replayed("all", entry, calls, Sources(1, 0))
        assert (answered.customer, gone.customer) == ("", "13800000001")
        assert (answered.talk, gone.talk, gone.patience) == (30_000, 30_000, 20_000)
        assert answered.patience > 10_000


# --- the command ------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "appliance.yaml").write_text("time-zone: Asia/Shanghai\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["--config", str(tmp_path / "appliance.yaml"), *arguments], CHECKOUT)
        return code, *capsys.readouterr()

    return run


def test_the_example_answers_its_questions(run, tmp_path):
    """Its morning, for the whole day is much work."""
    picture, journal, morning = (tmp_path / name for name in ("what-if.svg", "what-if", "morning.yaml"))
    morning.write_text(EXAMPLE.read_text().replace("2026-11-23 18:00", "2026-11-23 11:00"))
    options = ("--replications", "1", "--draw", str(picture), "--journal", str(journal), "--json")
    code, out, _ = run("simulate", str(morning), *options)
    found = json.loads(out)
    assert (code, found["confidence"], [each["name"] for each in found["variants"]]) == (
        0,
        0.95,
        ["as written", "two more experts", "claims relaxes after 60 s"],
    )
    written, more, relaxed = found["variants"]
    assert written["difference"] is None
    for better in (more, relaxed):
        assert better["queues"]["claims"]["asa"]["mean"] < written["queues"]["claims"]["asa"]["mean"]
        assert better["difference"]["queues"]["claims"]["asa"]["mean"] < 0
    assert 0 < written["all"]["service_level"]["mean"] < 1
    assert len(written["intervals"]) == 12
    assert "two more experts" in picture.read_text()

    assert verify(journal).sound
    _, out, _ = run("report", "--journal", str(journal), "--json")
    reported = {queue["name"]: queue["total"]["offered"] for queue in json.loads(out)["queues"]}
    assert reported.keys() == {"service", "claims"}
    calls = [record["call"] for record in records_of(journal) if record["type"] == "CallConnected"]
    _, out, _ = run("why", calls[50], "--journal", str(journal), "--json")
    story = json.loads(out)
    assert (story["call"], story["outcome"]) == (calls[50], "answered")
    assert story["agent"]
    assert any("phone rings" in line["text"] for line in story["story"])


def test_a_journal_is_never_written_over(run, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    command = ("simulate", str(tmp_path / "plan.yaml"), "--replications", "1", "--journal", str(tmp_path / "out"))
    assert run(*command)[0] == 0
    code, _, err = run(*command)
    assert code == 2
    assert "is there already; name another folder" in err


def test_nor_is_a_file_or_anything_put_among_a_journals_segments(run, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "000007.jsonl").write_text("a day of calls\n")
    for name, said in (
        ("000007.jsonl", "000007.jsonl is there already; name another file"),
        ("000008.jsonl", "has a journal; name a file in another folder"),
    ):
        code, out, err = run("simulate", str(tmp_path / "plan.yaml"), "--journal", str(folder / name))
        assert (code, out) == (2, "")
        assert said in err
    assert [file.read_text() for file in folder.iterdir()] == ["a day of calls\n"]


def test_the_table_compares_variants(run, tmp_path):
    (tmp_path / "plan.yaml").write_text(PLAN)
    _, out, err = run("simulate", str(tmp_path / "plan.yaml"), "--set", "agents.team.count=4")
    rows = [line.split("  ")[0].strip() for line in out.splitlines()]
    assert {"all calls", "as written", "one more", "as set"} <= set(rows)
    assert "±" in out
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.yaml",), "nothing.yaml:1:1: cannot be read"),
        (("plan.yaml", "--set", "agents.taem.count=1"), "--set agents.taem.count=1: there is no 'taem'"),
        (("plan.yaml", "--variant", "one mor"), "there is no variant 'one mor'. Did you mean 'one more'?"),
        (("plan.yaml", "--replications", "0"), "--replications: 0 is out of range"),
    ],
)
def test_slips_are_answered_where_they_are_made(run, tmp_path, monkeypatch, arguments, said):
    (tmp_path / "plan.yaml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    code, _, err = run("simulate", *arguments)
    assert code == 2
    assert said in err
