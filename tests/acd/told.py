"""Traffic in which callers are told how long they will wait, and how wrong that was."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from acd.model import Announcements, Millis
from acd.simulated import Caller, Outcome
from tests.acd.erlang import AHT

PATIENCE = 600.0  # seconds, exponential
SPREAD = math.sqrt(math.log(1 + 0.6**2))  # handling times are log-normal with a coefficient of variation of 0.6


def waves(seed: int) -> list[Caller]:
    """Three hours; in the first quarter of each come twice as many callers as 20 agents can serve, then two thirds."""
    return coming(lambda at: 40 if at % 3600 < 900 else 14, seed, hours=3)


def steady(load: float, seed: int, hours: float = 6) -> list[Caller]:
    return coming(lambda _: load, seed, hours)


def coming(load: Callable[[float], float], seed: int, hours: float) -> list[Caller]:
    """Poisson arrivals at a load that may change with the time."""
    source, at, found = random.Random(seed), 0.0, []
    while at < hours * 3600:
        at += source.expovariate(load(at) / AHT)
        talk = source.lognormvariate(math.log(AHT) - SPREAD**2 / 2, SPREAD)
        patience = source.expovariate(1 / PATIENCE)
        found.append(Caller(f"c{len(found)}", round(at * 1000), round(talk * 1000), "service", round(patience * 1000)))
    return found


TOLD = Announcements(wait=True, first=15_000, every=30_000, only_if_better=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told to wait yet, what app_queue would have said at that moment, and the truth: seconds."""

    caller: Caller
    at: Millis
    wait: float
    app_queue: float
    truth: float


def everything_told(outcomes: list[Outcome]) -> list[Told]:
    """To those who were answered, for of others nobody knows the truth.

    app_queue says the mean hold time, (3 old + new) / 4 with every answer, less what was waited, whatever the place.
    """
    answered = [outcome for outcome in outcomes if outcome.end == "answered"]
    answers = sorted((o.caller.at + o.waited, o.waited / 1000) for o in answered)
    said = [(at, spoken.wait, o) for o in answered for at, spoken in o.told]
    hold, found = 0.0, []
    for at, wait, outcome in sorted(said, key=lambda each: each[0]):
        while answers and answers[0][0] <= at:
            hold = (3 * hold + answers.pop(0)[1]) / 4
        waited = (at - outcome.caller.at) / 1000
        truth = outcome.waited / 1000 - waited
        found.append(Told(outcome.caller, at, wait, max(0.0, hold - waited), truth))
    return found


def errors_beside_app_queues(outcomes: list[Outcome]) -> list[tuple[float, float]]:
    """By how many seconds each wait that was told was wrong, and by how many app_queue's would have been."""
    return [(abs(told.wait - told.truth), abs(told.app_queue - told.truth)) for told in everything_told(outcomes)]
