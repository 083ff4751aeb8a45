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


@dataclass(frozen=True, slots=True)
class Service:
    """What callers of one queue meet in the long run. Shares are of all callers offered."""

    waits: float  # share who do not find a free agent
    abandons: float
    mean_wait: float  # of all callers, those who give up included
    within: float  # share answered within the target
    occupancy: float  # share of the agents' time that they spend on calls


def erlang_b(load: float, agents: int) -> float:
    """The share of callers who find all agents busy where nobody may wait."""
    blocked = 1.0
    for servers in range(1, agents + 1):
        blocked = load * blocked / (servers + load * blocked)
    return blocked


def erlang_c(load: float, agents: int, *, handling: float, target: float = 20.0) -> Service:
    """With agents no more than the load the queue grows for ever: everybody waits, without an end."""
    if load <= 0:
        return Service(waits=0.0, abandons=0.0, mean_wait=0.0, within=1.0, occupancy=0.0)
    if agents <= load:
        return Service(waits=1.0, abandons=0.0, mean_wait=math.inf, within=0.0, occupancy=1.0)
    blocked = erlang_b(load, agents)
    waits = agents * blocked / (agents - load * (1 - blocked))
    spare = (agents - load) / handling  # calls per second that could be served beyond those that come
    return Service(
        waits=waits,
        abandons=0.0,
        mean_wait=waits / spare,
        within=1 - waits * math.exp(-spare * target),
        occupancy=load / agents,
    )


def erlang_a(load: float, agents: int, *, handling: float, patience: float, target: float = 20.0) -> Service:
    """By the chances of every number of callers present; those behind the last agent are `waiting`.

    A caller with `ahead` others waiting before it is served after ahead + 1 departures at rates
    c, c + 1 ... (in units of 1/patience, c = agents x patience / handling). So exp(-wait/patience) is
    Beta(c, ahead + 1) distributed, which gives the chance to be served in time in closed form.
    """
    if load <= 0:
        return Service(waits=0.0, abandons=0.0, mean_wait=0.0, within=1.0, occupancy=0.0)
    if agents <= 0:
        return Service(waits=1.0, abandons=1.0, mean_wait=patience, within=0.0, occupancy=0.0)
    c = agents * patience / handling
    arrivals = load * patience / handling  # per patience
    free = _below(load, agents)
    x = math.exp(-target / patience)
    too_late = step = x ** (c + 1)  # P(Beta(c + 1, ahead + 1) <= x), by recursion over `ahead`
    all_waiting, queue, in_time, chance, ahead = 0.0, 0.0, 0.0, 1.0, 0
    while chance > _NEGLIGIBLE * (free + all_waiting) or arrivals > c + ahead:
        all_waiting += chance
        queue += ahead * chance
        in_time += chance * c / (c + ahead + 1) * (1 - too_late)
        ahead += 1
        chance *= arrivals / (c + ahead)
        step *= (1 - x) * (c + ahead) / ahead
        too_late += step
    total = free + all_waiting
    abandons = queue / total / arrivals
    return Service(
        waits=all_waiting / total,
        abandons=abandons,
        mean_wait=abandons * patience,
        within=(free + in_time) / total,
        occupancy=load * (1 - abandons) / agents,
    )


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


def _below(load: float, agents: int) -> float:
    """The chances of 0 .. agents - 1 callers, together, in units of that of `agents` callers."""
    total, chance = 0.0, 1.0
    for present in range(agents, 0, -1):
        chance *= present / load
        total += chance
    return total
