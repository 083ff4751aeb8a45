"""Erlang C and Erlang A: against published tables, and against the engine itself under drawn callers."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import fmean

import pytest

from acd.erlang import Service, agents_needed, erlang_a, erlang_b, erlang_c, load_served
from acd.model import Agent, QueueRule
from acd.simulated import Shift, Simulation
from tests.acd.erlang import AHT, ERLANG_A, ERLANG_C, by_chance, drawn, everybody, plainly, served
from tests.acd.told import TOLD, errors_beside_app_queues, steady, waves


@pytest.mark.parametrize(("load", "agents", "waits", "mean_wait", "within"), ERLANG_C)
def test_erlang_c_is_the_published_table(load, agents, waits, mean_wait, within):
    service = erlang_c(load, agents, handling=AHT)
    assert service.waits == pytest.approx(waits, abs=0.00006)
    assert service.mean_wait == pytest.approx(mean_wait, rel=0.012)
    assert service.within == pytest.approx(within, abs=0.00006)
    assert service.occupancy == load / agents


@pytest.mark.parametrize(("load", "agents", "patience", "waits", "abandons", "mean_wait", "within"), ERLANG_A)
def test_erlang_a_is_the_published_table(*, load, agents, patience, waits, abandons, mean_wait, within):
    service = erlang_a(load, agents, handling=AHT, patience=patience)
    assert service.waits == pytest.approx(waits, abs=0.00006)
    assert service.abandons == pytest.approx(abandons, abs=0.00006)
    assert service.mean_wait == pytest.approx(mean_wait, abs=0.015)
    assert service.within == pytest.approx(within, abs=0.0006)


def test_garnett_mandelbaum_and_reiman_example():
    """50 agents, 48 calls a minute of one minute each, patience two minutes (M&SOM 2002)."""
    service = erlang_a(48, 50, handling=60, patience=120)
    assert service.abandons == pytest.approx(0.031, abs=0.0005)
    assert service.mean_wait == pytest.approx(3.7, abs=0.05)
    assert service.occupancy == pytest.approx(0.93, abs=0.005)
    assert erlang_c(48, 50, handling=60).mean_wait == pytest.approx(20.8, abs=0.1)


@pytest.mark.parametrize(("load", "agents", "patience"), [(10, 12, 180), (50, 45, 180), (3, 1, 30)])
def test_abandonment_is_mean_wait_over_patience(load, agents, patience):
    service = erlang_a(load, agents, handling=AHT, patience=patience)
    assert service.abandons == pytest.approx(service.mean_wait / patience)


def test_with_endless_patience_erlang_a_is_erlang_c():
    patient = erlang_a(20, 24, handling=AHT, patience=1e7)
    endless = erlang_c(20, 24, handling=AHT)
    assert patient.waits == pytest.approx(endless.waits, rel=1e-3)
    assert patient.mean_wait == pytest.approx(endless.mean_wait, rel=1e-3)
    assert patient.within == pytest.approx(endless.within, rel=1e-3)


def test_the_edges():
    assert erlang_b(0, 3) == 0
    assert erlang_c(0, 3, handling=AHT) == erlang_a(0, 3, handling=AHT, patience=60) == Service(0, 0, 0, 0, 1, 0)
    assert erlang_c(5, 5, handling=AHT) == Service(1, 0, math.inf, math.inf, 0, 1)
    assert erlang_a(5, 0, handling=AHT, patience=60) == Service(1, 1, 60, 0, 0, 0)
    assert 0.79 < erlang_a(1000, 200, handling=AHT, patience=60).abandons < 0.81


@pytest.mark.parametrize(
    ("load", "agents", "patience"),
    [(0.001, 2_000, 180), (5_000, 100, 180), (20_000, 10_000, 600), (10_500, 10_000, 180), (3, 2, 0.5)],
)
def test_nothing_is_too_large_or_too_small_to_be_worked_out(load, agents, patience):
    service = erlang_a(load, agents, handling=AHT, patience=patience)
    assert 0 <= service.within <= 1
    assert 0 <= service.abandons < 1
    assert service.abandons >= 1 - agents / load - 1e-9  # no more can be served than there are agents
    assert service.occupancy <= 1 + 1e-9


def test_of_many_who_wait_as_long_as_each_other_those_within_the_target_are_few():
    """10,000 agents at 110 %: nearly all wait about -ln(10/11) of their patience, 57 s, and few less than 40 s."""
    service = erlang_a(11_000, 10_000, handling=AHT, patience=600, target=40)
    assert service.within < 0.01
    assert erlang_a(11_000, 10_000, handling=AHT, patience=600, target=70).within > 0.85
    assert service.speed_of_answer == pytest.approx(600 * math.log(11 / 10), rel=0.02)


@pytest.mark.parametrize(("load", "agents", "patience"), [(10, 12, 180), (50, 45, 180), (3, 1, 30)])
def test_the_speed_of_answer_is_what_adding_up_departures_says(load, agents, patience):
    """By the slow way: departure by departure, each of which the caller outlasts or does not."""
    weights, present = [1.0], 0
    while weights[-1] > 1e-13 * max(weights) or present < agents:
        present += 1
        leaving = min(present, agents) / AHT + max(0, present - agents) / patience
        weights.append(weights[-1] * load / AHT / leaving)
    served = waited = 0.0
    for ahead, weight in enumerate(weights[agents:]):
        rates = [agents / AHT + n / patience for n in range(ahead + 1)]  # departures before this caller's turn
        chance = math.prod(rate / (rate + 1 / patience) for rate in rates)  # it outlasts them all
        served += weight * chance
        waited += weight * chance * sum(1 / (rate + 1 / patience) for rate in rates)
    served += sum(weights[:agents])
    expected = erlang_a(load, agents, handling=AHT, patience=patience).speed_of_answer
    assert expected == pytest.approx(waited / served, rel=1e-6)


def test_the_most_callers_that_so_many_agents_serve():
    def service(load: float) -> Service:
        return erlang_a(load, 12, handling=AHT, patience=180)

    load = load_served(service, lambda service: service.within >= 0.8, most=12 * 10)
    assert service(load).within >= 0.8
    assert service(load * 1.002).within < 0.8
    assert load_served(service, lambda _: True, most=60) == 60


@pytest.mark.parametrize("load", [0.5, 5, 20, 100])
def test_the_fewest_agents_are_enough_and_one_less_is_not(load):
    def service(agents: int) -> Service:
        return erlang_c(load, agents, handling=AHT)

    agents = agents_needed(service, lambda service: service.within >= 0.8)
    assert service(agents).within >= 0.8
    assert service(agents - 1).within < 0.8


def test_what_no_number_of_agents_reaches_is_an_error():
    with pytest.raises(ValueError, match="not even 100,000 agents"):
        agents_needed(lambda agents: erlang_c(0, agents, handling=AHT), lambda _: False)


# --- through the engine ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "agents", "patience"),
    [(load, agents, None) for load, agents, *_ in ERLANG_C] + [(*row[:2], row[2]) for row in ERLANG_A],
)
def test_of_every_row_each_caller_waits_as_long_as_in_a_plain_queue(load, agents, patience):
    """To the millisecond. That a plain queue of a million callers is as the tables say: python -m bench erlang."""
    callers = drawn(500 + 10 * load, load, patience=patience, seed=1, chances=by_chance)
    waits = [outcome.waited for outcome in everybody(callers, agents)]
    assert waits == plainly(callers, agents)
    assert any(waits)


@pytest.mark.parametrize(("load", "agents", "patience"), [(10, 10, 180), (20, 16, 60)])
def test_the_engine_itself_serves_as_erlang_a_says(load, agents, patience):
    """Two seeds and their mirror images. Without those, the noise of so few calls would be several times the gate."""
    expected = erlang_a(load, agents, handling=AHT, patience=patience)
    outcomes = [
        outcome
        for seed in (0, 1)
        for mirrored in (False, True)
        for outcome in served(drawn(4_000, load, patience=patience, seed=seed, mirrored=mirrored), agents)
    ]
    answered = [outcome for outcome in outcomes if outcome.end == "answered"]
    assert {outcome.end for outcome in outcomes} == {"answered", "abandoned"}
    within = [outcome.end == "answered" and outcome.waited <= 20_000 for outcome in outcomes]
    assert fmean(outcome.waited > 0 for outcome in outcomes) == pytest.approx(expected.waits, abs=0.02)
    assert fmean(outcome.end == "abandoned" for outcome in outcomes) == pytest.approx(expected.abandons, rel=0.05)
    assert fmean(outcome.waited / 1000 for outcome in outcomes) == pytest.approx(expected.mean_wait, rel=0.05)
    assert fmean(outcome.waited / 1000 for outcome in answered) == pytest.approx(expected.speed_of_answer, rel=0.05)
    assert fmean(within) == pytest.approx(expected.within, abs=0.02)


def test_the_engine_itself_serves_as_erlang_c_says():
    """Ten seeds and their mirror images, drawn by chance: evenly drawn calls would have no hour busy enough."""
    expected = erlang_c(5, 8, handling=AHT)
    outcomes = [
        outcome
        for seed in range(10)
        for mirrored in (False, True)
        for outcome in served(drawn(1_500, 5, patience=None, seed=seed, mirrored=mirrored, chances=by_chance), 8)
    ]
    assert {outcome.end for outcome in outcomes} == {"answered"}
    assert fmean(outcome.waited > 0 for outcome in outcomes) == pytest.approx(expected.waits, abs=0.02)
    assert fmean(outcome.waited / 1000 for outcome in outcomes) == pytest.approx(expected.mean_wait, rel=0.05)
    assert fmean(outcome.waited <= 20_000 for outcome in outcomes) == pytest.approx(expected.within, abs=0.01)


def test_the_waits_that_callers_are_told_err_half_as_much_as_app_queues():
    """Every thirty seconds a caller is told what remains."""
    errors = [error for seed in (1, 2) for error in errors_beside_app_queues(served(waves(seed), 20, announce=TOLD))]
    ours, app_queues = map(fmean, zip(*errors, strict=True))
    assert len(errors) > 4_000
    assert ours <= app_queues / 2, (ours, app_queues)


def test_in_a_steady_overload_they_err_two_thirds_as_much():
    """app_queue's guess is fair there, and the best possible one has more than half of its error (bench waits)."""
    errors = [error for seed in (1, 2) for error in errors_beside_app_queues(served(steady(24, seed), 20, TOLD))]
    ours, app_queues = map(fmean, zip(*errors, strict=True))
    assert len(errors) > 10_000
    assert ours <= app_queues * 0.65, (ours, app_queues)


