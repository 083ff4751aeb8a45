"""How many agents: goals and their inverses, interval by interval."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acd.erlang import erlang_a, erlang_c
from commands import main
from config.document import load
from workforce.staffing import Demand, as_json, staffed

CHECKOUT = Path(__file__).resolve().parents[2]


def demand(**written: object) -> Demand:
    facts = {"handling": "3m", "calls": {"each": "120"}} | {
        key.replace("_", "-"): value for key, value in written.items()
    }
    return Demand.model_validate(facts)


def agents(**goal: str) -> int:
    patience = {"patience": goal.pop("patience")} if "patience" in goal else {}
    (found,) = staffed(demand(goal={key.replace("_", "-"): value for key, value in goal.items()}, **patience))
    return found.agents


def test_without_a_goal_it_is_eighty_in_twenty():
    (found,) = staffed(demand())
    assert (found.load, found.agents) == (12, 16)
    assert erlang_c(12, 16, handling=180).within >= 0.8 > erlang_c(12, 15, handling=180).within


@pytest.mark.parametrize(
    ("goal", "good", "formula"),
    [
        ({"service-level": "90/10"}, lambda service: service.within >= 0.9, "c"),
        ({"asa": "5s"}, lambda service: service.speed_of_answer <= 5, "c"),
        ({"occupancy": "70%"}, lambda service: service.occupancy <= 0.7, "c"),
        ({"abandoned": "2%"}, lambda service: service.abandons <= 0.02, "a"),
        ({"asa": "5s"}, lambda service: service.speed_of_answer <= 5, "a"),
    ],
)
def test_each_goal_is_met_by_the_fewest_agents(goal, good, formula):
    written = demand(goal=goal, **({"patience": "2m"} if formula == "a" else {}))
    (found,) = staffed(written)
    target = written.aims.target

    def service(agents: int):
        if formula == "c":
            return erlang_c(12, agents, handling=180, target=target)
        return erlang_a(12, agents, handling=180, patience=120, target=target)

    assert good(service(found.agents))
    assert not good(service(found.agents - 1))
    assert found.service == service(found.agents)


def test_goals_together_need_as_many_as_the_hardest_of_them():
    single = [agents(service_level="80/20"), agents(asa="4s"), agents(occupancy="85%")]
    assert agents(service_level="80/20", asa="4s", occupancy="85%") == max(single) > min(single)


def test_with_impatient_callers_fewer_agents_are_enough():
    assert agents(service_level="80/20", patience="2m") < agents(service_level="80/20")


def test_given_agents_show_what_they_give_and_what_they_could_take():
    (found,) = staffed(demand(agents="14", goal={"service-level": "80/20"}))
    assert found.service == erlang_c(12, 14, handling=180)
    most = found.calls_possible * 180 / 1800
    assert erlang_c(most, 14, handling=180).within >= 0.8 > erlang_c(most * 1.002, 14, handling=180).within


def test_who_is_paid_is_more_than_who_is_there():
    (found,) = staffed(demand(shrinkage="30%"))
    assert (found.agents, found.scheduled) == (16, 23)


def test_nobody_calls_nobody_is_needed():
    (found,) = staffed(demand(calls={"03:00": "0"}))
    assert (found.agents, found.service.within) == (0, 1)


def test_what_cannot_be_is_told_with_its_place():
    text = "handling: 3m\ngoal: {abandond: 3%, service-level: 80}\ncalls: {}\n"
    _, problems = load(Demand, text, "staffing.yaml")
    assert [str(problem) for problem in problems] == [
        "staffing.yaml:2:8: goal.abandond: 'abandond' is not known here. Did you mean 'abandoned'?",
        "staffing.yaml:2:37: goal.service-level: '80' is not a service level; "
        "80/20 means 80 % answered within 20 seconds",
        "staffing.yaml:3:8: calls: at least one entry is needed here",
    ]


def test_a_wait_without_an_end_is_null_in_json():
    written = demand(agents="3")
    (interval,) = as_json(written, staffed(written))["intervals"]
    assert (interval["asa"], interval["service_level"], interval["occupancy"]) == (None, 0, 1)
    json.dumps(interval, allow_nan=False)


# --- the command ------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "appliance.yaml").write_text("{}\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["--config", str(tmp_path / "appliance.yaml"), "staffing", *arguments], CHECKOUT)
        return code, *capsys.readouterr()

    return run


def test_the_example_is_staffed(run):
    code, out, _ = run(str(CHECKOUT / "examples" / "staffing.yaml"), "--json")
    found = json.loads(out)
    assert (code, found["model"], len(found["intervals"])) == (0, "erlang-a", 8)
    assert all(each["service_level"] >= 0.8 and each["abandoned"] <= 0.05 for each in found["intervals"])


def test_options_change_what_the_file_says(run):
    _, plain, _ = run(str(CHECKOUT / "examples" / "staffing.yaml"), "--json")
    _, slower, _ = run(str(CHECKOUT / "examples" / "staffing.yaml"), "--handling", "6m", "--json")
    needed = [sum(each["agents"] for each in json.loads(out)["intervals"]) for out in (plain, slower)]
    assert needed[1] > 1.5 * needed[0]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--service-level", "0.8/20", "'0.8/20' is less than 1 %; write 80/20"),
        ("--service-level", ".95/10", "'.95/10' is less than 1 %; write 95/10"),
        ("--shrinkage", "0.3", "'0.3' is less than 1 %; write 30 where 30 % are meant, else 0.3%"),
        ("--occupancy", "0.85", "'0.85' is less than 1 %; write 85 where 85 % are meant, else 0.85%"),
    ],
)
def test_a_share_below_one_is_refused_with_the_percentage_that_was_meant(run, option, value, said):
    code, _, err = run("--calls", "120", "--handling", "3m", option, value)
    assert (code, err) == (2, f"{option}: {said}\n")


def test_less_than_one_percent_may_be_meant(run):
    ask = ("--calls", "120", "--handling", "3m", "--patience", "2m", "--json")
    assert run(*ask, "--abandoned", "0.5%")[0] == 0
    assert run(*ask, "--abandoned", "2", "--shrinkage", "0")[0] == 0


def test_the_table_says_which_formula_and_which_goal(run):
    _, out, _ = run("--calls", "120", "--handling", "3m", "--asa", "5s", "--occupancy", "90%")
    assert out.startswith("Erlang C, calls per 30 min")
    assert "asa" in out.splitlines()[-2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --calls and --handling, or a FILE"),
        (("--calls", "x", "--handling", "3m"), "--calls: 'x' stands here; a number is expected here"),
        (("--calls", "3", "--handling", "3"), "--handling: '3' is not a duration"),
        (("--calls", "3", "--handling", "3m", "--asa", "soon"), "--asa: 'soon' is not a duration"),
        (("--calls", "3", "--handling", "3m", "--abandoned", "3%"), "without patience nobody abandons"),
        (("--calls", "9999999", "--handling", "3m"), "erlangs are too many"),
        (("no-such-file",), "cannot be read"),
    ],
)
def test_slips_are_answered_where_they_are_made(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err
