"""The JSON Schemas of all files that administrators edit, by the kind of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from acd.queues import QueueFile
from acd.reasons import ReasonFile
from config.schema import DRAFT, Known, Schema, schema, with_names
from crm.catalogue import QueryFile
from ivr.language.calendars import CalendarFile
from ivr.language.house import House
from ivr.language.scenarios import scenario_schema
from ivr.language.schema import flow_schema
from runtime.flowbook import CALENDARS, QUERIES, QUEUES, REASONS, SCENARIOS
from speech.catalogue import CatalogueFile


def _of(kind: Any, about: str) -> Callable[[], Schema]:
    return lambda: {"$schema": DRAFT, "description": about, **schema(kind)}


_KINDS: Mapping[str, Callable[[], Schema]] = {
    "flow": flow_schema,
    "queues": _of(QueueFile, "The queues, each with its name."),
    "calendars": _of(CalendarFile, "The calendars, each with its name."),
    "queries": _of(QueryFile, "The queries, each with its name."),
    "reasons": _of(ReasonFile, "Why agents take no calls, each reason with its name."),
    "scenarios": scenario_schema,
    "catalogue": _of(CatalogueFile, "The texts of all prompts: each prompt's id, and its text for each language."),
}
KINDS = tuple(_KINDS)


def schema_of(kind: str, known: Known | None = None) -> Schema:
    """The schema of a kind of file; names that are `known` are offered where they may stand."""
    found: Schema = with_names(_KINDS[kind](), known or {})
    return found


def known_names(house: House) -> Known:
    """The names that a flow may use in a house."""
    return {
        "prompt": list(house.prompts),
        "queue": house.queues,
        "query": list(house.queries),
        "calendar": house.calendars,
        "box": house.boxes or (),
        "skill": house.skills or (),
        "language": house.languages,
    }


def kind_of(file: Path) -> str:
    """The kind of a file, by its name."""
    beside = {
        QUEUES: "queues",
        CALENDARS: "calendars",
        QUERIES: "queries",
        REASONS: "reasons",
        "catalogue.yaml": "catalogue",
    }
    return "scenarios" if file.name.endswith(SCENARIOS) else beside.get(file.name, "flow")
