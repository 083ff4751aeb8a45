"""Recordings of calls: begun in files that nobody can guess, kept in the store's index, filed later where need be."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog
from gevent.threadpool import ThreadPool

from ivr.services import CannotKeep
from journal.writer import Journal
from runtime import filing
from runtime.filing import Facts, Left
from store.rows import CallRecording
from store.store import Store, StoreFailed
from switch.port import CallId
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

T = TypeVar("T")

LONGEST_LEFT = timedelta(days=1)  # for a call that was lost to come back with its recording
STILL_WRITTEN = 60.0  # seconds since the last write in which the switch may still be recording


class StoreRecordings:
    """`ivr.services.Recordings` over the store, with the audio in `directory`, a folder for each day.

    `keep` are the days that a recording is kept unless its queue or step says otherwise; 0 for ever.
    """

    def __init__(
        self,
        store: Store,
        directory: Path,
        clock: Clock,
        journal: Journal,
        *,
        keep: int,
        on_unfiled: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._journal = journal
        self._keep_days = keep
        self._on_unfiled = on_unfiled
        self._threads = ThreadPool(2)
        self._since = self._now()  # what is older was begun by another process
        self._in_hand: dict[Path, Facts] = {}
        self._left: dict[Path, Facts] = {}  # of this process, and out of its hands
        self.unfiled = 0

    def file_for(self, call: CallId, *, flow: str, queue: str, agent: str, keep_days: int | None) -> Path:
        now = self._now()
        facts = {
            "recording": str(uuid.uuid4()),
            "call": call,
            "flow": flow,
            "queue": queue,
            "agent": agent,
            "started": now.isoformat(),
            "keep": self._keep_days if keep_days is None else keep_days,
        }
        try:
            path = self._off_hub(lambda: filing.begin(self._directory / f"{now:%Y-%m-%d}", facts))
        except OSError as error:
            raise CannotKeep(f"no file for a recording: {error.strerror or error}") from error
        self._in_hand[path] = facts
        return path

    def discard(self, recorded: Path) -> None:
        self._off_hub(lambda: filing.throw_away(recorded))
        self._in_hand.pop(recorded, None)

    def leave(self, recorded: Path) -> None:
        if facts := self._in_hand.pop(recorded, None):
            self._left[recorded] = facts
        self._on_unfiled()

    def keep(self, recorded: Path, seconds: float) -> None:
        ours = self._in_hand.pop(recorded, None) or self._left.get(recorded)
        facts = ours or self._off_hub(lambda: filing.slip(recorded))
        if facts is None or not self._is_filed(recorded, facts, seconds):
            self._on_unfiled()

    def file_waiting(self) -> int:
        """Files what is on disk and not in the index, and returns how many recordings still wait. Raises nothing."""
        found = self._off_hub(lambda: filing.left_behind(self._directory, self._clock.wall().timestamp()))
        longest = (self._now() - LONGEST_LEFT).isoformat()
        self._left = {path: facts for path, facts in self._left.items() if str(facts["started"]) > longest}
        self.unfiled = sum(left.path not in self._in_hand and not self._is_filed_now(left) for left in found)
        return self.unfiled

    def _is_filed_now(self, left: Left) -> bool:
        started = str(left.facts.get("started", ""))
        ours = started >= self._since.isoformat() and left.path not in self._left
        if not ours and left.age < STILL_WRITTEN:
            return False
        if self._off_hub(lambda: filing.slip(left.path)) is None:
            return True  # it was kept while others were filed
        try:
            self._off_hub(lambda: filing.make_whole(left.path))
        except OSError as error:
            log.warning("a recording cannot be made ours", path=str(left.path), error=error.strerror or str(error))
            return False
        seconds = self._off_hub(lambda: filing.wav_seconds(left.path))
        if seconds is None:
            self.discard(left.path)
            return True
        return self._is_filed(left.path, left.facts, seconds)

    def _is_filed(self, path: Path, facts: Facts, seconds: float) -> bool:
        try:
            self._off_hub(lambda: filing.secure(path))
            self._store.recordings.keep(_row(path, facts, seconds))
        except (StoreFailed, OSError, LookupError, ValueError) as error:
            log.warning("a recording waits to be put into the index", path=str(path), error=str(error))
            return False
        self._off_hub(lambda: filing.remove_slip(path))
        self._left.pop(path, None)
        about = {name: facts[name] for name in ("recording", "flow", "queue", "agent")}
        self._journal.append("RecordingKept", CallId(facts["call"]), **about, seconds=seconds)
        return True

    def _now(self) -> datetime:
        return self._clock.wall().astimezone(UTC)

    def _off_hub(self, work: Callable[[], T]) -> T:
        """Disk may be slow: its work is done in a native thread."""
        with self._clock.working():
            done: T = self._threads.apply(work)
            return done


def _row(path: Path, facts: Facts, seconds: float) -> CallRecording:
    started = datetime.fromisoformat(facts["started"])
    return CallRecording(
        id=facts["recording"],
        call=facts["call"],
        flow=facts["flow"],
        queue=facts["queue"],
        agent=facts["agent"],
        started=started,
        seconds=seconds,
        path=str(path),
        keep_until=started + timedelta(days=facts["keep"]) if facts["keep"] else None,
    )
