"""The index of call recordings: which call lies where, and until when.

Every method raises StoreFailed as the store's own do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from store.rows import CallRecording
from store.tables import recordings
from store.text import storable
from store.voicemail import Runner


class Recordings:
    """The part of the store behind `Store.recordings`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def keep(self, recording: CallRecording) -> None:
        """Puts a recording into the index, once however often it is asked to."""
        self._run(lambda connection: _keep(connection, recording), writes=True)

    def list(self, *, call: str = "", queue: str = "", agent: str = "", limit: int = 100) -> list[CallRecording]:
        """The latest ones, newest first; of a call, queue or agent alone where one is given."""
        query = select(recordings).order_by(recordings.c.started.desc(), recordings.c.id).limit(limit)
        for column, wanted in ((recordings.c.call, call), (recordings.c.queue, queue), (recordings.c.agent, agent)):
            if wanted:
                query = query.where(column == storable(wanted))
        return self._run(lambda connection: [CallRecording(**row) for row in connection.execute(query).mappings()])

    def expired(self, now: datetime, *, limit: int = 500) -> Sequence[CallRecording]:
        """Those that may be kept no longer, the oldest first."""
        query = select(recordings).where(recordings.c.keep_until <= now).order_by(recordings.c.started).limit(limit)
        return self._run(lambda connection: [CallRecording(**row) for row in connection.execute(query).mappings()])

    def forget(self, ids: Sequence[str]) -> None:
        """Removes the rows of recordings whose files have gone."""
        gone = delete(recordings).where(recordings.c.id.in_(ids))
        self._run(lambda connection: connection.execute(gone), writes=True)


def _keep(connection: Connection, recording: CallRecording) -> None:
    if connection.execute(select(recordings.c.id).where(recordings.c.id == recording.id)).first() is None:
        row = dataclasses.asdict(recording)
        texts = {name: storable(row[name]) for name in ("call", "flow", "queue", "agent")}
        connection.execute(insert(recordings).values(row | texts))
