"""A simulation file: who calls, who works when, and what would be different in each variant.

See examples/what-if.yaml and docs/figures.md. Like every file that people write here it is checked as a whole, and
whatever is wrong is told with its line, also what only a variant makes wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from acd.model import Agent, QueueRule
from acd.queues import Known, queue_rules
from acd.skills import call_demand
from config.document import Document, Written, arranged, parse, read_text
from config.syntax import Data, Tree
from config.values import Diagnostic, Duration
from config.wording import NAME, suggestion
from ivr.language.calendars import Calendar, calendars_of
from workforce.draws import Draw, Times
from workforce.staffing import percent

AS_WRITTEN = "as written"
MOST_CALLS = 200_000  # in one replication
MOST_AGENTS = 5_000
PLAN, QUEUES, CALENDARS = "plan", "queues", "calendars"


# --- what is written ------------------------------------------------------------------------------


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).replace(second=0, microsecond=0)
    except ValueError:
        raise ValueError(f"'{text}' is not a time; write for example \"2026-11-23 09:00\"") from None


def _in_zone(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)


def _clock(text: object) -> int:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", str(text).strip())
    if not found or int(found[1]) > 24 or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 1440:
        raise ValueError(f"'{text}' is not a time of day; write for example 09:30")
    return int(found[1]) * 60 + int(found[2])


def _hours(text: object) -> tuple[int, int]:
    if isinstance(text, tuple):
        return text
    begin, dash, end = str(text).partition("-")
    if not dash or _clock(begin) >= _clock(end):
        raise ValueError(f"'{text}' are no hours; write for example 09:00-17:00")
    return _clock(begin), _clock(end)


def _list(written: object) -> object:
    return [written] if isinstance(written, str) else written


def _ranked(text: object) -> tuple[str, int]:
    if isinstance(text, tuple):
        return text
    name, equals, rank = str(text).partition("=")
    if equals and not (rank.isascii() and rank.isdigit() and 1 <= int(rank) <= 100):
        raise ValueError(f"'{text}' is no queue with a rank; write for example claims=2")
    return name.strip(), int(rank or 1)


def _not_negative(seconds: float) -> float:
    if not 0 <= seconds <= 7 * 24 * 3600:
        raise ValueError("must be between 0s and a week")
    return seconds


Moment = Annotated[datetime, BeforeValidator(_moment)]
Clock = Annotated[int, BeforeValidator(_clock)]
Hours = Annotated[tuple[int, int], BeforeValidator(_hours)]
HoursOfDay = Annotated[tuple[Hours, ...], BeforeValidator(_list)]
RankedQueue = Annotated[tuple[str, int], BeforeValidator(_ranked)]
Share = Annotated[float, BeforeValidator(percent)]
Time = Annotated[Duration, AfterValidator(_not_negative)]
Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Level = Annotated[int, Field(ge=1, le=5)]
Name = Annotated[str, NAME]


class CallersEntry(Written):
    """Callers of one kind: so many an hour at random, or those of a journal."""

    queue: str = ""
    per_hour: Rate | dict[Clock, Rate] | None = None
    journal: str = ""
    skills: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    patience: Times | None = None
    talk: Times | None = None
    wrap_up: Times | None = None
    leaves_when_asked: Share = 0.0
    customers: Annotated[int, Field(ge=1)] | None = None


class AgentsEntry(Written):
    """So many agents who are alike."""

    count: Annotated[int, Field(ge=0, le=MOST_AGENTS)] = 1
    queues: Annotated[tuple[RankedQueue, ...], BeforeValidator(_list), Field(min_length=1)]
    skills: dict[str, Level] = Field(default_factory=dict)
    shift: HoursOfDay = ()
    breaks: HoursOfDay = ()
    answers_after: Times = Draw("fixed", (3.0,))
    no_answer: Share = 0.0
    declines: Share = 0.0
    back_after: Time = 300.0

    def members(self, group: str) -> Iterator[Agent]:
        """Its agents, each with an id of its own."""
        queues, ranks = tuple(queue for queue, _ in self.queues), dict(self.queues)
        for number in range(1, self.count + 1):
            yield Agent(f"{group}-{number}", queues=queues, ranks=ranks, skills=self.skills, order=number)


class PlanEntry(Written):
    """The whole file."""

    from_: Moment | None = None
    until: Moment | None = None
    warm_up: Time = 0.0
    replications: Annotated[int, Field(ge=1, le=1000)] = 20
    seed: int = 1
    formula: Literal["offered", "answered", "without-early", "early-as-served"] = "offered"
    short: Time = 5.0
    queues: str | dict[str, Any] = ""
    calendars: str | dict[str, Any] = ""
    callers: Annotated[dict[Name, CallersEntry], Field(min_length=1)]
    agents: dict[Name, AgentsEntry]
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)

    def in_zone(self, zone: ZoneInfo) -> PlanEntry:
        """With its times in this zone: converted where they have an offset of their own, else as they are written."""
        ends = {"from_": self.from_, "until": self.until}
        return self.model_copy(update={name: at and _in_zone(at, zone) for name, at in ends.items()})


# --- what is simulated ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """One variant, ready to be run. `changes`: what it has different, as written."""

    name: str
    entry: PlanEntry
    rules: tuple[QueueRule, ...]
    calendars: Mapping[str, Calendar]
    zone: ZoneInfo
    home: Path
    changes: Mapping[str, Data] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one variant: where it belongs, and how a problem with it is told."""

    path: str
    value: Data
    told: Document
    at: tuple[str, ...]

    def blame(self, message: str) -> Diagnostic:
        return self.told.problem(self.at, message, show="")