def test_where_callers_ask_for_skills_and_agents_serve_several_queues_they_err_two_thirds_as_much():
    """The queue's length misleads there; what callers of the same needs really waited corrects it."""
    source = random.Random(1)
    callers = []
    for caller in waves(1):
        (queue,), skills = source.choices(("service", "sales"), (2, 1)), source.choices(LANGUAGES, (6, 3, 1))
        callers.append(replace(caller, queue=queue, skills=tuple(skills)))
    shifts = [Shift(Agent(f"a{n}", queues=queues_of(n), skills=languages_of(n))) for n in range(20)]
    rules = [QueueRule(name, wrap_up=0, longest_queue=1_000_000, announce=TOLD) for name in ("service", "sales")]
    outcomes = Simulation(rules, shifts).serve(callers)[len(callers) // 20 :]
    errors = []
    for rule in rules:
        errors += errors_beside_app_queues([outcome for outcome in outcomes if outcome.caller.queue == rule.name])
    ours, app_queues = map(fmean, zip(*errors, strict=True))
    assert len(errors) > 3_000
    assert ours <= app_queues * 0.7, (ours, app_queues)


LANGUAGES = ("cmn", "yue", "en")


def queues_of(number: int) -> tuple[str, ...]:
    return ("service",) if number % 3 == 0 else ("service", "sales")


def languages_of(number: int) -> dict[str, int]:
    """Most speak Mandarin, some Cantonese, a few English."""
    known = {"cmn": number % 4 > 0, "yue": number % 3 == 0 or number % 4 == 0, "en": number % 5 == 0}
    return {language: 3 for language, speaks in known.items() if speaks}
