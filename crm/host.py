"""Asking the host: a named query in, its first row out, or HostFailed within the query's limit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection

from crm.catalogue import Catalogue, Query
from crm.statement import KEY, ParamStyle
from ivr.services import HostFailed
from store.database import Database, DatabaseFailed, Reason, driver
from store.text import storable
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

Value = str | int | float | bool | None
Row = Mapping[str, Value]

LONGEST_VALUE = 4000  # characters that are taken from a column or given for a parameter
LARGEST_INTEGER = 2**63


class QueryFailed(HostFailed):
    """HostFailed, with the kind of reason: slow, down or wrong."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Host:
    """The database behind `crm.url`; at most `connections` queries run at a time.

    In a rehearsal everything is written as always, told, and undone: nothing of it remains.
    """

    def __init__(self, url: str, clock: Clock, *, connections: int = 5, rehearsal: bool = False) -> None:
        """Raises HostFailed where the URL is not one of ours."""
        self._rehearsal = rehearsal
        try:
            self._database = Database(url, clock, name="CRM", threads=connections)
        except DatabaseFailed as error:
            raise QueryFailed(error.reason, f"crm.url: {error}") from error

    def ask(self, query: Query, parameters: Mapping[str, object]) -> Row | None:
        """The first row, its promised columns only; None when there is none. Raises HostFailed.

        Dates come as ISO 8601 text and decimals as they are written, whatever the database.
        """
        try:
            values = _bound(query, parameters)
            return self._database.run(lambda connection: _first_row(connection, query, values), within=query.within)
        except DatabaseFailed as error:
            log.warning("a query failed", query=query.name, reason=error.reason.value, error=str(error))
            raise QueryFailed(error.reason, f"query {query.name}: {error}") from error

    def write(self, query: Query, parameters: Mapping[str, object], key: str) -> Row | None:
        """Runs a query that writes; the first row that it returns, None where it returns none. Raises HostFailed.

        After HostFailed nothing was written, unless the database was lost while it committed.
        """
        try:
            values = {**_bound(query, parameters), **({KEY: key} if KEY in query.statement.parameters else {})}
            return self._database.run(
                lambda connection: _written(connection, query, values, undo=self._rehearsal),
                within=query.within,
                writes=True,
            )
        except DatabaseFailed as error:
            log.warning("a query failed", query=query.name, reason=error.reason.value, error=str(error))
            raise QueryFailed(error.reason, f"query {query.name}: {error}") from error

    def close(self) -> None:
        self._database.close()


class Queries:
    """The queries of one version of queries.yaml, on a host: what flows ask (`ivr.services.Hosts`)."""

    def __init__(self, host: Host, catalogue: Catalogue) -> None:
        self._host = host
        self._catalogue = catalogue

    def __contains__(self, name: str) -> bool:
        return name in self._catalogue

    def query(self, name: str, parameters: Mapping[str, object]) -> Row | None:
        """`Host.ask` by name. Raises HostFailed."""
        if name not in self._catalogue:
            raise QueryFailed(Reason.WRONG, f"there is no query {name}")
        return self._host.ask(self._catalogue[name], parameters)

    def save(self, name: str, parameters: Mapping[str, object], key: str) -> Row | None:
        """`Host.write` by name. Raises HostFailed."""
        if name not in self._catalogue or not self._catalogue[name].writes:
            raise QueryFailed(Reason.WRONG, f"there is no query {name} that writes")
        return self._host.write(self._catalogue[name], parameters, key)

    def repeatable(self, name: str) -> bool:
        """`Query.repeatable` by name."""
        return name in self._catalogue and self._catalogue[name].repeatable


def _bound(query: Query, parameters: Mapping[str, object]) -> dict[str, Value]:
    if parameters.keys() != query.parameters:
        wanted = ", ".join(sorted(query.parameters)) or "no parameters"
        raise DatabaseFailed(Reason.WRONG, f"it takes {wanted}, and got {', '.join(sorted(parameters)) or 'none'}")
    return {name: _parameter(value) for name, value in parameters.items()}


def _parameter(value: object) -> Value:
    match value:
        case None | bool() | float():
            return value
        case int() if abs(value) < LARGEST_INTEGER:
            return value
        case _:
            return storable(str(value), LONGEST_VALUE)


def _first_row(connection: Connection, query: Query, values: dict[str, Value]) -> Row | None:
    """Runs in a thread; asks the driver itself, for SQLAlchemy's part would cost more than the answer."""
    with closing(driver(connection).execute(query.statement.first_row(_style(connection)), values)) as cursor:
        return _promised(cursor, query)


def _written(connection: Connection, query: Query, values: dict[str, Value], *, undo: bool) -> Row | None:
    """Runs in a thread."""
    with closing(driver(connection).execute(query.statement.whole(_style(connection)), values)) as cursor:
        row = _promised(cursor, query) if cursor.description else None
    if undo:
        driver(connection).rollback()
    return row


def _style(connection: Connection) -> ParamStyle:
    return "named" if connection.dialect.name == "sqlite" else "pyformat"


def _promised(cursor: Any, query: Query) -> Row | None:
    """The first row's promised columns. Raises DatabaseFailed where one is not there."""
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    if missing := [column for column in query.returns if column not in names]:
        raise DatabaseFailed(Reason.WRONG, f"it promises {', '.join(missing)}, but returns {', '.join(names)}")
    if row is None:
        return None
    given = dict(zip(names, row, strict=True))
    return {column: _value(column, given[column]) for column in query.returns}


def _value(column: str, value: object) -> Value:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return storable(value, LONGEST_VALUE)
        case date() | datetime() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case _:
            raise DatabaseFailed(Reason.WRONG, f"column {column} holds neither text nor a number nor a date")
