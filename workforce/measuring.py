"""One replication in numbers: of all calls, of each queue, each group of agents, each quarter of an hour.

A count of nothing is 0 and belongs to the mean over the replications; a share or a mean of nothing is None.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from acd.figures import QUARTER, AgentFigures, Figures, QueueFigures
from acd.hindsight import milliseconds
from acd.model import Millis
from workforce.plan import Plan
from workforce.reporting import FORMULAS

Values = dict[str, float | None]
K = TypeVar("K")
F = TypeVar("F", QueueFigures, AgentFigures)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of every queue, group and quarter that the plan has, also where there was nobody."""

    all: Values
    queues: dict[str, Values]
    agents: dict[str, Values]
    intervals: dict[Millis, Values]


def quarters(since: datetime, until: datetime, warm_up: float = 0.0) -> range:
    """The beginnings of the quarters of an hour that a span touches; after a warm-up (seconds) only of whole ones."""
    first, end = milliseconds(since), milliseconds(until)
    begin = -(-(first + round(warm_up * 1000)) // QUARTER) if warm_up else first // QUARTER
    return range(begin * QUARTER, end, QUARTER)


def measured(plan: Plan, span: tuple[datetime, datetime], figures: Figures) -> Measured:
    """Calls that came after the warm-up, and agents' time from then until the last callers came."""
    times = quarters(*span, plan.entry.warm_up)
    group_of = {agent.id: group for group, entry in plan.entry.agents.items() for agent in entry.members(group)}
    calls = [(start, queue, counted) for (start, queue), counted in figures.queues.items() if start in times]
    work = [(start, group_of[agent], done) for (start, agent), done in figures.agents.items() if start in times]

    by_queue = _sums(
        ((queue, counted) for _, queue, counted in calls), {rule.name: QueueFigures() for rule in plan.rules}
    )
    by_group = _sums(((group, done) for _, group, done in work), {group: AgentFigures() for group in plan.entry.agents})
    calls_at = _sums(((start, counted) for start, _, counted in calls), {start: QueueFigures() for start in times})
    work_at = _sums(((start, done) for start, _, done in work), {start: AgentFigures() for start in times})

    formula = plan.entry.formula
    return Measured(
        all=_of_both(_total(QueueFigures(), by_queue), _total(AgentFigures(), by_group), formula),
        queues={name: of_calls(counted, formula) for name, counted in by_queue.items()},
        agents={group: {"calls": done.calls, "occupancy": done.occupancy()} for group, done in by_group.items()},
        intervals={start: _of_both(calls_at[start], work_at[start], formula) for start in times},
    )


def _sums(parts: Iterable[tuple[K, F]], sums: dict[K, F]) -> dict[K, F]:
    """The parts added up, each to the sum of its key."""
    for key, part in parts:
        sums[key].add(part)
    return sums


def _total(sum_: F, of: dict[str, F]) -> F:
    for part in of.values():
        sum_.add(part)
    return sum_


def _of_both(calls: QueueFigures, work: AgentFigures, formula: str) -> Values:
    return of_calls(calls, formula) | {"occupancy": work.occupancy()}


def of_calls(counted: QueueFigures, formula: str) -> Values:
    """What became of some calls."""
    ended = counted.answered + counted.abandoned + counted.left + counted.overflowed
    return {
        "offered": counted.offered,
        "answered": counted.answered,
        "abandoned": counted.abandoned,
        "left": counted.left,
        "overflowed": counted.overflowed,
        "unserved": counted.offered - ended,
        "abandon_rate": counted.share_abandoned(),
        "service_level": counted.service_level(FORMULAS[formula]),
        "asa": counted.speed_of_answer(),
        "mean_wait": counted.mean_wait(),
        "longest_wait": counted.longest_wait / 1000 if ended else None,
        "aht": counted.handling_time(),
    }
