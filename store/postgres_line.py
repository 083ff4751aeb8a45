"""A line to a database of PostgreSQL, by psycopg."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from store.lines import Line, Reason, driver, first_line

T = TypeVar("T")

ABANDONED = 10_000  # milliseconds beyond its limit after which PostgreSQL ends a transaction that nobody goes on with
GRACE = 0.5  # seconds in which PostgreSQL may still tell that it cancelled the statement


class PostgresLine(Line):
    errors = (psycopg.Error,)

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
        return (error.diag.message_primary if isinstance(error, psycopg.Error) else "") or first_line(error)


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