def load_plans(
    file: Path, zone: ZoneInfo, flows_dir: Path, sets: Sequence[str] = ()
) -> tuple[list[Plan], list[Diagnostic]]:
    """The plan as written and each of its variants, or no plans and everything that is wrong.

    `flows_dir` has the appliance's own queues and calendars, for a plan that has none. `sets` are one more variant,
    ``path=value`` each.
    """
    document, problems = _read(file)
    if document is None:
        return [], problems
    entry, wrong = document.validate(PlanEntry)
    if entry is None or wrong:
        return [], arranged(problems + wrong)
    documents = {PLAN: document}
    for name, written in ((QUEUES, entry.queues), (CALENDARS, entry.calendars)):
        found, wrong = _beside(document, (name, written), file.parent, flows_dir)
        problems += wrong
        if found is None:
            return [], arranged(problems)
        documents[name] = found
    variants = {AS_WRITTEN: list[Change]()}
    for name, changes in entry.variants.items():
        variants[name] = [Change(path, value, document, ("variants", name, path)) for path, value in changes.items()]
    if sets:
        variants["as set"] = [_set(text) for text in sets]
    plans = []
    for name, changes_of in variants.items():
        plan, wrong = _variant(name, documents, changes_of, (zone, file.parent))
        problems += wrong
        plans += [plan] if plan else []
    return ([] if problems else plans), arranged(problems)


def _read(file: Path) -> tuple[Document | None, list[Diagnostic]]:
    text, problems = read_text(file)
    document, wrong = parse(text, str(file)) if text is not None else (None, [])
    return document, problems + wrong


def _beside(
    document: Document, part: tuple[str, str | dict[str, Any]], home: Path, flows_dir: Path
) -> tuple[Document | None, list[Diagnostic]]:
    """Queues or calendars: those that stand in the plan, those of the file that it names, or the appliance's own."""
    name, written = part
    if isinstance(written, dict):
        return document.part((name,)), []
    if not written:
        own = flows_dir / f"{name}.yaml"
        return parse("", str(own)) if name == CALENDARS and not own.exists() else _read(own)
    found, problems = _read(home / written)
    if found is None and not (home / written).is_file():
        return None, [document.problem((name,), f"there is no file {home / written}")]
    return found, problems


def _set(text: str) -> Change:
    """``agents.experts.count=7`` as a change whose problems name the option."""
    path, equals, value = text.partition("=")
    name = f"--set {text}"
    if not equals:
        return Change("", None, Document(name, Tree()), ())
    document, problems = parse(f"value: {value}", name)
    data = document.data if document is not None and not problems else None
    return Change(path.strip(), data["value"] if isinstance(data, dict) else value, Document(name, Tree()), ())


def _variant(
    name: str, written: Mapping[str, Document], changes: Sequence[Change], where: tuple[ZoneInfo, Path]
) -> tuple[Plan | None, list[Diagnostic]]:
    documents = dict(written)
    problems: list[Diagnostic] = []
    for change in changes:
        steps = change.path.split(".")
        target = steps.pop(0) if steps[0] in {QUEUES, CALENDARS} else PLAN
        try:
            documents[target] = _applied(documents[target], steps, change)
        except ValueError as error:
            problems.append(change.blame(str(error)))
    entry, wrong = documents[PLAN].validate(PlanEntry)
    calendars, wrong_calendars = calendars_of(documents[CALENDARS])
    rules, wrong_rules = queue_rules(documents[QUEUES], None if wrong_calendars else Known(calendars=calendars))
    problems += [*wrong, *wrong_calendars, *wrong_rules]
    if entry is None or problems:
        return None, problems
    zone, home = where
    entry = entry.in_zone(zone)
    problems = list(_crosswise(documents[PLAN], entry, [rule.name for rule in rules]))
    plan = Plan(name, entry, rules, calendars, zone, home, {change.path: change.value for change in changes})
    return (None if problems else plan), problems


