"""Checkpoints: what a reader had made of the journal when a segment began, so that a start reads one segment, not all.

A checkpoint is only a shortcut. One that is missing, torn or ahead of the journal is passed over, and an
older one or the whole journal is read instead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from journal.reader import Record, last_seq, parse, segments, type_of

KEPT = 2  # the newest one, and one more should it be torn


class Standing(Protocol):
    """What somebody makes of the journal, record by record. `seq` is that of the last record that it has taken."""

    seq: int

    @property
    def concerns(self) -> frozenset[str]:
        """The types of the records that change it."""
        ...

    def take(self, record: Record) -> None:
        """Takes one more record, as it was written or as it is read; others than those that concern it are skipped."""
        ...

    def stored(self) -> Mapping[str, Any]:
        """All of it as JSON can hold it."""
        ...

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Self: ...


S = TypeVar("S", bound=Standing)


def caught_up(directory: Path, empty: Callable[[], S], restored: Callable[[Mapping[str, Any]], S]) -> S:
    """What stands at the journal's end, from its newest sound checkpoint on."""
    end = last_seq(directory)
    for path in reversed(_checkpoints(directory)):
        standing = _opened(path, restored)
        if standing is None:
            continue
        if standing.seq > end:
            path.unlink()  # before its numbers are given again, and it looks sound
            continue
        _read_on(standing, [segment for segment in segments(directory) if segment.stem >= path.stem])
        return standing
    standing = empty()
    _read_on(standing, segments(directory))
    return standing


def write(segment: Path, standing: bytes) -> None:
    """Keeps what stood when this segment began, as JSON, and drops the oldest checkpoints. Raises OSError.

    It is made by whoever owns the standing, at one moment: it counts up to its own `seq` and not a record further.
    """
    path = segment.with_suffix(".checkpoint")
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(standing)
        file.flush()
        os.fdatasync(file.fileno())
    fresh.rename(path)
    for old in _checkpoints(segment.parent)[:-KEPT]:
        old.unlink(missing_ok=True)


def _checkpoints(directory: Path) -> list[Path]:
    return sorted(directory.glob("[0-9]" * 6 + ".checkpoint"))


def _opened(path: Path, restored: Callable[[Mapping[str, Any]], S]) -> S | None:
    try:
        return restored(json.loads(path.read_bytes()))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _read_on(standing: Standing, found: list[Path]) -> None:
    for segment in found:
        for record in _wanted(segment, standing.concerns):
            if record["seq"] > standing.seq:
                standing.take(record)


def _wanted(segment: Path, types: frozenset[str]) -> Iterator[Record]:
    """The records of these types. Others are not even parsed: most of a journal is prompts and keys."""
    with segment.open("rb") as file:
        for line in file:
            if type_of(line) in types and (record := parse(line)) is not None:
                yield record
