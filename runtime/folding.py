"""Folding the journal into the tables that people query. When the database is away, folding waits; calls go on."""

from __future__ import annotations

from datetime import datetime, timedelta

import gevent
import structlog
from gevent.event import Event
from gevent.threadpool import ThreadPool

from journal.keeping import drop_old
from journal.reader import Record, Tail
from journal.writer import Journal
from store.store import Store, StoreFailed
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0  # the seldomer, the fewer times is a call folded while it lasts
DROP_EVERY = timedelta(hours=1)
BATCH = 1000


class Folder:
    """One greenlet that reads on in the journal and hands what it finds to `Store.fold`.

    What was folded is dropped from the journal after `keep`.
    """

    def __init__(self, journal: Journal, store: Store, clock: Clock, *, keep: timedelta) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._thread = ThreadPool(1)
        self._keep = keep
        self._tail: Tail | None = None
        self._dropped_at: datetime | None = None
        self._stopping = False
        self._woken = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self.trouble = ""

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Folds what is there once more, as far as the database lets it."""
        self._stopping = True
        self._woken.set()
        if self._greenlet is not None:
            self._greenlet.join()

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            self.fold()
            with self._clock.after(EVERY_SECONDS, self._woken.set):
                self._woken.wait()
        self.fold()

    def fold(self) -> None:
        """Folds all there is; on trouble with database or disk it starts again at the last folded record next time."""
        try:
            if self._tail is None:
                self._tail = Tail(self._journal.directory, after=self._store.last_folded())
            while batch := self._read(self._tail):
                self._store.fold(batch)
            self._drop_old()
        except (StoreFailed, OSError) as error:
            what = "the database does not answer" if isinstance(error, StoreFailed) else "the journal cannot be read"
            if not self.trouble:
                log.warning(f"folding waits: {what}", error=str(error))
            self._tail, self.trouble = None, f"{what}: {error}"
        else:
            self.trouble = ""

    def _drop_old(self) -> None:
        now = self._clock.wall()
        if self._dropped_at is not None and now - self._dropped_at < DROP_EVERY:
            return
        self._dropped_at = now
        folded, before = self._store.last_folded(), now - self._keep
        with self._clock.working():
            dropped = self._thread.apply(lambda: drop_old(self._journal.directory, folded=folded, before=before))
        if dropped:
            log.info("journal: old segments were dropped", segments=[segment.name for segment in dropped])

    def _read(self, tail: Tail) -> list[Record]:
        with self._clock.working():
            return self._thread.apply(tail.read, (BATCH,))
