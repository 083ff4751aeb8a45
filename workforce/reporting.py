"""The figures of a span of time for people and programs: what is chosen, totals and intervals, a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from acd.figures import QUARTER, AgentFigures, Figures, Formula, QueueFigures
from acd.hindsight import milliseconds
from acd.model import Millis
from workforce import drawing
from workforce.drawing import Bars, Curve, Level, Panel

Record = Mapping[str, Any]
Row = dict[str, Any]

FORMULAS = {
    "offered": Formula.OFFERED,
    "answered": Formula.ANSWERED,
    "without-early": Formula.WITHOUT_EARLY,
    "early-as-served": Formula.EARLY_AS_SERVED,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What is reported. Empty names choose all; `since` and `until` are aware and begin and end an interval."""

    since: datetime
    until: datetime
    queues: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    formula: str = "offered"
    every: Millis = QUARTER


@dataclass(frozen=True, slots=True)
class Scope:
    """One queue, skill or agent: its total, and each interval in which there was anything."""

    kind: str
    name: str
    total: QueueFigures | AgentFigures
    intervals: dict[Millis, QueueFigures | AgentFigures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    choice: Choice
    figures: Figures
    queues: list[Scope]
    skills: list[Scope]
    agents: list[Scope]

    def scopes(self) -> Iterator[Scope]:
        yield from (*self.queues, *self.skills, *self.agents)


def folded(
    records: Iterable[Record],
    until: datetime,
    *,
    targets: Mapping[str, Millis],
    short: Millis,
    now: datetime | None = None,
) -> Figures:
    """The figures up to a time, the same whatever came after it.

    The calls that entered before it are followed beyond it to their end, and to that of the agents' work after them.
    Agents' present states last up to it; where no record is as late, up to `now`, or (None, when nobody writes the
    journal any more) up to the last record.
    """
    figures, last = Figures(targets, short=short, end=milliseconds(until)), 0
    for record in records:
        last = milliseconds(record["at"])
        if last >= figures.end and not figures.under_way:
            break
        with suppress(KeyError, TypeError, ValueError):  # a record of another version, or none of ours
            figures.take(record)
    known = datetime.fromtimestamp(last / 1000, UTC)
    figures.until(max(known, now or known))
    return figures


def report(figures: Figures, choice: Choice) -> Report:
    queues = _scopes("queue", figures.queues, choice, choice.queues, QueueFigures)
    skills = _scopes("skill", figures.skills, choice, choice.skills, QueueFigures)
    agents = _scopes("agent", figures.agents, choice, choice.agents, AgentFigures)
    chosen = [bool(choice.queues), bool(choice.skills), bool(choice.agents)]
    shown = chosen if any(chosen) else [True] * 3
    found = [scopes if show else [] for scopes, show in zip((queues, skills, agents), shown, strict=True)]
    return Report(choice, figures, *found)


def _scopes(
    kind: str,
    all_: Mapping[tuple[Millis, str], Any],
    choice: Choice,
    names: tuple[str, ...],
    make: type[QueueFigures | AgentFigures],
) -> list[Scope]:
    first, end = milliseconds(choice.since), milliseconds(choice.until)
    found: dict[str, Scope] = {name: Scope(kind, name, make()) for name in names}
    for (start, name), figures in sorted(all_.items()):
        if not first <= start < end or (names and name not in names):
            continue
        scope = found.setdefault(name, Scope(kind, name, make()))
        slot = first + (start - first) // choice.every * choice.every
        scope.total.add(figures)
        scope.intervals.setdefault(slot, make()).add(figures)
    return sorted(found.values(), key=lambda scope: scope.name)


# --- as plain values ----------------------------------------------------------------------------------


def row(figures: QueueFigures | AgentFigures, formula: str) -> Row:
    """Times in seconds, shares from 0 to 1, None for a mean of nothing; see docs/figures.md."""
    return _of_queue(figures, formula) if isinstance(figures, QueueFigures) else _of_agent(figures)


def _of_queue(figures: QueueFigures, formula: str) -> Row:
    return {
        "offered": figures.offered,
        "answered": figures.answered,
        "answered_in_time": figures.answered_in_time,
        "abandoned": figures.abandoned,
        "abandoned_in_time": figures.abandoned_in_time,
        "abandoned_short": figures.abandoned_short,
        "left": figures.left,
        "overflowed": figures.overflowed,
        "service_level": figures.service_level(FORMULAS[formula]),
        "asa": figures.speed_of_answer(),
        "mean_wait": figures.mean_wait(),
        "longest_wait": figures.longest_wait / 1000,
        "aht": figures.handling_time(),
        "talk": figures.talk_time(),
        "wrap_up": figures.wrap_up_time(),
        "transfers": figures.transfers,
        "ring_no_answer": figures.ring_no_answer,
        "declined": figures.declined,
        "results": dict(figures.results),
    }


def _of_agent(figures: AgentFigures) -> Row:
    return {
        "calls": figures.calls,
        "aht": figures.handling_time(),
        "occupancy": figures.occupancy(),
        "logged_on": figures.logged_on() / 1000,
        "ready": figures.ready / 1000,
        "reserved": figures.reserved / 1000,
        "busy": figures.busy / 1000,
        "wrap_up": figures.wrapped_up / 1000,
        "not_ready": figures.not_ready / 1000,
        "reasons": {reason: time / 1000 for reason, time in figures.reasons.items()},
        "transfers": figures.transfers,
        "ring_no_answer": figures.ring_no_answer,
        "declined": figures.declined,
    }


def as_json(found: Report, zone: ZoneInfo) -> dict[str, Any]:
    choice = found.choice

    def plain(scope: Scope) -> dict[str, Any]:
        intervals = [
            {"from": _at(start, zone).isoformat(), **row(figures, choice.formula)}
            for start, figures in sorted(scope.intervals.items())
        ]
        levels = (
            {"service_levels": {name: scope.total.service_level(formula) for name, formula in FORMULAS.items()}}
            if isinstance(scope.total, QueueFigures)
            else {}
        )
        total = row(scope.total, choice.formula) | levels
        return {"name": scope.name, "total": total, "intervals": intervals}

    return {
        "from": choice.since.isoformat(),
        "to": choice.until.isoformat(),
        "interval": choice.every / 1000,
        "formula": choice.formula,
        "short": found.figures.short / 1000,
        "queues": [plain(scope) for scope in found.queues],
        "skills": [plain(scope) for scope in found.skills],
        "agents": [plain(scope) for scope in found.agents],
    }


def as_rows(found: Report, zone: ZoneInfo) -> Iterator[Row]:
    """Every interval of every queue, skill and agent, as one flat row; what a kind does not have is missing."""
    for scope in found.scopes():
        for start, figures in sorted(scope.intervals.items()):
            at = _at(start, zone).isoformat()
            flat = row(figures, found.choice.formula)
            texts = {name: _as_text(value) for name, value in flat.items() if isinstance(value, dict)}
            yield {"kind": scope.kind, "name": scope.name, "from": at, **flat, **texts}


def _as_text(counted: Mapping[str, float]) -> str:
    """``lunch=1800.0; meeting=600.0``."""
    return "; ".join(f"{name}={value}" for name, value in sorted(counted.items()))


def _at(start: Millis, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(start / 1000, zone)


# --- as a picture -------------------------------------------------------------------------------------


def picture(found: Report, zone: ZoneInfo, title: str) -> str:
    """The chosen queues (or skills) together and the agents over the hours in which there was anything, as SVG."""
    of_calls = _together(found.queues or found.skills, QueueFigures)
    of_agents = _together(found.agents, AgentFigures)
    times = _times(found.choice, [*of_calls, *of_agents])
    calls = [of_calls.get(time, QueueFigures()) for time in times]
    people = [of_agents.get(time, AgentFigures()) for time in times]
    panels = [
        *(_panels_of_calls(found, calls) if of_calls else ()),
        *(_panels_of_agents(found, people) if of_agents else ()),
    ]
    return drawing.draw(title, [_at(time, zone) for time in times], panels)


def _together(scopes: Iterable[Scope], make: type[Any]) -> dict[Millis, Any]:
    total: dict[Millis, Any] = {}
    for scope in scopes:
        for start, figures in scope.intervals.items():
            total.setdefault(start, make()).add(figures)
    return total


def _times(choice: Choice, known: list[Millis]) -> list[Millis]:
    """The intervals from the first to the last in which there was anything, to the whole hours around them."""
    if not known:
        return [milliseconds(choice.since)]
    hour = 3600 * 1000
    first = max(milliseconds(choice.since), min(known) - min(known) % hour)
    end = min(milliseconds(choice.until), (max(known) // hour + 1) * hour)
    return list(range(first, max(end, first + choice.every), choice.every))


def _panels_of_calls(found: Report, calls: list[QueueFigures]) -> Iterator[Panel]:
    yield Panel(
        "Calls",
        [
            Bars("answered", drawing.BLUE, [each.answered for each in calls]),
            Bars("abandoned", drawing.RED, [each.abandoned for each in calls]),
            Bars("left or overflowed", drawing.SAND, [each.left + each.overflowed for each in calls]),
        ],
    )
    formula = FORMULAS[found.choice.formula]
    yield Panel(
        f"Service level, {formula}",
        [
            Curve("answered in time", drawing.BLUE, [each.service_level(formula) for each in calls]),
            *_goal(found),
        ],
        most=1.0,
        write="{:.0%}".format,
    )
    yield Panel(
        "Wait",
        [
            Curve("mean until the answer", drawing.BLUE, [each.speed_of_answer() for each in calls]),
            Curve("longest", drawing.RED, [each.longest_wait / 1000 if each.offered else None for each in calls]),
        ],
        write="{:g} s".format,
    )


def _goal(found: Report) -> list[Level]:
    """The goal of the queues that are drawn, where they have one and the same."""
    goals = {goal for scope in found.queues if (goal := found.figures.goal(scope.name))}
    return [Level(f"goal {share} % in {within / 1000:g} s", share / 100) for share, within in goals][: len(goals) == 1]


def _panels_of_agents(found: Report, people: list[AgentFigures]) -> Iterator[Panel]:
    every = found.choice.every
    yield Panel(
        "Agents",
        [
            Bars("with calls", drawing.BLUE, [(each.busy + each.reserved) / every for each in people]),
            Bars("wrapping up", "#66ccee", [each.wrapped_up / every for each in people]),
            Bars("ready", drawing.GREEN, [each.ready / every for each in people]),
            Bars("not ready", drawing.GREY, [each.not_ready / every for each in people]),
        ],
    )


def whole_intervals(since: datetime, until: datetime, every: Millis) -> tuple[datetime, datetime]:
    """The span widened to begin and end with an interval, as its own zone's hours count them."""
    step = timedelta(milliseconds=every)
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight + (since - midnight) // step * step
    return begin, begin + -(-(until - begin) // step) * step
