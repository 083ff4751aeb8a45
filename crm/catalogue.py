"""flows/queries.yaml: the named queries, checked before any caller needs one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.document import Document, SpokenText, Written, arranged, parse, read_text
from config.values import Diagnostic, Duration
from crm import statement
from crm.statement import BadStatement, Statement

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Query:
    """A named query: what it asks, the columns that it promises, and its limit in seconds."""

    name: str
    statement: Statement
    returns: tuple[str, ...]
    within: float

    @property
    def parameters(self) -> frozenset[str]:
        """The names that `with:` must give values for, all of them and no others."""
        return self.statement.parameters


Catalogue = Mapping[str, Query]


class QueryEntry(Written):
    """One query."""

    sql: SpokenText
    """One select; values come in as `:names` only, which `with:` of the step must give."""
    returns: list[str] = Field(min_length=1)
    """The columns that the flow may use."""
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


def load_file(path: Path) -> tuple[Catalogue | None, list[Diagnostic]]:
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
    return Query(name, parsed, tuple(entry.returns), entry.within), problems


def _wrong_columns(document: Document, name: str, returns: list[str]) -> Iterator[Diagnostic]:
    for number, column in enumerate(returns):
        if not _NAME.fullmatch(column):
            problem = f"'{column}' cannot be used in a template; give it a name such as order_date with 'as'"
            yield document.problem((name, "returns", number), problem)
        elif column in returns[:number]:
            yield document.problem((name, "returns", number), f"'{column}' stands here twice")
