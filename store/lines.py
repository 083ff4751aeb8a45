"""A line to a database: one connection at most, used by one native thread at a time, each use with an end.

What differs between SQLite and PostgreSQL stands here and nowhere else: how to connect, how to stop
a statement that takes too long, and what an error means. Everything here blocks; `store.database`
keeps it off the hub.
"""

from __future__ import annotations

import math
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

T = TypeVar("T")
Work = Callable[[Connection], T]

INSTRUCTIONS_BETWEEN_LOOKS = 4000  # of SQLite's machine: well under a millisecond
LOCK_STEP = 100  # milliseconds
ABANDONED = 10_000  # milliseconds beyond its limit after which PostgreSQL ends a transaction that nobody goes on with
GRACE = 0.5  # seconds in which PostgreSQL may still tell that it cancelled the statement


class Reason(StrEnum):
    """Why a database call failed."""

    SLOW = "slow"  # not done within its limit: slow, locked, or too many at once
    DOWN = "down"  # cannot be reached or opened
    WRONG = "wrong"  # the statement does not fit the tables, or the value the column


class DatabaseFailed(Exception):
    """A database call did not succeed; the text is one line and quotes no value of the call."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Line(ABC):
    """One connection, opened when first needed and again when it was lost.

    Its transactions are begun in the driver's own words and the connection stays open between them: what
    SQLAlchemy's pool does around each would cost more than most of our statements.
    """

    def __init__(self, url: URL) -> None:
        self.deadline = math.inf
        self._url = url
        self._engine = self._open()
        self._connection: Connection | None = None

    def run(self, work: Work[T], *, deadline: float, writes: bool) -> T:
        """Runs `work` in one transaction that ends by `deadline` (of `time.monotonic`), or changes nothing.

        `work` may use the connection's driver (`driver`) where a statement is simple. Raises DatabaseFailed.
        """
        self.deadline = deadline
        try:
            return self._run(work, writes)
        except DBAPIError as error:
            cause = error.orig or error
            raise DatabaseFailed(self._reason(cause), self._text(cause)) from error
        except (sqlite3.Error, psycopg.Error) as error:
            raise DatabaseFailed(self._reason(error), self._text(error)) from error
        except OSError as error:
            raise DatabaseFailed(Reason.DOWN, error.strerror or _first_line(error)) from error
        except SQLAlchemyError as error:
            raise DatabaseFailed(Reason.WRONG, _first_line(error)) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, sqlite3.Error, psycopg.Error):
                connection.close()
        self._engine.dispose()

    def remaining(self) -> float:
        """Seconds left of the call that is running."""
        return self.deadline - time.monotonic()

    def _run(self, work: Work[T], writes: bool) -> T:
        connection = self._begun(writes)
        try:
            result = work(connection)
            self._commit(connection)
        except BaseException:
            self._undo(connection)
            raise
        return result

    def _commit(self, connection: Connection) -> None:
        if self.remaining() <= 0:  # the caller was told that it failed: so it shall have
            raise DatabaseFailed(Reason.SLOW, "the database took too long")
        connection.commit()

    def _begun(self, writes: bool) -> Connection:
        """The connection, with a transaction begun in it."""
        if self._connection is not None and not self._usable(self._connection):
            self.close()
        kept = self._connection
        connection = self._connection = kept or self._engine.connect()
        try:
            self._begin(driver(connection), writes)
        except (sqlite3.Error, psycopg.Error):
            if kept is None or not self._lost(connection) or self.remaining() <= 0:
                self._undo(connection)
                raise
            self.close()  # it was lost while nobody used it: nothing has been done in it yet
            connection = self._connection = self._engine.connect()
            self._begin(driver(connection), writes)
        connection.begin()  # SQLAlchemy's view of the same transaction
        return connection

    def _undo(self, connection: Connection) -> None:
        try:
            connection.rollback()
            driver(connection).rollback()
        except (SQLAlchemyError, sqlite3.Error, psycopg.Error):
            self.close()
            return
        if self._lost(connection):
            self.close()

    @abstractmethod
    def _open(self) -> Engine: ...

    @abstractmethod
    def _begin(self, driver: Any, writes: bool) -> None:
        """Starts the transaction, with the limits of this call set in the database."""

    def _usable(self, connection: Connection) -> bool:  # noqa: ARG002
        """Whether an open connection still leads to the database, as far as that can be told without asking it."""
        return True

    def _lost(self, connection: Connection) -> bool:  # noqa: ARG002
        """Whether a connection has turned out to lead nowhere."""
        return False

    @abstractmethod
    def _reason(self, error: BaseException) -> Reason: ...

    def _text(self, error: BaseException) -> str:
        return _first_line(error)


def driver(connection: Connection) -> Any:
    """The connection of sqlite3 or psycopg underneath; what it raises is told like any error of the database."""
    return connection.connection.driver_connection


def open_line(url: str, *, create: bool) -> Line:
    """A line to the database of a URL; `create` lets SQLite make a file that is missing.

    Raises DatabaseFailed where the URL is not one of ours; connects only when used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseFailed(Reason.WRONG, "this is not a database URL; " + EXAMPLES) from error
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return SqliteLine(parsed, create=create)
        case "sqlite":
            raise DatabaseFailed(Reason.WRONG, "SQLite needs a file here, not memory; " + EXAMPLES)
        case "postgresql" | "postgres":
            return PostgresLine(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise DatabaseFailed(Reason.WRONG, f"'{other}' is not supported; " + EXAMPLES)


EXAMPLES = "write for example sqlite:///var/hotline.db or postgresql://hotline@localhost/hotline"


class SqliteLine(Line):
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


class PostgresLine(Line):
    def _open(self) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            # Prepared statements do not survive a PgBouncer between us and the server.
            connect_args={"prepare_threshold": None, "application_name": "hotline"},
            isolation_level="AUTOCOMMIT",  # `_begin` begins
        )
        event.listen(engine, "do_connect", self._connect)
        return engine

    def _connect(self, _dialect: object, _record: object, arguments: Any, options: Any) -> psycopg.Connection:
        options = {"connect_timeout": max(1, math.ceil(self.remaining())), **options}
        connection = _LimitedConnection.connect(*arguments, **options)
        connection.line = self
        return connection

    def _begin(self, driver: Any, writes: bool) -> None:
        milliseconds = max(1, int(self.remaining() * 1000))
        # One message there and one back. The second limit frees what we hold should this process be stopped.
        driver.execute(
            f"begin {'read write' if writes else 'read only'}; set local statement_timeout = {milliseconds}; "
            f"set local idle_in_transaction_session_timeout = {milliseconds + ABANDONED}"
        )

    def _lost(self, connection: Connection) -> bool:
        return bool(connection.closed or connection.invalidated or driver(connection).closed)

    def _reason(self, error: BaseException) -> Reason:
        state = getattr(error, "sqlstate", None) or ""
        if state in CANCELLED:
            return Reason.SLOW
        if state[:2] in UNAVAILABLE:
            return Reason.DOWN
        if isinstance(error, psycopg.OperationalError) and not state:  # the client's own: no connection, no answer
            return Reason.SLOW if self.remaining() <= 0 else Reason.DOWN
        return Reason.WRONG

    def _text(self, error: BaseException) -> str:
        state = getattr(error, "sqlstate", None) or ""
        if state.startswith(BAD_VALUE):  # the server's words quote it
            return f"a value does not fit its column (SQLSTATE {state})"
        return (error.diag.message_primary if isinstance(error, psycopg.Error) else "") or _first_line(error)


CANCELLED = ("57014", "55P03")
UNAVAILABLE = ("08", "28", "3D", "53", "57", "58", "XX")
BAD_VALUE = "22"


class _LimitedConnection(psycopg.Connection[Any]):
    """A connection that waits no longer than its line's deadline, even for a server that has gone silent."""

    line: PostgresLine | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if self.line is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, max(GRACE, self.line.remaining() + GRACE))
        except psycopg.OperationalError as error:
            if not error.sqlstate and self.line.remaining() <= 0:
                self.pgconn.finish()  # in the middle of an exchange it is of no more use
            raise


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
