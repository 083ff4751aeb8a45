"""How wrong the waits are that callers are told, beside app_queue's rule and the best that anybody could say.

    python -m bench waits

The best possible predictor knows all but the future: who waits before the caller, how long each agent has talked, and
the true distributions of talks, patience and what follows. It plays the future many times from that moment on and says
the median, which no other prediction can beat in mean absolute error. So where its error is more than half of
app_queue's, nobody's can be half.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean
from typing import Any

import numpy as np

from acd.simulated import Caller, Outcome
from tests.acd.erlang import AHT, served
from tests.acd.told import PATIENCE, SPREAD, TOLD, Told, everything_told, steady, waves

Times = np.ndarray[Any, np.dtype[np.float64]]

FUTURES = 400
STUDIED = 1_500  # of the waits that were told, drawn at random
MEAN_LOG = math.log(AHT) - SPREAD**2 / 2
_POINTS = np.linspace(-7, 7, 14_001)
_NORMAL = NormalDist()
_SHARES = np.array([_NORMAL.cdf(float(point)) for point in _POINTS])


@dataclass(frozen=True, slots=True)
class Talks:
    """How long talks last: `draw` of a new one, `rest` of one that has lasted so many seconds."""

    draw: Callable[[np.random.Generator], Times]
    rest: Callable[[np.random.Generator, float], Times]


def _log_normal_rest(source: np.random.Generator, lasted: float) -> Times:
    over = _NORMAL.cdf((math.log(lasted) - MEAN_LOG) / SPREAD) if lasted else 0.0
    shares = over + (1 - over) * source.random(FUTURES)
    rest: Times = np.exp(MEAN_LOG + SPREAD * np.interp(shares, _SHARES, _POINTS)) - lasted
    return np.maximum(rest, 0.0)


LOG_NORMAL = Talks(lambda source: source.lognormal(MEAN_LOG, SPREAD, FUTURES), _log_normal_rest)
EXPONENTIAL = Talks(lambda source: source.exponential(AHT, FUTURES), lambda source, _: source.exponential(AHT, FUTURES))


def measure() -> dict[str, object]:
    print("  mean absolute error in seconds; share of app_queue's")
    return {
        "waves, 20 agents": _measured(waves(1), 20, LOG_NORMAL),
        "22 erlangs, 20 agents": _measured(steady(22, seed=1), 20, LOG_NORMAL),
        "24 erlangs, 20 agents": _measured(steady(24, seed=1), 20, LOG_NORMAL),
        "30 erlangs, 20 agents": _measured(steady(30, seed=1), 20, LOG_NORMAL),
        "24 erlangs, 20 agents, exponential talks": _measured(_exponential(steady(24, seed=1)), 20, EXPONENTIAL),
        "120 erlangs, 100 agents": _measured(steady(120, seed=1, hours=3), 100, LOG_NORMAL),
    }


def _exponential(callers: Sequence[Caller]) -> list[Caller]:
    source = random.Random(2)
    return [replace(caller, talk=round(source.expovariate(1 / AHT) * 1000)) for caller in callers]


def _measured(callers: list[Caller], agents: int, talks: Talks) -> dict[str, object]:
    outcomes = served(callers, agents, announce=TOLD)
    told = everything_told(outcomes)
    source = np.random.default_rng(1)
    errors: dict[str, list[float]] = {"told": [], "app_queue": [], "true rates": [], "best possible": []}
    for each in random.Random(1).sample(told, min(STUDIED, len(told))):
        talking = _talking(outcomes, each)
        if len(talking) < agents:
            continue  # somebody is being connected, or the house was empty when this one began
        errors["told"].append(abs(each.wait - each.truth))
        errors["app_queue"].append(abs(each.app_queue - each.truth))
        ahead = _ahead(outcomes, each)
        by_rates = sum(1 / (agents / AHT + before / PATIENCE) for before in range(ahead + 1))
        errors["true rates"].append(abs(by_rates - each.truth))
        errors["best possible"].append(abs(_best(ahead, talking, talks, source) - each.truth))
    means = {who: fmean(of) for who, of in errors.items()}
    return {who: f"{mean:.1f} ({mean / means['app_queue']:.2f})" for who, mean in means.items()}


def _talking(outcomes: Sequence[Outcome], told: Told) -> list[float]:
    """For how many seconds each agent has talked."""
    answered = ((each.caller.at + each.waited, each.caller.talk) for each in outcomes if each.end == "answered")
    return [(told.at - start) / 1000 for start, talk in answered if start <= told.at < start + talk]


def _ahead(outcomes: Sequence[Outcome], told: Told) -> int:
    return sum(each.caller.at < told.caller.at and each.caller.at + each.waited > told.at for each in outcomes)


def _best(ahead: int, talking: Sequence[float], talks: Talks, source: np.random.Generator) -> float:
    """The median wait of those who are answered; only theirs is ever compared, so the patience to be so counts."""
    free = np.stack([talks.rest(source, lasted) for lasted in talking], axis=1)
    futures = np.arange(FUTURES)
    for _ in range(ahead):
        agent = free.argmin(axis=1)
        turn = free[futures, agent]
        stays = source.exponential(PATIENCE, FUTURES) > turn
        free[futures, agent] = np.where(stays, turn + talks.draw(source), turn)
    waits = np.sort(free.min(axis=1))
    weights = np.cumsum(np.exp(-waits / PATIENCE))
    return float(waits[np.searchsorted(weights, weights[-1] / 2)])
