"""A statement as an administrator writes it: one that reads or one that writes, with ``:named`` parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

ParamStyle = Literal["named", "pyformat", "numbered"]  # :name, %(name)s, $1

_PIECES = re.compile(
    r"""(?P<kept> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | :: )  # no parameter stands in these
      | :(?P<name>[A-Za-z_]\w*)
      | (?P<end>;)
      | (?P<open>['"]|/\*)""",
    re.VERBOSE | re.DOTALL,
)
_BEGINS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)
_QUOTED_NAME = re.compile(r"'(%?):([A-Za-z_]\w*)(%?)'")
_EXPRESSION = re.compile(r"\{\{\s*(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)[^{}]*\}\}")
READS = ("select", "with", "values")
WRITES = ("insert", "update", "delete")
KEY = "key"  # the parameter of a writing statement that we fill in: the idempotency key


class BadStatement(ValueError):
    """The statement cannot be used; the text says why to whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked statement, cut where its parameters stand: text, name, text, name, ... text."""

    pieces: tuple[str, ...]
    words: frozenset[str] = frozenset()  # the plain words of it, small, without names in quotes and comments
    writes: bool = False

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(self.pieces[1::2])

    @lru_cache(1000)  # noqa: B019 - small texts, each of a query of the administrator's
    def first_row(self, style: ParamStyle) -> str:
        """SQL for the first row alone, however many there are, with the driver's kind of placeholders."""
        return "\n".join(("select * from (", self.whole(style), ") as answer limit 1"))

    @lru_cache(1000)  # noqa: B019 - as above
    def whole(self, style: ParamStyle) -> str:
        """The statement with the driver's kind of placeholders."""
        if style == "named":
            return "".join(piece if number % 2 == 0 else f":{piece}" for number, piece in enumerate(self.pieces))
        if style == "numbered":
            numbers = {name: number for number, name in enumerate(dict.fromkeys(self.pieces[1::2]), 1)}
            return "".join(
                piece if number % 2 == 0 else f"${numbers[piece]}" for number, piece in enumerate(self.pieces)
            )
        return "".join(
            piece.replace("%", "%%") if number % 2 == 0 else f"%({piece})s" for number, piece in enumerate(self.pieces)
        )


def parse(sql: str) -> Statement:
    """The statement of a text. Raises BadStatement."""
    begins = _BEGINS.match(sql)
    verb = begins[1].lower() if begins else ""
    if verb not in READS + WRITES:
        raise BadStatement("the statement must begin with select (or with), or with insert, update or delete")
    if expression := _EXPRESSION.search(sql):
        raise BadStatement(f"{expression[0]} is not filled in here; write :{expression[1]} without quotes")
    pieces, words = _cut(sql)
    if verb in {"update", "delete"} and "where" not in words:
        raise BadStatement(f"without 'where' the {verb} would change every row")
    return Statement(pieces, words, writes=verb in WRITES)


def _cut(sql: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The pieces, and the plain words between what is quoted."""
    pieces = [""]
    position = 0
    plain = ""
    for found in _PIECES.finditer(sql):
        pieces[-1] += sql[position : found.start()]
        plain += sql[position : found.start()] + " "
        position = found.end()
        if found["open"]:
            raise BadStatement(f"the {found['open']} at character {found.start() + 1} is never closed")
        if found["end"]:
            if not re.fullmatch(r"(?:\s|--[^\n]*(?:\n|$))*", sql[position:]):
                raise BadStatement("one statement only; something stands after the semicolon")
            return tuple(pieces), _words(plain)
        _refuse_name_in(found["kept"] or "")
        if found["name"]:
            pieces += [found["name"], ""]
        else:
            pieces[-1] += found[0]
    pieces[-1] += sql[position:]
    return tuple(pieces), _words(plain + sql[position:])


def _refuse_name_in(quoted: str) -> None:
    """A text that looks like a value: no row would ever be found by it. Raises BadStatement."""
    if name := _QUOTED_NAME.fullmatch(quoted):
        before, after = ("'%' || " if name[1] else ""), (" || '%'" if name[3] else "")
        raise BadStatement(f"{quoted} is a text and no value; write {before}:{name[2]}{after} without quotes around it")


def _words(plain: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", plain.lower()))
