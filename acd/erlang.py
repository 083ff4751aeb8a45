"""How many agents: Erlang C and Erlang A, and their inverses.

`load` is offered traffic in erlangs (calls per second x seconds of handling), all times are seconds.
Erlang C: callers wait for ever (A. K. Erlang, 1917). Erlang A: callers give up after an exponential
patience (Palm, 1946; Garnett, Mandelbaum, Reiman, "Designing a Call Center with Impatient Customers",
M&SOM 4(3), 2002).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MOST_AGENTS = 100_000
_NEGLIGIBLE = 1e-13
_HUGE = 1e200  # chances are kept below it; only their ratios count


@dataclass(frozen=True, slots=True)
class Service:
    """What callers of one queue meet in the long run. Shares are of all callers offered."""

    waits: float  # share who do not find a free agent
    abandons: float
    mean_wait: float  # of all callers, those who give up included
    speed_of_answer: float  # ASA, the mean wait of those who are answered
    within: float  # share answered within the target
    occupancy: float  # share of the agents' time that they spend on calls


_IDLE = Service(waits=0.0, abandons=0.0, mean_wait=0.0, speed_of_answer=0.0, within=1.0, occupancy=0.0)


def erlang_b(load: float, agents: int) -> float:
    """The share of callers who find all agents busy where nobody may wait."""
    blocked = 1.0
    for servers in range(1, agents + 1):
        blocked = load * blocked / (servers + load * blocked)
    return blocked


def erlang_c(load: float, agents: int, *, handling: float, target: float = 20.0) -> Service:
    """With agents no more than the load the queue grows for ever: everybody waits, without an end."""
    if load <= 0:
        return _IDLE
    if agents <= load:
        return Service(waits=1.0, abandons=0.0, mean_wait=math.inf, speed_of_answer=math.inf, within=0.0, occupancy=1.0)
    blocked = erlang_b(load, agents)
    waits = agents * blocked / (agents - load * (1 - blocked))
    spare = (agents - load) / handling  # calls per second that could be served beyond those that come
    return Service(
        waits=waits,
        abandons=0.0,
        mean_wait=waits / spare,
        speed_of_answer=waits / spare,
        within=1 - waits * math.exp(-spare * target),
        occupancy=load / agents,
    )


def erlang_a(load: float, agents: int, *, handling: float, patience: float, target: float = 20.0) -> Service:
    """By the chances of every number of callers present; those behind the last agent are `waiting`.

    A caller with `ahead` others waiting before it is served after ahead + 1 departures at rates
    c, c + 1 ... (in units of 1/patience, c = agents x patience / handling). So exp(-wait/patience) is
    Beta(c, ahead + 1) distributed, which gives the chance to be served in time in closed form. Given that
    the caller outlasts the wait it is Beta(c + 1, ahead + 1), and the mean of its logarithm a finite sum.
    """
    if load <= 0:
        return _IDLE
    if agents <= 0:
        return Service(waits=1.0, abandons=1.0, mean_wait=patience, speed_of_answer=0.0, within=0.0, occupancy=0.0)
    blocked = erlang_b(load, agents)
    if blocked < _NEGLIGIBLE / _HUGE:
        return Service(waits=0.0, abandons=0.0, mean_wait=0.0, speed_of_answer=0.0, within=1.0, occupancy=load / agents)
    c = agents * patience / handling
    arrivals = load * patience / handling  # per patience
    in_time_chance = _InTime(c, target / patience)
    free = 1 / blocked - 1  # the chances of 0 .. agents - 1 callers, in units of that of `agents` callers
    waiting = queue = in_time = answered_wait = 0.0
    chance, ahead, served_after = 1.0, 0, 1 / (c + 1)
    while chance > _NEGLIGIBLE * (free + waiting) or arrivals > c + ahead:
        if chance > _HUGE:
            free, waiting, queue, in_time, answered_wait, chance = (
                each / _HUGE for each in (free, waiting, queue, in_time, answered_wait, chance)
            )
        served = chance * c / (c + ahead + 1)
        waiting += chance
        queue += ahead * chance
        in_time += served * in_time_chance.next()
        answered_wait += served * served_after * patience
        ahead += 1
        chance *= arrivals / (c + ahead)
        served_after += 1 / (c + ahead + 1)
    total = free + waiting
    abandons = queue / total / arrivals
    return Service(
        waits=waiting / total,
        abandons=abandons,
        mean_wait=abandons * patience,
        speed_of_answer=answered_wait / total / (1 - abandons),
        within=(free + in_time) / total,
        occupancy=load * (1 - abandons) / agents,
    )


class _InTime:
    """P(Beta(c + 1, ahead + 1) > exp(-target)) for ahead = 0, 1, ... one after the other, by recursion.

    In logarithms: with many agents the first ones are too small for a float, the later ones are not.
    """

    def __init__(self, c: float, target: float) -> None:
        self._c = c
        self._ahead = 0
        self._step = -target * (c + 1)
        self._rest = math.log(-math.expm1(-target)) if target > 0 else -math.inf
        self._too_late = math.exp(self._step)

    def next(self) -> float:
        chance = max(0.0, 1 - self._too_late)
        self._ahead += 1
        self._step += self._rest + math.log((self._c + self._ahead) / self._ahead)
        self._too_late += math.exp(self._step)
        return chance


def agents_needed(service: Callable[[int], Service], good_enough: Callable[[Service], bool]) -> int:
    """The fewest agents whose service is good enough; it only gets better with more. Raises ValueError for none."""
    high = 1
    while not good_enough(service(high)):
        high *= 2
        if high > MOST_AGENTS:
            raise ValueError(f"not even {MOST_AGENTS:,} agents are enough")
    low = high // 2  # not enough, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if good_enough(service(middle)) else (middle, high)
    return high


def load_served(service: Callable[[float], Service], good_enough: Callable[[Service], bool], *, most: float) -> float:
    """The greatest load up to `most` whose service is good enough, to a thousandth; it only gets worse with more."""
    if good_enough(service(most)):
        return most
    low, high = 0.0, most
    while high - low > max(1e-6, high / 1000):
        middle = (low + high) / 2
        low, high = (middle, high) if good_enough(service(middle)) else (low, middle)
    return low
