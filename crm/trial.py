"""Whether the queries fit the CRM's tables: each is prepared there and none is run, before any caller needs one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, suppress

from sqlalchemy import Connection, inspect

from config.document import Document, parse
from config.syntax import Path
from config.values import Diagnostic
from config.wording import choices, suggestion
from crm.catalogue import Catalogue, Query
from crm.statement import KEY
from store.database import Database, DatabaseFailed, Reason, driver
from switch.shared.clock import Clock

WITHIN = 3.0  # seconds for a query, and for the names of the tables
IN_ALL = 15.0  # seconds for all queries of a file

# In the words of SQLite and of PostgreSQL; the name that is not known stands in the group.
_NO_TABLE = re.compile(r'no such table: (?:\w+\.)?(\w+)|relation "(?:\w+\.)?(\w+)" does not exist')
_NO_COLUMN = re.compile(
    r'no such column: (?:\w+\.)?(\w+)|column (?:\w+\.)?"?(\w+)"? (?:of relation .* )?does not exist'
)
_NO_INSERTED = re.compile(r"table \w+ has no column named (\w+)")
_NEAR = re.compile(r'(?:near|at or near) "(\w+)"')


class NotTried(Exception):
    """The CRM did not answer, so nobody knows; the text says why."""


def problems(text: str, name: str, queries: Catalogue, url: str, clock: Clock) -> list[Diagnostic]:
    """What the CRM says against the queries of a text, at their places. Raises NotTried."""
    document, _ = parse(text, name)
    return [] if document is None else of_document(document, queries, url, clock)


def of_document(document: Document, queries: Catalogue, url: str, clock: Clock) -> list[Diagnostic]:
    """`problems` of a text that was parsed. Blocks its greenlet alone, and for IN_ALL seconds at most or so."""
    if not queries:
        return []
    try:
        database = Database(url, clock, name="CRM", threads=1)
    except DatabaseFailed as error:
        raise NotTried(f"crm.url: {error}") from error
    end = clock.now() + round(IN_ALL * 1000)
    found: list[Diagnostic] = []
    try:
        for query in queries.values():
            if clock.now() > end:
                raise NotTried(f"preparing {len(queries)} queries takes it longer than {IN_ALL:.0f} s")
            found += _tried(document, query, database)
        return found
    finally:
        database.close()


def _tried(document: Document, query: Query, database: Database) -> Iterator[Diagnostic]:
    try:
        columns = database.run(lambda connection: _columns(connection, query), within=WITHIN)
    except DatabaseFailed as error:
        if error.reason is not Reason.WRONG:
            raise NotTried(str(error)) from error
        yield document.problem((query.name, "sql"), _in_words(str(error), query, database))
        return
    if columns is None:
        return
    for number, column in enumerate(query.returns):
        if column not in columns:
            path: Path = (query.name, "returns", number)
            hint = suggestion(column, columns) or f" It returns: {choices(columns)}"
            yield document.problem(path, f"the statement returns no '{column}'.{hint}")


def _columns(connection: Connection, query: Query) -> Sequence[str] | None:
    """The columns that the statement would return; None where that is not known. Runs in a thread."""
    if connection.dialect.name == "sqlite":
        return _columns_of_sqlite(connection, query)
    return _columns_of_postgres(connection, query)


def _columns_of_sqlite(connection: Connection, query: Query) -> Sequence[str] | None:
    values = dict.fromkeys(query.parameters | {KEY})
    with closing(driver(connection).execute(f"explain {query.statement.whole('named')}", values)):
        pass
    if query.writes:
        return None
    nothing = query.statement.first_row("named").removesuffix("1") + "0"  # no row is worked out: `limit 0`
    with closing(driver(connection).execute(nothing, values)) as cursor:
        return [column[0] for column in cursor.description]


def _columns_of_postgres(connection: Connection, query: Query) -> Sequence[str]:
    """By the protocol itself: parsed and described, never bound and executed."""
    import psycopg  # noqa: PLC0415 - a start without PostgreSQL does without it

    line = driver(connection).pgconn
    written = query.statement.whole("numbered") if query.writes else query.statement.first_row("numbered")
    for result in (line.prepare(b"", written.encode()), described := line.describe_prepared(b"")):
        if result.status not in {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}:
            raise psycopg.errors.error_from_result(result)
    return [described.fname(number).decode() for number in range(described.nfields)]


def _in_words(said: str, query: Query, database: Database) -> str:
    """What the database said, and which name is probably meant."""
    tables: dict[str, list[str]] = {}
    with suppress(DatabaseFailed):
        tables = database.run(_tables, within=WITHIN)
    columns = {column for table, of in tables.items() if table in query.statement.words for column in of}
    for pattern, kind, known in (
        (_NO_COLUMN, "column", columns),
        (_NO_TABLE, "table", tables),
        (_NO_INSERTED, "column", columns),
    ):
        if found := pattern.search(said):
            return _no(kind, next(filter(None, found.groups())), known)
    word = found[1] if (found := _NEAR.search(said)) else ""
    return f"the CRM cannot read the statement: {said}.{suggestion(word, [*tables, *columns]) if word else ''}"


def _no(kind: str, name: str, known: Collection[str]) -> str:
    return (
        f"no {kind} '{name}' in the CRM.{suggestion(name, known) or (f' There are: {choices(known)}' if known else '')}"
    )


def _tables(connection: Connection) -> dict[str, list[str]]:
    """The columns of each table and view. Runs in a thread."""
    found = inspect(connection)
    names = [*found.get_table_names(), *found.get_view_names()]
    return {name: [column["name"] for column in found.get_columns(name)] for name in names}
