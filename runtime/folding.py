"""Folding the journal into the tables that people query. When the database is away, folding waits; calls go on."""

from __future__ import annotations

import math
from datetime import timedelta

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
MILLISECOND = timedelta(milliseconds=1)
BATCH = 500  # records: one transaction, for which a stop waits
STOP_SECONDS = 1.0  # after which a stop begins no further batch; one under way has as long again


class Folder:
    """One greenlet that reads on in the journal and hands what it finds to `Store.fold`.

    Only what a power cut cannot take back is folded: the database keeps it for good, while the journal would give the
    numbers of what it has lost again. What was folded is dropped from the journal after `keep`.
    """

    def __init__(self, journal: Journal, store: Store, clock: Clock, *, keep: timedelta) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._thread = ThreadPool(1)
        self._keep = keep
        self._tail: Tail | None = None
        self._compared = False
        self._drop_at: float = clock.now()
        self._until = math.inf  # milliseconds: when a stop ends it
        self._woken = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self.trouble = ""

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Folds what came last; what there is no time for, or no database, the next start folds."""
        self._until = self._clock.now() + STOP_SECONDS * 1000
        self._woken.set()
        if self._greenlet is None:
            return
        ended = Event()
        self._greenlet.link(lambda _: ended.set())
        with self._clock.after(2 * STOP_SECONDS, ended.set):
            ended.wait()
        self._greenlet.kill()

    @property
    def _stopping(self) -> bool:
        return self._until < math.inf

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            self.fold()
            with self._clock.after(EVERY_SECONDS, self._woken.set):
                self._woken.wait()
        self.fold()

    def fold(self) -> None:
        """Folds all there is; on trouble of whatever kind it starts again at the last folded record next time."""
        try:
            if self._tail is None:
                self._tail = self._opened()
            flushed = self._journal.flush()
            while self._clock.now() < self._until and (batch := self._read(self._tail, flushed)):
                self._store.fold(batch)
            if not self._stopping:
                self._drop_old()
        except (StoreFailed, OSError) as error:
            what = "the database does not answer" if isinstance(error, StoreFailed) else "the journal cannot be read"
            if not self.trouble:
                log.warning(f"folding waits: {what}", error=str(error))
            self._tail, self.trouble = None, f"{what}: {error}"
        except Exception as error:  # who comes later is to be in the tables all the same
            trouble = f"an error of the program itself: {error!r}"
            if trouble != self.trouble:
                log.exception("folding broke off; it is tried again")
            self._tail, self.trouble = None, trouble
        else:
            self.trouble = self._journal.unflushed and f"the journal cannot be flushed: {self._journal.unflushed}"

    def _opened(self) -> Tail:
        """Where folding goes on."""
        if not self._compared:
            self._compare()
        return Tail(self._journal.directory, after=self._store.last_folded())

    def _compare(self) -> None:
        """A journal that ends before what was folded has lost its end: the numbers there are given again."""
        folded, end = self._store.set_back(self._journal.began), self._journal.began
        if folded > end:
            log.error(
                "the journal has lost records that are in the tables; they stay there, and folding goes on at its end",
                lost=folded - end,
                after=end,
            )
        self._compared = True

    def _drop_old(self) -> None:
        if self._clock.now() < self._drop_at:
            return
        self._drop_at = self._clock.now() + DROP_EVERY / MILLISECOND
        folded, before = self._store.last_folded(), self._clock.wall() - self._keep
        with self._clock.working():
            dropped = self._thread.apply(lambda: drop_old(self._journal.directory, folded=folded, before=before))
        if dropped:
            log.info("journal: old segments were dropped", segments=[segment.name for segment in dropped])

    def _read(self, tail: Tail, upto: int) -> list[Record]:
        with self._clock.working():
            return self._thread.apply(tail.read, (BATCH,), {"upto": upto})
