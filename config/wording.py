"""What pydantic found wrong, in words for someone who writes YAML and no Python."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from config import signs
from config.syntax import Path
from config.values import duration, is_length

_SUGGEST_AMONG = 30  # so many problems of one text get a suggestion; the rest would only cost time


@dataclass(frozen=True, slots=True)
class Complaint:
    path: Path
    message: str
    about_key: bool = False


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'track'?`` with its leading space, or ""."""
    close = closest(word, known)
    return f" Did you mean '{close}'?" if close else ""


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that another one is most likely a slip for; "" where none is like it."""
    return _closest(word, frozenset(known)) if len(word) <= 60 else ""


@lru_cache(maxsize=2000)
def _closest(word: str, known: frozenset[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if not close:
        small = {name.lower(): name for name in names}
        close = [small[name] for name in difflib.get_close_matches(word.lower(), small, n=3, cutoff=0.6)]
    alike = difflib.SequenceMatcher(None, word, close[0]).ratio() > 0.8 if close else False
    begun = next((name for name in close if name.lower().startswith(word.lower())), "")
    return close[0] if alike or (close and not begun) else begun


def choices(known: Iterable[str], most: int = 12) -> str:
    """``a, b or c``."""
    names = sorted(known)
    if len(names) > most:
        return f"{', '.join(names[:most])} ..."
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def formed(pattern: str, words: str) -> BeforeValidator:
    """Lets a text be of one form only. The pattern stands in the schema; people are told `words`, with an example."""

    def check(text: object) -> object:
        if isinstance(text, str) and not re.fullmatch(pattern, text):
            raise ValueError(f"'{_clipped(text)}' is not possible here; write {words}")
        return text

    return BeforeValidator(check, json_schema_input_type=Annotated[str, Field(pattern=f"^{pattern}$")])


NAME = formed(r"[\w-]+", "letters, digits, _ and - without spaces, for example after-sales")
"""What people call their own things, such as queues and reasons."""

A_KEY = "one key of a telephone, 0 to 9, * or #, for example 1"


def explained(error: ValidationError, kind: Any, value: Any) -> list[Complaint]:
    """One complaint for each thing that is wrong, in pydantic's order."""
    found: dict[tuple[Path, str], Complaint] = {}
    errors = error.errors(include_url=False)
    misspelt = {
        (*detail["loc"][:-1], closest(str(detail["loc"][-1]), _fields_at(kind, detail["loc"][:-1])))
        for detail in errors[:_SUGGEST_AMONG]
        if detail["type"] == "extra_forbidden"
    }
    for number, detail in enumerate(errors):
        if detail["type"] == "missing" and detail["loc"] in misspelt:  # and told as that
            continue
        complaint = _complaint(detail, kind, value, suggest=number < _SUGGEST_AMONG)
        branch = str(detail["loc"][-1]) if detail["type"] == "missing" else str(complaint.about_key)
        found.setdefault((complaint.path, branch), complaint)  # of a union's branches the first speaks for all
    return list(found.values())


def _complaint(detail: Mapping[str, Any], kind: Any, value: Any, *, suggest: bool) -> Complaint:
    loc = detail["loc"]
    what = detail["type"]
    path = _written(loc, value)
    detail = {**detail, "written": _at(path, value)}
    match what:
        case "missing":
            return Complaint(path, f"'{loc[-1]}' is missing", about_key=True)
        case "extra_forbidden":
            known = sorted(_fields_at(kind, loc[:-1]))
            hint = suggestion(str(loc[-1]), known) if suggest else ""
            words = f"'{_clipped(loc[-1])}' is not known here.{hint or _known(known)}"
            return Complaint(path, words, about_key=True)
    if loc and loc[-1] == "[key]":
        return Complaint(
            path, f"the key {_message(detail, suggest=suggest)}{signs.hint(detail['input'])}", about_key=True
        )
    return Complaint(path, _message(detail, suggest=suggest) + signs.hint(detail["input"]))


