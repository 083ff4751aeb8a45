"""Scenarios beside a flow: what a caller does and must hear, told as steps that a program can play.

- name: a known order is told
  caller: "13800000001"
  at: 2026-11-23 10:00
  steps: [{hear: main-menu}, {press: "1"}, {hear: ask-order-number}, {press: "202611#"}, {hang-up: }]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config import signs
from config.document import Document, Written, arranged, parse
from config.schema import DRAFT, Schema, schema
from config.syntax import Path
from config.values import Diagnostic, seconds
from config.wording import choices, suggestion
from switch.port import ANY


@dataclass(frozen=True, slots=True)
class Hear:
    """The caller hears a prompt by its id, or a text that contains these words; ``music`` is hold music."""

    what: str


@dataclass(frozen=True, slots=True)
class Press:
    keys: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller does nothing for so long, whatever is said."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Speak:
    """The caller speaks for so long, and then listens again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes until all that was begun has been said, and so many seconds more."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


@dataclass(frozen=True, slots=True)
class Queued:
    queue: str


@dataclass(frozen=True, slots=True)
class PositionIs:
    """The caller is told this position in its queue."""

    position: int


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentDeclines:
    agent: str


@dataclass(frozen=True, slots=True)
class DatabaseIs:
    """From here on the business's database is up, down, or slower than any query allows."""

    state: Literal["up", "down", "slow"]


@dataclass(frozen=True, slots=True)
class WebIs:
    """From here on every web service is down, slower than any step waits, or gives this answer (a JSON text)."""

    answer: str


@dataclass(frozen=True, slots=True)
class Closed:
    """From here on this calendar is closed for an emergency."""

    calendar: str


@dataclass(frozen=True, slots=True)
class MessageLeft:
    """A message of this number lies in the scenario's mailbox; `hear` knows the first as ``message-1``."""

    caller: str


@dataclass(frozen=True, slots=True)
class SwitchLost:
    """The connection to the telephone switch breaks."""


@dataclass(frozen=True, slots=True)
class Transferred:
    """The caller is handed over to this address."""

    to: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The call has ended, by the caller, the flow or an agent who hung up."""

    by: Literal["caller", "flow", "agent", "switch"]


Act = (
    Hear
    | Press
    | Silence
    | Speak
    | Wait
    | HangUp
    | Queued
    | PositionIs
    | AgentAnswers
    | AgentDeclines
    | DatabaseIs
    | WebIs
    | Closed
    | MessageLeft
    | Transferred
    | SwitchLost
    | Ended
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One act of a scenario, and where it stands in its file."""

    act: Act
    word: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A call to be played. `at` has no zone: it is meant in the appliance's; None is now.

    `phone` is the house's own telephone that calls, "" for one outside, and shows `mailbox`; `pin` opens that and
    closures.
    """

    file: str
    line: int
    column: int
    name: str
    caller: str
    dialled: str
    at: datetime | None
    steps: tuple[Stage, ...]
    phone: str = ""
    mailbox: str = ""
    pin: str = ""

    @property
    def flow(self) -> str:
        """The flow that the scenario's file stands beside."""
        return PurePath(self.file).name.split(".")[0]

    def failed(self, stage: Stage | None, message: str) -> Diagnostic:
        """A step that did not come about, as a problem at its place."""
        line, column = (stage.line, stage.column) if stage else (self.line, self.column)
        return Diagnostic(self.file, line, column, f"{self.name}: {message}")


def load_scenarios(text: str, name: str) -> tuple[tuple[Scenario, ...], list[Diagnostic]]:
    """Every scenario of a file, or none and everything that is wrong."""
    document, problems = parse(text, name)
    if document is None:
        return (), problems
    if document.data == {}:
        return (), problems
    if not isinstance(document.data, list):
        problems.append(document.problem((), "scenarios are a list; each begins with '- name: ...'"))
        return (), problems
    found = [_scenario(document, number, problems) for number in range(len(document.data))]
    names: dict[str, int] = {}
    for number, scenario in enumerate(found):
        if scenario and scenario.name in names:
            message = f"the name '{scenario.name}' is taken; first in line {names[scenario.name]}"
            problems.append(document.problem((number, "name"), message, show=""))
        elif scenario:
            names[scenario.name] = scenario.line
    if problems:
        return (), arranged(problems)
    return tuple(scenario for scenario in found if scenario), []


# --- what is written -------------------------------------------------------------------------------


def _moment(written: object) -> object:
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        raise ValueError(f"'{written}' is not a time; write for example 2026-11-23 10:00") from None


def _pin(written: str) -> str:
    if not (written.isascii() and written.isdecimal()):
        raise ValueError(f"'{written}' is not a PIN; write digits, such as \"2580\"")
    return written


def _without_zone(at: datetime) -> datetime:
    if at.tzinfo is not None:
        raise ValueError("the time is meant in the appliance's time zone; leave the zone out")
    return at


class _Entry(Written):
    name: Annotated[str, Field(min_length=1)]
    """What the call shows."""
    caller: str = ""
    """The caller's number; hidden unless given."""
    dialled: str = ""
    """The number that is called; the flow's first unless given."""
    phone: str = ""
    """The telephone of the house that calls, by its account; one from outside unless given."""
    mailbox: str = ""
    """The mailbox that this telephone shows; no other, and none unless given."""
    pin: Annotated[str, AfterValidator(_pin)] = ""
    """The PIN of that mailbox and of closures by telephone, in this call; without one neither opens."""
    at: (
        Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str), AfterValidator(_without_zone)] | None
    ) = None
    """When, in the appliance's time zone (2026-11-23 10:00); now unless given."""
    steps: Annotated[list[Any], Field(min_length=1)]
    """What the caller does and must hear, one word and its value each."""


