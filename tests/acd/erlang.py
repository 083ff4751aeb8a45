"""Published tables of Erlang C and Erlang A, and callers drawn as they assume, served by the engine itself."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable

from acd.model import Agent, Announcements, Millis, QueueRule
from acd.simulated import Caller, Outcome, Shift, Simulation

AHT = 180.0

ERLANG_C = [  # load, agents: P(wait), mean wait, answered within 20 s
    (1, 2, 0.3333, 60, 0.7017),
    (1, 3, 0.0909, 8.18, 0.9272),
    (5, 6, 0.5875, 105.8, 0.4743),
    (5, 7, 0.3242, 29.2, 0.7404),
    (5, 8, 0.1673, 10.0, 0.8802),
    (20, 22, 0.5679, 51.1, 0.5453),
    (20, 24, 0.2981, 13.4, 0.8089),
    (20, 26, 0.1434, 4.3, 0.9264),
    (50, 55, 0.3846, 13.8, 0.7794),
    (50, 58, 0.1944, 4.4, 0.9201),
    (100, 105, 0.5157, 18.6, 0.7041),
    (100, 110, 0.2370, 4.27, 0.9220),
    (200, 210, 0.3756, 6.76, 0.8764),
]
ERLANG_A = [  # load, agents, patience: P(wait), abandoned, mean wait, answered within 20 s of all offered
    (10, 8, 180, 0.7798, 0.2460, 44.29, 0.324),
    (10, 10, 180, 0.5421, 0.1251, 22.52, 0.587),
    (10, 12, 180, 0.3032, 0.0531, 9.56, 0.802),
    (20, 16, 60, 0.6776, 0.2419, 14.5, 0.546),
    (20, 20, 120, 0.4828, 0.0977, 11.73, 0.706),
    (50, 45, 180, 0.7790, 0.1191, 21.45, 0.480),
    (50, 50, 180, 0.5188, 0.0563, 10.14, 0.751),
    (100, 100, 180, 0.5133, 0.0399, 7.18, 0.837),
]


def evenly(count: int, source: random.Random) -> list[float]:
    """Chances of which every part of 0 to 1 has its share: what is drawn by them has its mean by no matter of luck."""
    found = [(number + 0.5) / count for number in range(count)]
    source.shuffle(found)
    return found


def by_chance(count: int, source: random.Random) -> list[float]:
    return [source.random() for _ in range(count)]


def drawn(
    calls: int,
    load: float,
    *,
    patience: float | None,
    seed: int,
    mirrored: bool = False,
    chances: Callable[[int, random.Random], list[float]] = evenly,
) -> list[Caller]:
    """Poisson arrivals, exponential talks and patience. Mirrored: what was short is long and the other way round."""
    source, at = random.Random(seed), 0.0
    found: list[Caller] = []

    def exponentials(mean: float) -> list[float]:
        return [-mean * math.log1p(-(1 - chance if mirrored else chance)) for chance in chances(calls, source)]

    gaps, talks = exponentials(AHT / load), exponentials(AHT)
    waits: list[float] | list[None] = exponentials(patience) if patience else [None] * calls
    for number, (gap, talk, wait) in enumerate(zip(gaps, talks, waits, strict=True)):
        at += gap
        leaves = None if wait is None else round(wait * 1000)
        found.append(Caller(f"c{number}", round(at * 1000), round(talk * 1000), "service", leaves))
    return found


SILENT = Announcements()


def served(callers: list[Caller], agents: int, announce: Announcements = SILENT) -> list[Outcome]:
    """What became of them, without the first twentieth, who find the house empty."""
    return everybody(callers, agents, announce)[len(callers) // 20 :]


def everybody(callers: list[Caller], agents: int, announce: Announcements = SILENT) -> list[Outcome]:
    shifts = [Shift(Agent(f"a{number}", queues=("service",))) for number in range(agents)]
    rule = QueueRule("service", wrap_up=0, longest_queue=1_000_000, announce=announce)
    return Simulation([rule], shifts).serve(callers)


def plainly(callers: list[Caller], agents: int) -> list[Millis]:
    """How long each waits, the slow and obvious way: in the order in which they came, each for the first agent to be
    free, unless that takes longer than the caller's patience.
    """
    free_at, waits = [0] * agents, []
    for caller in callers:
        wait = max(0, free_at[0] - caller.at)
        if caller.patience is None or wait < caller.patience:
            heapq.heapreplace(free_at, caller.at + wait + caller.talk)
            waits.append(wait)
        else:
            waits.append(caller.patience)
    return waits