def _known(known: list[str]) -> str:
    return f" Write {choices(known)}" if known else ""


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "one text",
    "dict": "'name: value' lines",
    "model": "'name: value' lines",
    "mapping": "'name: value' lines",
    "list": "a list such as [a, b]",
    "tuple": "a list such as [a, b]",
    "set": "a list such as [a, b]",
    "frozen_set": "a list such as [a, b]",
    "date": "a date such as 2026-11-23",
    "datetime": "a date and time such as 2026-11-23 10:00",
    "time": "a time such as 17:30",
    "url": "an address such as http://127.0.0.1:8080",
    "path": "a file's path",
}


def _message(detail: Mapping[str, Any], *, suggest: bool) -> str:
    what, ctx, given = detail["type"], detail.get("ctx", {}), detail["input"]
    match what:
        case "value_error" | "assertion_error":
            return str(ctx["error"])
        case "literal_error" | "enum":
            return _not_among(ctx["expected"], given, suggest=suggest)
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            bound = next(iter(ctx.values()))
            if is_length(detail.get("written")):
                given, bound = detail["written"], duration(bound)
            return f"'{_clipped(given)}' is out of range: it must be {_BOUNDS[what]} {bound}"
        case "string_too_short" | "string_too_long" | "too_short" | "too_long":
            return _wrong_size(what, ctx)
    return _mistyped(what, given) or str(detail["msg"])


def _wrong_size(what: str, ctx: Mapping[str, Any]) -> str:
    one, several = ("character", "characters") if what.startswith("string") else ("entry", "entries")
    if "min_length" not in ctx:
        return f"at most {ctx['max_length']} {several} are possible here"
    least = ctx["min_length"]
    return f"at least {least} {several} are needed here" if least > 1 else f"at least one {one} is needed here"


def _mistyped(what: str, given: Any) -> str:
    expected = next((words for kind, words in _EXPECTED.items() if what.startswith(f"{kind}_")), "")
    verb = "are" if expected.endswith("lines") else "is"
    return f"{_description(given)}; {expected} {verb} expected here" if expected else ""


_BOUNDS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}


def _not_among(expected: str, given: Any, *, suggest: bool) -> str:
    known = [name for name in re.findall(r"'([^']*)'", expected) if name]
    if not isinstance(given, str):
        return f"{_description(given)}; write {choices(known)}"
    hint = suggestion(given, known) if suggest else ""
    return f"'{_clipped(given)}' is not possible here; write {choices(known)}.{hint}"


def _description(given: Any) -> str:
    match given:
        case None:
            return "nothing is written here"
        case dict():
            return "'name: value' lines stand here"
        case list():
            return "a list stands here"
    return f"'{_clipped(given)}' stands here"


def _clipped(given: object) -> str:
    text = str(given)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _written(loc: tuple[str | int, ...], value: Any) -> Path:
    """The part of pydantic's location that stands in the text: without union branches and validators' names."""
    path: list[str | int] = []
    for part in loc:
        by_name = isinstance(value, dict) and part in value
        by_number = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if by_name or by_number:
            value = value[part]
            path.append(part)
    return tuple(path)


def _at(path: Path, value: Any) -> Any:
    for part in path:
        value = value[part]
    return value


def _fields_at(kind: Any, loc: tuple[str | int, ...]) -> set[str]:
    """The names that may be written at a location: the fields of every model that fits there."""
    kinds = list(_models(kind))
    for part in loc:
        kinds = [inner for one in kinds for inner in _inner(one, part)] or kinds
    return {
        field.alias or name
        for one in kinds
        if isinstance(one, type) and issubclass(one, BaseModel)
        for name, field in one.model_fields.items()
    }


def _models(kind: Any) -> Iterator[Any]:
    """A type, or the branches of it when it is a union or annotated."""
    if get_origin(kind) is Annotated:
        yield from _models(get_args(kind)[0])
    elif get_origin(kind) in {dict, list, tuple, Mapping} or isinstance(kind, type):
        yield kind
    else:
        for branch in get_args(kind):
            yield from _models(branch)


def _inner(kind: Any, part: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part in {name, field.alias}:
                yield from _models(field.annotation)
    elif get_args(kind):
        yield from _models(get_args(kind)[-1] if get_args(kind)[-1] is not ... else get_args(kind)[0])
