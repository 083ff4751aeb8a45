"""A line to a database: one connection at most, used by one native thread at a time, each use with an end.

What differs between SQLite and PostgreSQL stands in `store.sqlite_line` and `store.postgres_line` and nowhere else:
how to connect, how to stop a statement that takes too long, and what an error means. Everything here blocks;
`store.database` keeps it off the hub.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

T = TypeVar("T")
Work = Callable[[Connection], T]


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

    errors: tuple[type[Exception], ...] = ()  # what the driver raises

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
        except self.errors as error:
            raise DatabaseFailed(self._reason(error), self._text(error)) from error
        except OSError as error:
            raise DatabaseFailed(Reason.DOWN, error.strerror or first_line(error)) from error
        except SQLAlchemyError as error:
            raise DatabaseFailed(Reason.WRONG, first_line(error)) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, *self.errors):
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
        except self.errors:
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
        except SQLAlchemyError:
            self.close()
            return
        except self.errors:
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
        return first_line(error)


def driver(connection: Connection) -> Any:
    """The connection of sqlite3 or psycopg underneath; what it raises is told like any error of the database."""
    return connection.connection.driver_connection


def open_line(url: str, *, create: bool) -> Line:
    """A line to the database of a URL; `create` lets SQLite make a file that is missing.

    Raises DatabaseFailed where the URL is not one of ours; connects only when used. Only the driver of that
    database is loaded: each costs the start a tenth of a second.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseFailed(Reason.WRONG, "this is not a database URL; " + EXAMPLES) from error
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            from store.sqlite_line import SqliteLine  # noqa: PLC0415

            return SqliteLine(parsed, create=create)
        case "sqlite":
            raise DatabaseFailed(Reason.WRONG, "SQLite needs a file here, not memory; " + EXAMPLES)
        case "postgresql" | "postgres":
            from store.postgres_line import PostgresLine  # noqa: PLC0415

            return PostgresLine(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise DatabaseFailed(Reason.WRONG, f"'{other}' is not supported; " + EXAMPLES)


EXAMPLES = "write for example sqlite:///var/hotline.db or postgresql://hotline@localhost/hotline"


def first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