def _applied(document: Document, steps: Sequence[str], change: Change) -> Document:
    """The document with the change made. Raises ValueError that says what is not there."""
    if not change.path:
        raise ValueError("write a path, = and a value, for example agents.experts.count=7")
    if not steps or steps[0] == "variants":
        raise ValueError(f"'{change.path}' cannot be changed; name what stands in it")
    path: tuple[str | int, ...] = ()
    for step in steps[:-1]:
        path = (*path, _step(document.get(path), step, change.path))
    last: str | int = steps[-1]
    around = document.get(path)
    if isinstance(around, list):
        last = _step(around, steps[-1], change.path)
    return document.changed((*path, last), _value(document, (*path, last), change), change.blame)


def _step(around: Any, step: str, path: str) -> str | int:
    if isinstance(around, list) and step.isdigit() and int(step) < len(around):
        return int(step)
    if isinstance(around, dict) and step in around:
        return step
    near = suggestion(step, around) if isinstance(around, dict) else ""
    raise ValueError(f"there is no '{step}' in '{path}' to change.{near}")


def _value(document: Document, path: tuple[str | int, ...], change: Change) -> Data:
    """What is written; ``+2`` and ``-1`` count from what stands there."""
    value = change.value
    if not isinstance(value, str) or not re.fullmatch(r"[+-]\d+", value):
        return value
    try:
        present = document.get(path)
    except KeyError:
        present = "1" if path[-1] == "count" else None
    if not isinstance(present, str) or not re.fullmatch(r"-?\d+", present):
        raise ValueError(f"'{value}' counts from a whole number, and '{change.path}' has none")
    return str(int(present) + int(value))


# --- what fits together -----------------------------------------------------------------------------


def _crosswise(document: Document, entry: PlanEntry, queues: Sequence[str]) -> Iterator[Diagnostic]:
    drawn = any(callers.per_hour is not None for callers in entry.callers.values())
    for name, at in (("from", entry.from_), ("until", entry.until)):
        if at is None and drawn:
            yield document.problem(("callers",), f"say with {name}: when they call", show="")
    if entry.from_ and entry.until and not entry.from_ < entry.until:
        yield document.problem(("until",), "is not after from")
    skills = {skill for agents in entry.agents.values() for skill in agents.skills}
    for name, callers in entry.callers.items():
        yield from _callers(document, ("callers", name), callers, queues)
        for number, text in enumerate(callers.skills):
            wish = call_demand(text)
            if wish and wish.required and wish.skill not in skills:
                words = f"no agent has the skill '{wish.skill}'.{suggestion(wish.skill, skills)}"
                yield document.problem(("callers", name, "skills", number), words)
    for name, agents in entry.agents.items():
        for number, (queue, _) in enumerate(agents.queues):
            if queue not in queues:
                yield document.problem(("agents", name, "queues", number), _no_queue(queue, queues))
    yield from _too_many(document, entry)


def _callers(
    document: Document, path: tuple[str, str], callers: CallersEntry, queues: Sequence[str]
) -> Iterator[Diagnostic]:
    if (callers.per_hour is None) == (not callers.journal):
        yield document.problem(path, "write how many call, by exactly one of per-hour and journal")
    if callers.per_hour is not None and not callers.queue:
        yield document.problem(path, "write which queue they call")
    if callers.per_hour is not None and callers.talk is None:
        yield document.problem(path, "write how long they talk, for example talk: exponential 3m")
    if callers.journal and callers.customers is not None:
        yield document.problem((*path, "customers"), "the journal says who called; leave it out")
    if callers.queue and callers.queue not in queues:
        yield document.problem((*path, "queue"), _no_queue(callers.queue, queues))


def _no_queue(queue: str, queues: Sequence[str]) -> str:
    return f"no queue '{queue}'.{suggestion(queue, queues)}"


def _too_many(document: Document, entry: PlanEntry) -> Iterator[Diagnostic]:
    if not (entry.from_ and entry.until):
        return
    hours = (entry.until - entry.from_).total_seconds() / 3600
    rates = [each.per_hour for each in entry.callers.values() if each.per_hour is not None]
    calls = hours * sum(max(rate.values(), default=0.0) if isinstance(rate, dict) else rate for rate in rates)
    if calls > MOST_CALLS:
        yield document.problem(("callers",), f"up to {calls:,.0f} calls are too many; at most {MOST_CALLS:,}", show="")
