"""flows/queries.yaml: the named queries, checked before any caller needs one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Annotated

from pydantic import Field

from config.document import Document, SpokenText, Written, arranged, parse, read_text
from config.syntax import Path
from config.values import Diagnostic, Duration
from crm import statement
from crm.statement import KEY, BadStatement, Statement

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Query:
    """A named query: what it asks, the columns that it promises, and its limit in seconds."""

    name: str
    statement: Statement
    returns: tuple[str, ...]
    within: float
    may_repeat: bool = False

    @property
    def writes(self) -> bool:
        return self.statement.writes

    @property
    def parameters(self) -> frozenset[str]:
        """The names that `with:` must give values for, all of them and no others."""
        return self.statement.parameters - {KEY} if self.writes else self.statement.parameters

    @property
    def repeatable(self) -> bool:
        """Whether it does no harm to run it twice with the same values: it knows itself again by its key, or so."""
        return not self.writes or self.may_repeat or KEY in self.statement.parameters


Catalogue = Mapping[str, Query]


class QueryEntry(Written):
    """One query."""

    sql: SpokenText
    """One select, insert, update or delete; values come in as `:names` only, which `with:` of the step must give.

    `:key` of one that writes is filled in: the same whenever the same step of the same call is done again.
    """
    returns: list[str] = Field(default_factory=list)
    """The columns that the flow may use; one that writes has them by its `returning`, or none."""
    may_repeat: bool = False
    """One that writes does no harm when it is run twice, also without `:key`."""
    within: Duration = Field(2.0, gt=0, le=30)
    """The limit, after which the step goes on by its exit `failed`."""


QueryFile = dict[Annotated[str, Field(pattern=f"^{_NAME.pattern}$")], QueryEntry]


def load(text: str, name: str) -> tuple[Catalogue | None, list[Diagnostic]]:
    """The queries of a text, or every problem in it; `name` is what problems call the file."""
    document, problems = parse(text, name)
    if document is None:
        return None, problems
    if not isinstance(document.data, dict):
        return None, [*problems, document.problem((), "queries must stand here, each as 'name: ...'")]
    queries: dict[str, Query] = {}
    for key in document.data:
        query, wrong = _query(document, key)
        problems += wrong
        if query is not None:
            queries[key] = query
    problems = arranged(problems)
    return (None if problems else queries), problems


def load_file(path: File) -> tuple[Catalogue | None, list[Diagnostic]]:
    """`load` of a file."""
    text, problems = read_text(path)
    return load(text, str(path)) if text is not None else (None, problems)


def _query(document: Document, name: str) -> tuple[Query | None, list[Diagnostic]]:
    entry, problems = document.validate(QueryEntry, at=(name,))
    if not _NAME.fullmatch(name):
        problems.append(document.problem((name,), "a query's name has small letters, digits and _ only", key=True))
    if entry is None:
        return None, problems
    problems += _wrong_columns(document, name, entry.returns)
    try:
        parsed = statement.parse(entry.sql)
    except BadStatement as error:
        return None, [*problems, document.problem((name, "sql"), str(error))]
    query = Query(name, parsed, tuple(entry.returns), entry.within, entry.may_repeat)
    return query, [*problems, *_does_not_fit(document, query)]


def _does_not_fit(document: Document, query: Query) -> Iterator[Diagnostic]:
    """What the statement and the words beside it have to say of each other."""
    path: Path = (query.name, "returns")
    returning = "returning" in query.statement.words
    if not query.writes and not query.returns:
        yield document.problem((query.name,), "'returns' is missing: the columns that the flow may use", key=True)
    if query.writes and query.returns and not returning:
        yield document.problem(path, f"the statement returns nothing; end it with: returning {query.returns[0]}")
    if not query.writes and query.may_repeat:
        yield document.problem((query.name, "may-repeat"), "the statement only reads", key=True)


def _wrong_columns(document: Document, name: str, returns: list[str]) -> Iterator[Diagnostic]:
    for number, column in enumerate(returns):
        if not _NAME.fullmatch(column):
            problem = f"'{column}' cannot be used in a template; give it a name such as order_date with 'as'"
            yield document.problem((name, "returns", number), problem)
        elif column in returns[:number]:
            yield document.problem((name, "returns", number), f"'{column}' stands here twice")
