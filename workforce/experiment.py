"""A plan carried out: every variant served the same callers, again and again, and how sure the answers are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from acd.figures import QUARTER, Figures
from acd.hindsight import milliseconds
from acd.model import Agent, AgentId, Millis, QueueHours, QueueRule
from acd.records import Entry
from acd.simulated import LONGEST, Caller, Ring, Shift, Simulation
from config.values import UserError
from workforce.callers import Recorded, Sources, days, drawn, moment, recorded, replayed
from workforce.confidence import CONFIDENCE, Estimate, estimate
from workforce.measuring import Measured, Values, measured
from workforce.plan import AgentsEntry, Plan

NEVER: Millis = 365 * 24 * 3600 * 1000  # longer than any phone rings

K = TypeVar("K")
Observer = Callable[[Millis, Entry], None]


@dataclass(slots=True)
class Variant:
    """One variant and what its replications gave, in their order."""

    plan: Plan
    runs: list[Measured] = field(default_factory=list)


class Experiment:
    """Runs the plans of one file side by side. Raises UserError where a journal does not fit the plan."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.variants = [Variant(plan) for plan in plans]
        self._recorded: dict[tuple[Path, str], list[Recorded]] = {}

    @property
    def rounds(self) -> int:
        return sum(variant.plan.entry.replications for variant in self.variants)

    def run(self) -> Iterator[None]:
        """Every replication of every variant; yields after each."""
        for variant in self.variants:
            for number in range(variant.plan.entry.replications):
                variant.runs.append(self.measure(variant.plan, number))
                yield

    def measure(self, plan: Plan, number: int, observe: Observer | None = None) -> Measured:
        """One replication, measured; `observe` is given every record as well."""
        span = self.span(plan)
        figures = Figures(short=round(plan.entry.short * 1000))

        def note(at: Millis, entry: Entry) -> None:
            figures.note(at, *entry)
            if observe:
                observe(at, entry)

        _simulate(plan, span, self._callers(plan, span, number), Sources(plan.entry.seed, number), note)
        return measured(plan, span, figures)

    def span(self, plan: Plan) -> tuple[datetime, datetime]:
        """From when to when callers come: as written, else as the journals have them, in whole quarters of an hour."""
        since, until = plan.entry.from_, plan.entry.until
        if since and until:
            return since, until
        known = [
            call.at for name, entry in plan.entry.callers.items() if entry.journal for call in self._of(plan, name)
        ]
        if not known:
            raise UserError("the journal has no calls for this plan")
        first, last = min(known) // QUARTER * QUARTER, (max(known) // QUARTER + 1) * QUARTER
        begin, end = (datetime.fromtimestamp(at / 1000, plan.zone) for at in (first, last))
        return since or begin, until or end

    def _callers(self, plan: Plan, span: tuple[datetime, datetime], number: int) -> list[Caller]:
        found: list[Caller] = []
        sources = Sources(plan.entry.seed, number)
        for name, entry in plan.entry.callers.items():
            calls = self._of(plan, name) if entry.journal else []
            found += replayed(name, entry, calls, sources) if entry.journal else drawn(name, entry, span, sources)
        return sorted(found, key=lambda caller: caller.at)

    def _of(self, plan: Plan, name: str) -> list[Recorded]:
        """The calls of a journal that a kind of callers names; read once."""
        entry = plan.entry.callers[name]
        source = plan.home / entry.journal
        if (source, entry.queue) not in self._recorded:
            span = plan.entry.from_, plan.entry.until
            self._recorded[source, entry.queue] = recorded(source, span, entry.queue)
        calls = self._recorded[source, entry.queue]
        if unknown := {call.queue for call in calls} - {rule.name for rule in plan.rules}:
            raise UserError(f"{source}: has calls for queue '{min(unknown)}', which the plan has not")
        return calls


# --- one replication ----------------------------------------------------------------------------------


def _simulate(
    plan: Plan, span: tuple[datetime, datetime], callers: list[Caller], sources: Sources, observe: Observer
) -> None:
    people = _Agents(plan, span, sources)
    Simulation(
        _rules(plan, callers),
        people.shifts,
        seed=plan.entry.seed,
        ring=people.ring,
        back_after=people.back_after,
        hours=_hours(plan, span),
        observe=observe,
    ).serve(callers)


def _rules(plan: Plan, callers: Iterable[Caller]) -> list[QueueRule]:
    """The queues; where callers say how long the work after them takes, there must be some that can be extended."""
    measured = {caller.queue for caller in callers if caller.wrap_up is not None}
    return [replace(rule, wrap_up=max(1, rule.wrap_up)) if rule.name in measured else rule for rule in plan.rules]


