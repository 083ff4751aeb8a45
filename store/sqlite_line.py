"""A line to a database of SQLite: a file."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from store.lines import Line, Reason

INSTRUCTIONS_BETWEEN_LOOKS = 4000  # of SQLite's machine: well under a millisecond
LOCK_STEP = 100  # milliseconds


class SqliteLine(Line):
    errors = (sqlite3.Error,)

    def __init__(self, url: URL, *, create: bool) -> None:
        self._path = Path(url.database or "").absolute()
        self._create = create
        self._file = (0, 0)
        self._waits = -1  # milliseconds that the connection waits for a lock
        self._reads_only: bool | None = None
        super().__init__(url)

    def _open(self) -> Engine:
        return create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=NullPool)

    def _connect(self) -> sqlite3.Connection:
        if self._create:  # with SIP passwords inside it is not for everybody's eyes
            self._path.touch(mode=0o640)
        name = f"file:{quote(str(self._path))}?mode=rw"
        connection = sqlite3.connect(
            name, uri=True, timeout=self.remaining(), isolation_level=None, check_same_thread=False
        )
        self._waits, self._reads_only = -1, None
        found = self._path.stat()
        self._file = (found.st_dev, found.st_ino)
        connection.execute("pragma foreign_keys = on")
        if self._create:  # let readers go on while one writes
            connection.execute("pragma journal_mode = wal")
        connection.set_progress_handler(lambda: int(self.remaining() <= 0), INSTRUCTIONS_BETWEEN_LOOKS)
        return connection

    def _usable(self, connection: Connection) -> bool:  # noqa: ARG002
        """Not when the file was replaced under us, as a nightly export does."""
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._file

    def _begin(self, driver: Any, writes: bool) -> None:
        # Rounded up, so that it rarely changes: who waits a little too long for a lock keeps no caller waiting.
        waits = max(1, math.ceil(self.remaining() * 1000 / LOCK_STEP)) * LOCK_STEP
        if waits != self._waits:
            driver.execute(f"pragma busy_timeout = {waits}")
            self._waits = waits
        if self._reads_only is not (not writes):
            driver.execute(f"pragma query_only = {int(not writes)}")
            self._reads_only = not writes
        # A transaction that first reads and then writes would fail at once where another one writes.
        driver.execute("begin immediate" if writes else "begin")

    def _reason(self, error: BaseException) -> Reason:
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_INTERRUPT:
                return Reason.SLOW
            case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_CONSTRAINT | sqlite3.SQLITE_MISMATCH | sqlite3.SQLITE_READONLY:
                return Reason.WRONG
            case sqlite3.SQLITE_SCHEMA:  # so a connection calls some errors of syntax in its first statement
                return Reason.WRONG
            case _:
                return Reason.DOWN
