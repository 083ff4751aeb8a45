"""The fold: journal records in, interactions out. Pure, so that it can be run again at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from journal.clocks import set_by
from store.rows import Interaction
from store.text import SHORT, storable

Record = Mapping[str, Any]

TELLING = frozenset(
    {
        "CallArrived",
        "CallReturned",
        "CallAnswered",
        "StepLeft",
        "CallQueued",
        "MoveCall",
        "CallConnected",
        "CallAbandoned",
        "CallLeft",
        "EndWait",
        "TalkEnded",
        "CallEnded",
    }
)


def concerns(record: Record) -> bool:
    """Whether the record may say something about an interaction."""
    return record["type"] in TELLING and bool(record.get("call"))


def call_of(record: Record) -> str:
    return storable(str(record["call"]))


def sets_clock(record: Record) -> bool:
    """Whether the record changes every interaction that is under way."""
    return set_by(record["type"], record) != 0


def fold(known: Mapping[str, Interaction], records: Iterable[Record]) -> dict[str, Interaction]:
    """The interactions that the records change, by call, given what is known of them already.

    Where the time of day is set, the times of all that are under way move along, so that what lies between two is true.
    """
    changed: dict[str, Interaction] = {}
    for record in records:
        if by := set_by(record["type"], record):
            changed |= {call: _later(row, by) for call, row in {**known, **changed}.items() if row.ended is None}
        if not concerns(record):
            continue
        call = call_of(record)
        before = changed.get(call) or known.get(call)
        after = told(before or Interaction(call), record)
        if after != before:
            changed[call] = after
    return changed


def told(row: Interaction, record: Record) -> Interaction:
    """The interaction after one more record. What a record lacks or has in a wrong form is left as it was."""
    at = _moment(record.get("at"))
    news: dict[str, Any] = {}
    match record["type"]:
        case "CallArrived" | "CallReturned":
            news = _texts(record, "caller", "dialled", "flow", "version")
            news |= {"started": row.started or at, "ended": None}
        case "CallAnswered":
            news["answered"] = row.answered or at
        case "StepLeft":
            news = _texts(record, "language")
        case "CallQueued":
            news = _texts(record, "queue")
            news["queued"] = row.queued or at
        case "MoveCall":
            news = _texts(record, "queue")
        case "CallConnected":
            news = _texts(record, "queue", "agent") | _millis("waited_ms", record.get("waited"))
        case "CallAbandoned" | "CallLeft" | "EndWait" if row.waited_ms is None and row.queued and at:
            news["waited_ms"] = max(0, round((at - row.queued).total_seconds() * 1000))
        case "TalkEnded":
            news = _millis("talked_ms", record.get("talked"), on_top_of=row.talked_ms or 0)
        case "CallEnded":
            news = _texts(record, "cause", "outcome")
            news["ended"] = row.ended or at
    return replace(row, **news) if any(getattr(row, name) != value for name, value in news.items()) else row


def _later(row: Interaction, by: int) -> Interaction:
    times = {name: getattr(row, name) for name in ("started", "answered", "queued")}
    try:
        return replace(row, **{name: at and at + timedelta(milliseconds=by) for name, at in times.items()})
    except OverflowError:  # there is no such time
        return row


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