def _hours(plan: Plan, span: tuple[datetime, datetime]) -> Iterator[tuple[Millis, QueueHours]]:
    """What the queues' calendars say, also to those who still wait when nobody calls any more."""
    since, until = span[0], span[1] + timedelta(milliseconds=LONGEST)
    for rule in plan.rules:
        if rule.calendar:
            for at, state in plan.calendars[rule.calendar].changes(since, until):
                if at > since or state != "open":  # as a queue counts before the first word
                    yield milliseconds(at), QueueHours(rule.name, state)


class _Agents:
    """Everybody's shifts, and what each does when the phone rings."""

    def __init__(self, plan: Plan, span: tuple[datetime, datetime], sources: Sources) -> None:
        self.shifts: list[Shift] = []
        self._of: dict[AgentId, tuple[AgentsEntry, Random]] = {}
        for group, entry in plan.entry.agents.items():
            for agent in entry.members(group):
                self._of[agent.id] = entry, sources.of("ring", agent.id)
                self.shifts += _shifts(agent, entry, plan, span)

    def ring(self, agent: AgentId) -> Ring:
        entry, source = self._of[agent]
        fate, after = source.random(), entry.answers_after.millis(source)
        if fate < entry.no_answer:
            return Ring(NEVER)
        return Ring(after, "declines" if fate < entry.no_answer + entry.declines else "answers")

    def back_after(self, agent: AgentId) -> Millis:
        return round(self._of[agent][0].back_after * 1000)


def _shifts(agent: Agent, entry: AgentsEntry, plan: Plan, span: tuple[datetime, datetime]) -> Iterator[Shift]:
    first, end = milliseconds(span[0]), milliseconds(span[1])
    dates = list(days(*span))
    breaks = [
        (moment(day, begin, plan.zone), moment(day, stop, plan.zone)) for day in dates for begin, stop in entry.breaks
    ]
    if not entry.shift:
        yield Shift(agent, first, breaks=tuple(each for each in breaks if first <= each[0] < end))
    for day in dates:
        for begin, stop in entry.shift:
            on, off = max(first, moment(day, begin, plan.zone)), moment(day, stop, plan.zone)
            if on < off and on < end:
                inside = tuple(each for each in breaks if on <= each[0] and each[1] <= off)
                yield Shift(agent, on, off, inside)


# --- what all replications say --------------------------------------------------------------------------

Estimates = dict[str, Estimate | None]


def estimates(runs: Sequence[Values]) -> Estimates:
    """Every figure over the replications; a share or a mean over those in which there was somebody."""
    return {name: estimate(run[name] for run in runs) for name in runs[0]}


def differences(runs: Sequence[Values], base: Sequence[Values]) -> Estimates:
    """How much greater every figure is than in the base, replication by replication: luck that both had is out."""
    pairs = list(zip(runs, base, strict=False))  # a variant may have more replications
    return {name: estimate(_minus(run[name], other[name]) for run, other in pairs) for name in runs[0]}


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def by_name(runs: Sequence[Mapping[K, Values]]) -> dict[K, list[Values]]:
    """Runs of the same scopes as scopes with their runs."""
    return {name: [run[name] for run in runs] for name in runs[0]}


def as_json(experiment: Experiment) -> dict[str, Any]:
    """All answers as one object of plain values; see docs/figures.md."""
    base = experiment.variants[0]
    entry = base.plan.entry
    since, until = experiment.span(base.plan)
    return {
        "from": since.isoformat(),
        "until": until.isoformat(),
        "seed": entry.seed,
        "confidence": CONFIDENCE,
        "formula": entry.formula,
        "variants": [_variant(variant, base) for variant in experiment.variants],
    }


def _variant(variant: Variant, base: Variant) -> dict[str, Any]:
    runs, zone = variant.runs, variant.plan.zone
    of_queues = by_name([run.queues for run in runs])
    of_base = by_name([run.queues for run in base.runs])
    return {
        "name": variant.plan.name,
        "changes": dict(variant.plan.changes),
        "replications": len(runs),
        "all": _plain(estimates([run.all for run in runs])),
        "queues": {name: _plain(estimates(each)) for name, each in of_queues.items()},
        "agents": {name: _plain(estimates(each)) for name, each in by_name([run.agents for run in runs]).items()},
        "intervals": [
            {"from": datetime.fromtimestamp(start / 1000, zone).isoformat(), **_plain(estimates(each))}
            for start, each in by_name([run.intervals for run in runs]).items()
        ],
        "difference": None
        if variant is base
        else {
            "all": _plain(differences([run.all for run in runs], [run.all for run in base.runs])),
            "queues": {
                name: _plain(differences(each, of_base[name])) for name, each in of_queues.items() if name in of_base
            },
        },
    }


def _plain(found: Estimates) -> dict[str, Any]:
    return {
        name: None if each is None else {"mean": each.mean, "low": each.low, "high": each.high}
        for name, each in found.items()
    }
