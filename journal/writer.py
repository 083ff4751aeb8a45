"""Writing the journal: one order, one writer, many waiting for the same group."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import structlog
from gevent.event import Event

from journal import checkpoints
from journal.reader import READ_BYTES, last_seq, segments
from switch.shared.clock import Alarm, Clock
from switch.shared.thread import NativeThread

log = structlog.get_logger(__name__)

VERSION = 1
SEGMENT_BYTES = 4 * 1024 * 1024  # what a start reads at most, beside a checkpoint
SYNC_SECONDS = 0.05
JOTTED_SECONDS = 0.05
RETRY_SECONDS = 1.0
KEPT_WHILE_FAILING = 100_000
CLOCK_CHANGE = 1000  # milliseconds between the time of day and the clock that never goes back: more is written down


class JournalBroken(Exception):
    """The journal's directory cannot be used; the text says why."""


class Journal:
    """The append-only record of all that happened, as JSON lines in numbered segments.

    `append` returns when the record is with the operating system, so that a killed process loses
    nothing that had an effect; a power cut loses at most what came in the last `SYNC_SECONDS`.
    When the disk is full or broken, calls go on: records wait in memory, and `trouble` says so.
    `standing` takes every record, and is kept beside each new segment.
    """

    def __init__(self, directory: Path, clock: Clock, standing: checkpoints.Standing | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._standing = standing
        self._clocks = _apart(clock)
        self._writing, self._syncing = NativeThread(), NativeThread()
        self._waiting: list[bytes] = []
        self._group = Event()
        self._wake = Event()
        self._unsynced = Event()
        self._closing = False
        self._jotted: Alarm | None = None
        self.trouble = ""
        self.readers: list[Callable[[bytes], None]] = []  # each is given every line once it is written
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file, self._size, self._seq, self.lost = _open(directory)
        except OSError as error:
            raise JournalBroken(f"{directory}: {error.strerror}") from error
        if self.lost:
            log.warning("journal: the last line was torn and has been cut off", bytes=self.lost)
        self._writer = gevent.spawn(self._write_groups)
        self._syncer = gevent.spawn(self._sync)

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def closed(self) -> bool:
        return self._closing

    def append(self, type: str, call: str = "", **facts: object) -> int:
        """Writes one record and returns its `seq` once it is written."""
        return self.append_all([(type, call, facts)])

    def jot(self, type: str, call: str = "", **facts: object) -> None:
        """Puts one record in line and does not wait: for what has no effect of its own.

        It is written with the next record that somebody waits for, or by itself after `JOTTED_SECONDS`.
        """
        self._line_up([(type, call, facts)])
        if self._jotted is None or self._jotted.fired:
            self._jotted = self._clock.after(JOTTED_SECONDS, self._wake.set)

    def append_all(self, entries: list[tuple[str, str, Mapping[str, object]]]) -> int:
        """Writes several records side by side and returns the last `seq` once all are written."""
        seq, written = self._line_up(entries), self._group
        self._wake.set()
        if not self.trouble:
            with self._clock.working():
                written.wait()
        return seq

    def _line_up(self, entries: list[tuple[str, str, Mapping[str, object]]]) -> int:
        if self._closing:
            raise JournalBroken("the journal is closed")
        wall = self._clock.wall()
        at = wall.astimezone(UTC).isoformat(timespec="milliseconds")
        changed = round(wall.timestamp() * 1000) - self._clock.now() - self._clocks
        if abs(changed) > CLOCK_CHANGE:
            self._clocks += changed
            self._put(at, "ClockChanged", "", {"by": changed})
        for type, call, facts in entries:
            self._put(at, type, call, facts)
        return self._seq

    def _put(self, at: str, type: str, call: str, facts: Mapping[str, object]) -> None:
        self._seq += 1
        record: dict[str, Any] = {"seq": self._seq, "at": at, "v": VERSION, "type": type, "call": call, **facts}
        self._waiting.append(_line(record))
        if self._standing is not None and type in self._standing.concerns:
            self._standing.take(record)

    def close(self) -> None:
        """Takes nothing more from this moment on; writes and syncs what is left."""
        if self._closing:
            return
        self._closing = True
        if self._jotted is not None:
            self._jotted.cancel()
        self._wake.set()
        self._unsynced.set()
        with self._clock.working():
            self._writer.join()
            self._syncer.kill()
            self._flush()
            self._writing.close()
            self._syncing.close()
        os.close(self._file)

    def _write_groups(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            group, self._group = self._group, Event()
            lines, self._waiting = self._waiting, []
            if lines:
                self._write_until_done(lines, group)
            group.set()
            if self._closing and not self._waiting:
                return

    def _write_until_done(self, lines: list[bytes], group: Event) -> None:
        while (error := self._writing.do(partial(self._write, b"".join(lines), self._checkpoint(lines)))) is not None:
            if not self.trouble:
                log.error("journal: cannot be written; calls go on, records wait in memory", error=error.strerror)
            self.trouble = error.strerror or "unknown"
            self._release(group)
            if self._closing:
                return
            gevent.sleep(RETRY_SECONDS)
            lines = self._kept(lines + self._waiting)
            self._waiting = []
        if self.trouble:
            log.info("journal: written again")
        self.trouble = ""
        self._unsynced.set()
        for line in lines:
            for read in self.readers:
                read(line)

    def _release(self, group: Event) -> None:
        """Lets go everyone who waits, also those who came while the write that failed was under way."""
        group.set()
        self._group.set()
        self._group = Event()

    def _kept(self, lines: list[bytes]) -> list[bytes]:
        if len(lines) > KEPT_WHILE_FAILING:
            log.error("journal: the oldest records are lost, too many wait", records=len(lines) - KEPT_WHILE_FAILING)
        return lines[-KEPT_WHILE_FAILING:]

    def _checkpoint(self, lines: list[bytes]) -> Mapping[str, Any] | None:
        """What stands, where these lines begin a new segment; None where they do not."""
        if not self._size or self._size + sum(map(len, lines)) <= SEGMENT_BYTES:
            return None
        return {} if self._standing is None else self._standing.stored()

    def _write(self, data: bytes, checkpoint: Mapping[str, Any] | None) -> OSError | None:
        """Runs in a worker thread. Leaves no torn line behind when it fails, and returns why."""
        try:
            if checkpoint is not None:
                self._next_segment(checkpoint)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError:
                os.ftruncate(self._file, self._size)
                raise
        except OSError as error:
            return error
        self._size += len(data)
        return None

    def _next_segment(self, checkpoint: Mapping[str, Any]) -> None:
        os.fdatasync(self._file)
        latest = max((int(segment.stem) for segment in segments(self._directory)), default=0)
        following = self._directory / f"{latest + 1:06}.jsonl"
        fresh = os.open(following, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        os.dup2(fresh, self._file)
        os.close(fresh)
        self._size = 0
        if checkpoint:
            checkpoints.write(following, checkpoint)

    def _sync(self) -> None:
        while True:
            self._unsynced.wait()
            self._unsynced.clear()
            self._flush()
            gevent.sleep(SYNC_SECONDS)

    def _flush(self) -> None:
        if (error := self._syncing.do(partial(_sync_file, self._file))) is not None:
            log.error("journal: cannot be flushed to the disk", error=error.strerror)


def _sync_file(file: int) -> OSError | None:
    """Runs in a worker thread, and returns why it failed."""
    try:
        os.fdatasync(file)
    except OSError as error:
        return error
    return None


def _open(directory: Path) -> tuple[int, int, int, int]:
    """The last segment, open for appending: its descriptor, size, last `seq`, and bytes cut off as torn."""
    known = segments(directory)
    path = known[-1] if known else directory / "000001.jsonl"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    size = os.fstat(file).st_size
    whole = _whole(file, size)
    if whole < size:
        os.ftruncate(file, whole)
    return file, whole, last_seq(directory), size - whole


def _whole(file: int, size: int) -> int:
    """How many bytes there are up to the last line end."""
    place = size
    while place:
        begin = max(0, place - READ_BYTES)
        end = os.pread(file, place - begin, begin).rfind(b"\n")
        if end >= 0:
            return begin + end + 1
        place = begin
    return 0


def _apart(clock: Clock) -> int:
    """Milliseconds between the time of day and the clock that never goes back."""
    return round(clock.wall().timestamp() * 1000) - clock.now()


def _line(record: Mapping[str, object]) -> bytes:
    return _written(record).encode() + b"\n"


def plain(value: object) -> object:
    """What JSON cannot hold by itself, as it stands in a record."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


_written = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=plain).encode
