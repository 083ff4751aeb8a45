"""A statement as an administrator writes it: one `select` with ``:named`` parameters and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

ParamStyle = Literal["named", "pyformat"]

_PIECES = re.compile(
    r"""(?P<kept> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | :: )  # no parameter stands in these
      | :(?P<name>[A-Za-z_]\w*)
      | (?P<end>;)
      | (?P<open>['"]|/\*)""",
    re.VERBOSE | re.DOTALL,
)
_READS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)


class BadStatement(ValueError):
    """The statement cannot be used; the text says why to whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked statement, cut where its parameters stand: text, name, text, name, ... text."""

    pieces: tuple[str, ...]

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(self.pieces[1::2])

    @lru_cache(1000)  # noqa: B019 - small texts, each of a query of the administrator's
    def first_row(self, style: ParamStyle) -> str:
        """SQL for the first row alone, however many there are, with the driver's kind of placeholders."""
        if style == "named":
            sql = "".join(piece if number % 2 == 0 else f":{piece}" for number, piece in enumerate(self.pieces))
        else:
            sql = "".join(
                piece.replace("%", "%%") if number % 2 == 0 else f"%({piece})s"
                for number, piece in enumerate(self.pieces)
            )
        return "\n".join(("select * from (", sql, ") as answer limit 1"))


def parse(sql: str) -> Statement:
    """The statement of a text. Raises BadStatement."""
    if not _READS.match(sql):
        raise BadStatement("the statement must begin with select (or with)")
    pieces = [""]
    position = 0
    for found in _PIECES.finditer(sql):
        pieces[-1] += sql[position : found.start()]
        position = found.end()
        if found["open"]:
            raise BadStatement(f"the {found['open']} at character {found.start() + 1} is never closed")
        if found["end"]:
            if not re.fullmatch(r"(?:\s|--[^\n]*(?:\n|$))*", sql[position:]):
                raise BadStatement("one statement only; something stands after the semicolon")
            return Statement(tuple(pieces))
        if found["name"]:
            pieces += [found["name"], ""]
        else:
            pieces[-1] += found[0]
    pieces[-1] += sql[position:]
    return Statement(tuple(pieces))
