"""Values that people write in files and on the command line, and how a mistake is reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_OFFSET = re.compile(r"(?:(?:etc/)?(?:utc|gmt|z))?\s*[+\-\u2212\uff0b\uff0d]?\s*\d{1,2}(?::?\d{2})?", re.IGNORECASE)
_ABBREVIATION = re.compile(r"(?!utc$|gmt$)(?:[A-Z]{2,5}|[a-z]{3,4})")


class UserError(Exception):
    """A mistake that the person at the terminal can mend; the text is one clear line that says how."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One problem in one file. Line and column count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


def seconds(text: object) -> float:
    """The seconds of ``500ms``, ``5s``, ``2m`` or ``1h``. Raises ValueError with an example."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    found = _DURATION.fullmatch(str(text).strip())
    if not found:
        raise ValueError(f"'{text}' is not a duration; write for example 500ms, 5s, 2m or 1h")
    return float(found[1]) * _UNITS[found[2]]


def is_length(text: object) -> bool:
    """Whether a text is a duration."""
    return isinstance(text, str) and _DURATION.fullmatch(text.strip()) is not None


Duration = Annotated[
    float, BeforeValidator(seconds, json_schema_input_type=Annotated[str, Field(pattern=f"^{_DURATION.pattern}$")])
]


def duration(length: float) -> str:
    """Seconds as people write them: ``500ms``, ``90s``, ``2m`` or ``1h``."""
    if length != round(length):
        return f"{round(length * 1000)}ms"
    for unit in ("h", "m"):
        if length and length % _UNITS[unit] == 0:
            return f"{round(length / _UNITS[unit])}{unit}"
    return f"{round(length)}s"


def is_time_zone(text: str) -> bool:
    """Whether there is a zone of that name; looked for alone, as a list of all of them takes a while."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # not there; no path inside; a folder
        return False
    return True


def zone_of_place(text: str) -> str:
    """What to write for an offset or an abbreviation, which several places have; "" for any other text.

    A zone with a name like it may be hours away: ``GMT+0`` is none of ``GMT+8``.
    """
    if not (_OFFSET.fullmatch(text.strip()) or _ABBREVIATION.fullmatch(text.strip())):
        return ""
    return " Name a place that has this time, for example Asia/Shanghai, Asia/Hong_Kong or Europe/London"


def is_duration(kind: Any) -> bool:
    """Whether a type is Duration, perhaps with bounds, or may be left out."""
    while get_origin(kind) is Annotated:
        kind, *marks = get_args(kind)
        if any(isinstance(mark, BeforeValidator) and mark.func is seconds for mark in marks):
            return True
    return any(is_duration(one) for one in get_args(kind) if get_origin(one) is Annotated)
