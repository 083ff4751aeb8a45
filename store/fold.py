"""The fold: journal records in, interactions out. Pure, so that it can be run again at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from store.rows import Interaction
from store.text import SHORT, storable

Record = Mapping[str, Any]

TOLD_BY_CALLS = frozenset(
    {
        "CallArrived",
        "CallAnswered",
        "LanguageChosen",
        "CallQueued",
        "CallConnected",
        "TalkEnded",
        "CallEnded",
    }
)


def concerns(record: Record) -> bool:
    """Whether the record says something about an interaction."""
    return record["type"] in TOLD_BY_CALLS and bool(record.get("call"))


def call_of(record: Record) -> str:
    return storable(str(record["call"]))


def fold(known: Mapping[str, Interaction], records: Iterable[Record]) -> dict[str, Interaction]:
    """The interactions that the records change, by call, given what is known of them already."""
    changed: dict[str, Interaction] = {}
    for record in filter(concerns, records):
        call = call_of(record)
        before = changed.get(call) or known.get(call) or Interaction(call)
        changed[call] = told(before, record)
    return changed


def told(row: Interaction, record: Record) -> Interaction:
    """The interaction after one more record. What a record lacks or has in a wrong form is left as it was."""
    at = _moment(record.get("at"))
    news: dict[str, Any] = {}
    match record["type"]:
        case "CallArrived":
            news = _texts(record, "caller", "dialled", "flow", "version", "language")
            news["started"] = row.started or at
        case "CallAnswered":
            news["answered"] = row.answered or at
        case "LanguageChosen":
            news = _texts(record, "language")
        case "CallQueued":
            news = _texts(record, "queue", "language")
            news["queued"] = row.queued or at
        case "CallConnected":
            news = _texts(record, "queue", "agent") | _millis("waited_ms", record.get("waited"))
        case "TalkEnded":
            news = _millis("talked_ms", record.get("talked"), on_top_of=row.talked_ms or 0)
        case "CallEnded":
            news = _texts(record, "cause", "outcome")
            news["ended"] = row.ended or at
    return replace(row, **news)


def _texts(record: Record, *keys: str) -> dict[str, Any]:
    limits = {"language": 16, "agent": 32}
    given = {key: record[key] for key in keys if record.get(key) is not None}
    return {key: storable(str(value), limits.get(key, SHORT)) for key, value in given.items()}


def _millis(name: str, value: object, *, on_top_of: int = 0) -> dict[str, Any]:
    if isinstance(value, int | float) and 0 <= value < 2**53:
        return {name: on_top_of + int(value)}
    return {}


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
