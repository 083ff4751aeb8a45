"""Messages and recordings that may be kept no longer go, the audio and the rows together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import structlog
from gevent.threadpool import ThreadPool

from journal.writer import Journal
from runtime import filing
from store.store import Store, StoreFailed
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

EVERY = 3600.0  # seconds
TRIED_AGAIN = 300.0


class Retention:
    """Calling it removes what is due. First the file goes, then its row: a row without its file is found again."""

    def __init__(self, store: Store, clock: Clock, journal: Journal) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal
        self._thread = ThreadPool(1)

    def __call__(self) -> float:
        """Returns in how many seconds it is to be done again."""
        try:
            messages = self._messages()
            recordings = self._recordings()
        except (StoreFailed, OSError) as error:
            log.warning("what is too old could not be removed", error=str(error))
            return TRIED_AGAIN
        if messages or recordings:
            self._journal.append("RetentionDone", "", messages=messages, recordings=recordings)
        return EVERY

    def _messages(self) -> int:
        self._store.voicemail.drop_expired(self._clock.wall().astimezone(UTC))
        dropped = self._store.voicemail.dropped()
        if dropped:
            self._remove(list(dropped.values()))
            self._store.voicemail.forget(list(dropped))
        return len(dropped)

    def _recordings(self) -> int:
        removed = 0
        while expired := self._store.recordings.expired(self._clock.wall().astimezone(UTC)):
            self._remove([recording.path for recording in expired])
            self._store.recordings.forget([recording.id for recording in expired])
            removed += len(expired)
        return removed

    def _remove(self, paths: Sequence[str]) -> None:
        with self._clock.working():
            self._thread.apply(_remove_all, (paths,))


def _remove_all(paths: Sequence[str]) -> None:
    for path in paths:
        Path(path).unlink(missing_ok=True)
        filing.remove_slip(Path(path))
