"""Reading the journal: from the start, from where one stopped, and checking it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

READ_BYTES = 64 * 1024
_TYPE = b'"type":"'


def segments(directory: Path) -> list[Path]:
    """The journal's files, oldest first."""
    return sorted(directory.glob("[0-9]" * 6 + ".jsonl"))


class Tail:
    """Reads on from where it stopped; a line that is still being written is left for the next time.

    Segments that end before `after` are not even opened.
    """

    def __init__(self, directory: Path, *, after: int = 0) -> None:
        self._directory = directory
        self._after = after
        self._segment: Path | None = _segment_of(directory, after + 1) if after else None
        self._offset = 0

    def read(self, limit: int = 1000, *, upto: float = math.inf) -> list[Record]:
        """At most about `limit` records, none after `upto`, in order; unreadable lines are passed over."""
        found: list[Record] = []
        for segment in segments(self._directory):
            if self._segment is not None and segment < self._segment:
                continue
            if segment != self._segment:
                self._segment, self._offset = segment, 0
            if not self._lines(segment, found, limit, upto):
                break
        return found

    def _lines(self, segment: Path, found: list[Record], limit: int, upto: float) -> bool:
        """Whether to read on in the next segment."""
        with segment.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                record = parse(line)
                if len(found) >= limit or (record is not None and record["seq"] > upto):
                    return False
                self._offset += len(line)
                if record is not None and record["seq"] > self._after:
                    self._after = record["seq"]
                    found.append(record)
        return True


def _segment_of(directory: Path, seq: int) -> Path | None:
    """The last segment that begins before this record, or with it."""
    found: Path | None = None
    for segment in segments(directory):
        with segment.open("rb") as file:
            first = parse(file.readline())
        if first is not None and first["seq"] > seq:
            break
        found = segment
    return found


def last_seq(directory: Path) -> int:
    """The `seq` of the last readable record, 0 where there is none."""
    for segment in reversed(segments(directory)):
        if (last := last_record(segment)) is not None:
            return int(last["seq"])
    return 0


def last_record(segment: Path) -> Record | None:
    """The last readable record of a segment, read from its end."""
    with segment.open("rb") as file:
        place = file.seek(0, os.SEEK_END)
        rest = b""
        while place:
            size = min(place, READ_BYTES)
            place = file.seek(place - size)
            first, *lines = (file.read(size) + rest).split(b"\n")
            for line in reversed(lines):
                if (record := parse(line)) is not None:
                    return record
            rest = first
    return parse(rest)


def type_of(line: bytes) -> str:
    """A record's type, without parsing the line; "" where there is none."""
    begin = line.find(_TYPE) + len(_TYPE)
    return line[begin : line.find(b'"', begin)].decode(errors="replace") if begin >= len(_TYPE) else ""


def parse(line: bytes) -> Record | None:
    """One line as a record; None where it is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if isinstance(record, dict) and isinstance(record.get("seq"), int) and isinstance(record.get("type"), str):
        return record
    return None


def records(directory: Path, *, after: int = 0) -> Iterator[Record]:
    """Every readable record with a higher `seq`, in order."""
    tail = Tail(directory, after=after)
    while batch := tail.read():
        yield from batch


def records_of(source: Path) -> Iterator[Record]:
    """Every record with a time, of a journal's folder or of one file of records. Raises OSError where there is none."""
    if source.is_dir():
        yield from filter(_has_time, records(source))
        return
    with source.open("rb") as file:
        yield from filter(_has_time, filter(None, map(parse, file)))


def _has_time(record: Record) -> bool:
    try:
        return datetime.fromisoformat(record["at"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `journal verify` found. `open` calls are no fault: they may still be talking."""

    calls: int
    ended: int
    open: int
    holes: int
    doubles: int

    @property
    def sound(self) -> bool:
        return self.holes == 0 and self.doubles == 0

    def __str__(self) -> str:
        return f"calls={self.calls} ended={self.ended} open={self.open} holes={self.holes} doubles={self.doubles}"


def verify(directory: Path) -> Verdict:
    """Checks that `seq` runs without a hole, and that every call arrives once and ends at most once.

    A hole is a missing `seq` or an unreadable line; a double is a `seq` that stands twice, a second
    arrival, a second end, or an end of a call that never arrived (unless the journal's beginning was
    dropped, and the arrival with it).
    """
    arrived: set[str] = set()
    ended: set[str] = set()
    holes = doubles = 0
    expected: int | None = None
    first: int | None = None
    for segment in segments(directory):
        with segment.open("rb") as file:
            for line in file:
                record = parse(line)
                if record is None:
                    holes += 1
                    expected = None if expected is None else expected + 1
                    continue
                seq = record["seq"]
                first = seq if first is None else first
                if expected is not None and seq < expected:
                    doubles += 1
                    continue
                holes += 0 if expected is None else seq - expected
                expected = seq + 1
                call = str(record.get("call", ""))
                if record["type"] == "CallArrived":
                    doubles += call in arrived
                    arrived.add(call)
                elif record["type"] == "CallEnded":
                    doubles += call in ended or (call not in arrived and first == 1)
                    ended.add(call)
    return Verdict(len(arrived), len(ended & arrived), len(arrived - ended), holes, doubles)