def scenario_schema() -> Schema:
    """What editors need for a file of scenarios."""
    value = {"type": ["string", "number"]}
    words: Schema = dict.fromkeys(_WITH_VALUE, value) | {word: {"type": ["null", "object"]} for word in _ALONE}
    step = {"type": "object", "properties": words, "additionalProperties": False, "maxProperties": 1}
    entry = schema(_Entry)
    entry["properties"]["steps"]["items"] = {"anyOf": [step, {"enum": list(_ALONE)}]}
    return {"$schema": DRAFT, "description": "Calls that must go as written.", "type": "array", "items": entry}


def _keys(written: str) -> Press:
    keys = written.replace(" ", "")
    for key in keys:
        if key not in ANY:
            raise ValueError(f"'{key}' is not a key; there are 0 to 9, * and #")
    return Press(keys)


def _position(written: str) -> PositionIs:
    if not written.isdecimal() or int(written) < 1:
        raise ValueError(f"'{written}' is not a position; 1 is the next to be served")
    return PositionIs(int(written))


def _web(written: str) -> WebIs:
    if written not in {"down", "slow"}:
        try:
            json.loads(written)
        except ValueError:
            raise ValueError(
                'down, slow or an answer in JSON is expected here, such as \'{"state": "sent"}\''
            ) from None
    return WebIs(written)


def _one_of(kind: Callable[[Any], Act], *known: str) -> Callable[[str], Act]:
    def read(written: str) -> Act:
        if written not in known:
            raise ValueError(f"'{written}' is not possible here; write {choices(known)}.{suggestion(written, known)}")
        return kind(written)

    return read


_WITH_VALUE: Mapping[str, Callable[[str], Act]] = {
    "hear": Hear,
    "press": _keys,
    "silence": lambda written: Silence(seconds(written)),
    "speak": lambda written: Speak(seconds(written)),
    "wait": lambda written: Wait(seconds(written)),
    "queued": Queued,
    "position": _position,
    "agent-answers": AgentAnswers,
    "agent-declines": AgentDeclines,
    "database": _one_of(DatabaseIs, "up", "down", "slow"),
    "web": _web,
    "closure": Closed,
    "message": MessageLeft,
    "transferred": Transferred,
    "ended": _one_of(Ended, "caller", "flow", "agent", "switch"),
}
_ALONE: Mapping[str, Callable[[], Act]] = {"hang-up": HangUp, "switch-lost": SwitchLost}
WORDS: Sequence[str] = (*_WITH_VALUE, *_ALONE)


def _scenario(document: Document, number: int, problems: list[Diagnostic]) -> Scenario | None:
    entry, wrong = document.validate(_Entry, (number,))
    problems += [_named(document, number, problem) for problem in wrong]
    if entry is None:
        return None
    stages = [_stage(document, (number, "steps", place), entry.name, problems) for place in range(len(entry.steps))]
    for stage in stages:
        if stage and isinstance(stage.act, MessageLeft) and not entry.mailbox:
            message = "message: in which mailbox? Write 'mailbox: ...' below the scenario's name"
            problems.append(Diagnostic(document.name, stage.line, stage.column, f"{entry.name}: {message}"))
    line, column = document.at((number,))
    return Scenario(
        document.name,
        line,
        column,
        entry.name,
        entry.caller,
        entry.dialled,
        entry.at,
        tuple(stage for stage in stages if stage),
        entry.phone,
        entry.mailbox,
        entry.pin,
    )


def _named(document: Document, number: int, problem: Diagnostic) -> Diagnostic:
    """The same problem, with the call's name where it has one: nobody counts calls from 0."""
    written = document.data[number] if isinstance(document.data, list) else None
    name = written.get("name") if isinstance(written, dict) else None
    place = f"{name}: " if isinstance(name, str) else ""
    message = problem.message.removeprefix(f"{number}.").removeprefix(f"{number}: ")
    return replace(problem, message=f"{place}{message}")


def _stage(document: Document, path: Path, name: str, problems: list[Diagnostic]) -> Stage | None:
    """One ``{word: value}``; None, and a problem, where it is none."""
    written = document.get(path)
    if isinstance(written, str) and written in _ALONE:
        written = {written: None}
    if not isinstance(written, dict) or len(written) != 1:
        message = 'a step is one word and its value, such as {press: "1"}'
        problems.append(document.problem(path, f"{name}: {message}", show=""))
        return None
    ((word, value),) = written.items()
    if word not in WORDS:
        hint = signs.hint(word) or f".{suggestion(word, WORDS) or f' There are: {choices(WORDS, 20)}'}"
        problems.append(document.problem((*path, word), f"{name}: no word '{word}'{hint}", key=True, show=""))
        return None
    try:
        act = _act(word, value)
    except ValueError as error:
        problems.append(document.problem((*path, word), f"{name}: {word}: {error}", show=""))
        return None
    return Stage(act, word, *document.at(path))


def _act(word: str, value: Any) -> Act:
    if word in _ALONE:
        if value not in (None, "", {}):
            raise ValueError("nothing is expected after this word")
        return _ALONE[word]()
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a value is missing")
    return _WITH_VALUE[word](value.strip())
