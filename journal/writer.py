"""Writing the journal: one order, one writer, many waiting for the same group."""

from __future__ import annotations

import errno
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
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
STALL_SECONDS = 1.0  # that a write may take: beyond them nobody waits for the disk
STUCK_SECONDS = 10.0  # after which records that nobody takes are an error of ours, not of the disk
CLOSE_SECONDS = 5.0  # for what is left, where the disk stands still
KEPT_WHILE_FAILING = 100_000
CLOCK_CHANGE = 1000  # milliseconds between the time of day and the clock that never goes back: more is written down


class JournalBroken(Exception):
    """The journal's directory cannot be used; the text says why."""


class Journal:
    """The append-only record of all that happened, as JSON lines in numbered segments.

    `append` returns when the record is with the operating system, so that a killed process loses
    nothing that had an effect; a power cut loses at most what came in the last `SYNC_SECONDS`.
    When the disk is full, broken or stands still, calls go on: records wait in memory, and `trouble` says so.
    `standing` takes every record, and is kept beside each new segment.
    """

    def __init__(self, directory: Path, clock: Clock, standing: checkpoints.Standing | None = None) -> None:
        self._directory = directory
        self._clock = clock
        self._standing = standing
        self._clocks = _apart(clock)
        self._writing, self._syncing = NativeThread(), NativeThread()
        self._waiting: deque[bytes] = deque()
        self._since = clock.now()  # the oldest of them has waited
        self._dropped = 0
        self._group = Event()
        self._wake = Event()
        self._unsynced = Event()
        self._closing = False
        self._jotted: Alarm | None = None
        self.unflushed = ""
        self.trouble = ""
        self.readers: list[Callable[[bytes], None]] = []  # each is given every line once it is written
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file, self._size, self._seq, self.lost = _open(directory)
        except OSError as error:
            raise JournalBroken(f"{directory}: {error.strerror}") from error
        if self.lost:
            log.warning("journal: the last line was torn and has been cut off", bytes=self.lost)
        self.began = self._written = self._seq  # the last record of the lives before
        self._flushed = 0  # who wrote them may have been killed before it flushed
        self._writer = gevent.spawn(self._write_groups)
        self._syncer = gevent.spawn(self._sync)

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def closed(self) -> bool:
        return self._closing

    @property
    def stuck(self) -> bool:
        """Whether nobody takes the records that come: of that a new process may be free, unlike of a bad disk."""
        waited = bool(self._waiting) and self._clock.now() - self._since > STUCK_SECONDS * 1000
        return self._writer.dead or (waited and not self.trouble)

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
        record: dict[str, Any] = {"seq": self._seq + 1, "at": at, "v": VERSION, "type": type, "call": call, **facts}
        line = _line(record)
        self._seq += 1
        if not self._waiting:
            self._since = self._clock.now()
        self._waiting.append(line)
        self._drop(len(self._waiting) - KEPT_WHILE_FAILING)
        if self._standing is not None and type in self._standing.concerns:
            self._standing.take(record)

    def flush(self) -> int:
        """Has what is written flushed, and returns the `seq` up to which the disk has done that.

        What outlives a power cut elsewhere must not be made of records after it. Waits for `STALL_SECONDS` at most.
        """
        if self._flushed < self._written and not self._closing:
            with self._clock.working():
                self._flush(within=STALL_SECONDS)
        return self._flushed

    def close(self) -> None:
        """Takes nothing more from this moment on; writes and syncs what is left, as far as the disk lets it."""
        if self._closing:
            return
        self._closing = True
        if self._jotted is not None:
            self._jotted.cancel()
        self._wake.set()
        self._unsynced.set()
        with self._clock.working():
            self._writer.join(CLOSE_SECONDS)
            self._syncer.kill()
            if answers := self._writer.ready() and self._flush(within=CLOSE_SECONDS):
                self._writing.close()
                self._syncing.close()
                os.close(self._file)
        lost = self._seq - self._written
        if not answers:
            log.error("journal: closed while the disk stands still: what it does not take any more is lost", lost=lost)
        elif lost:
            log.error("journal: closed while it cannot be written: records are lost", lost=lost, error=self.trouble)

    # --- the two that write

    def _write_groups(self) -> None:
        while self._waiting or not self._closing:
            self._wake.wait()
            self._wake.clear()
            group, self._group = self._group, Event()
            self._write_until_done(self._taken(), group)
            group.set()

    def _taken(self) -> list[bytes]:
        lines = list(self._waiting)
        self._waiting.clear()
        return lines

    def _write_until_done(self, lines: list[bytes], group: Event) -> None:
        while lines and (trouble := self._attempt(lines, group)):
            self._fails(trouble, group)
            if self._closing:
                return
            gevent.sleep(RETRY_SECONDS)
            self._waiting.extendleft(reversed(lines))
            self._drop(len(self._waiting) - KEPT_WHILE_FAILING)
            lines = self._taken()
        if lines:
            self._succeeds(lines)

    def _attempt(self, lines: list[bytes], group: Event) -> str:
        """Why these could not be written, "" where they were. Where that takes long, nobody waits for it."""
        try:
            writing = self._writing.start(partial(self._write, b"".join(lines), self._checkpoint(lines)))
            writing.wait(STALL_SECONDS)
            if not writing.ready():
                self._fails("the disk stands still", group)
            writing.get()
        except OSError as error:
            return error.strerror or "unknown"
        except Exception as error:  # the one writer of all that happens must live
            log.exception("journal: an error of the program itself")
            return f"an error of the program itself: {type(error).__name__}"
        return ""

    def _fails(self, trouble: str, group: Event) -> None:
        """Lets go everyone who waits, also those who came while the write that fails was under way."""
        if not self.trouble:
            log.error("journal: cannot be written; calls go on, records wait in memory", error=trouble)
        self.trouble = trouble
        group.set()
        self._group.set()
        self._group = Event()

    def _succeeds(self, lines: Iterable[bytes]) -> None:
        if self.trouble:
            log.info("journal: written again", lost=self._dropped)
        self.trouble, self._dropped = "", 0
        self._written = self._seq - len(self._waiting)
        self._unsynced.set()
        for line in lines:
            for read in self.readers:
                self._tell(read, line)

    def _tell(self, read: Callable[[bytes], None], line: bytes) -> None:
        try:
            read(line)
        except Exception:  # whoever reads along is no reason to write no more
            log.exception("journal: somebody who reads along broke off")

    def _drop(self, many: int) -> None:
        """The oldest records that wait, when there are too many of them."""
        if many > 0 and not self._dropped:
            log.error("journal: the oldest records are lost, too many wait", kept=KEPT_WHILE_FAILING)
        for _ in range(many):
            self._waiting.popleft()
            self._dropped += 1

    def _checkpoint(self, lines: list[bytes]) -> bytes | None:
        """What stands at this moment, where these lines begin a new segment; None where they do not."""
        if not self._size or self._size + sum(map(len, lines)) <= SEGMENT_BYTES:
            return None
        return b"" if self._standing is None else _written(self._standing.stored()).encode()

    def _write(self, data: bytes, checkpoint: bytes | None) -> None:
        """Runs in a worker thread. Leaves no torn line behind when it fails. Raises OSError."""
        if checkpoint is not None:
            self._next_segment(checkpoint)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _next_segment(self, checkpoint: bytes) -> None:
        os.fdatasync(self._file)
        latest = max((int(segment.stem) for segment in segments(self._directory)), default=0)
        following = self._directory / f"{latest + 1:06}.jsonl"
        fresh = os.open(following, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            _flush_names(self._directory)
            os.dup2(fresh, self._file)
        finally:
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

    def _flush(self, *, within: float | None = None) -> bool:
        """Whether the disk has answered."""
        upto = self._written
        syncing = self._syncing.start(self._sync_file)
        syncing.wait(within)
        if not syncing.ready():
            return False
        trouble = syncing.get() or ""
        if trouble and not self.unflushed:
            log.error("journal: cannot be flushed to the disk", error=trouble)
        if not trouble:
            self._flushed = max(self._flushed, upto)
        self.unflushed = trouble
        return True

    def _sync_file(self) -> str:
        """Runs in a worker thread, and returns why it failed."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            return error.strerror or "unknown"
        return ""


def _open(directory: Path) -> tuple[int, int, int, int]:
    """The last segment, open for appending: its descriptor, size, last `seq`, and bytes cut off as torn."""
    known = segments(directory)
    path = known[-1] if known else directory / "000001.jsonl"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    _flush_names(directory)
    size = os.fstat(file).st_size
    whole = _whole(file, size)
    if whole < size:
        os.ftruncate(file, whole)
    return file, whole, last_seq(directory), size - whole


def _flush_names(directory: Path) -> None:
    """A new file is there after a power cut only if its folder was flushed, whatever was flushed in it."""
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has no such thing
            raise
    finally:
        os.close(folder)


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
