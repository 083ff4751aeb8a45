"""What a step's fields speak of, found by the types of the fields and not by knowing the verb."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.syntax import Path
from ivr.language.phrases import Prompt, Texts
from ivr.language.templates import Template
from ivr.step import Names, Step


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that a field names or says; `path` leads to it from the verb's value."""

    path: Path
    what: Names | None  # the kind of name, None for things that are said or evaluated
    value: str | Template | Prompt | Texts


def mentions(step: Step) -> Iterator[Mention]:
    """Everything that a step names, says or evaluates, in the order of its fields."""
    for name, word, kind in _fields(type(step)):
        yield from within(kind, getattr(step, name), () if name == step.whole else (word,))


def reads(step: Step) -> frozenset[str]:
    """The variables that a step reads, in whatever language."""
    found: set[str] = set()
    for mention in mentions(step):
        match mention.value:
            case Template():
                found |= {name for name, *_ in mention.value.reads}
            case Texts():
                found |= {name for text in mention.value.by_language.values() for name, *_ in text.reads}
            case str() if mention.what is not None and mention.what.kind == "variable":
                found.add(mention.value)
    return frozenset(found)


def kind_of(field: FieldInfo) -> Any:
    """The type of a model's field with all that it is marked with."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


@cache
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, Any], ...]:
    """Name, word and type of those fields that can name or say anything: most are numbers and times."""
    fields = ((name, field.alias or name, kind_of(field)) for name, field in model.model_fields.items())
    return tuple((name, word, kind) for name, word, kind in fields if _unwrapped(kind) not in _SILENT)


def within(kind: Any, value: Any, path: Path) -> Iterator[Mention]:
    """Everything that a value of a type names, says or evaluates."""
    kind, names = _unwrapped(kind)
    match value:
        case None:
            return
        case Prompt() | Texts():
            yield Mention(path, None, value)
        case Template() | str():
            if names or isinstance(value, Template):
                yield Mention(path, names, value)
        case BaseModel():
            for name, word, kind in _fields(type(value)):
                yield from within(kind, getattr(value, name), (*path, word))
        case Mapping():
            for key, one in value.items():
                name = key.source if isinstance(key, Template) else key
                if isinstance(key, Template):
                    yield Mention((*path, name), None, key)
                yield from within(_of(kind), one, (*path, name))
        case list() | tuple():
            for number, one in enumerate(value):
                yield from within(_of(kind), one, (*path, number))


_SILENT = tuple((kind, None) for kind in (bool, int, float, str))


def _unwrapped(kind: Any) -> tuple[Any, Names | None]:
    """The bare type, and the mark that it carries."""
    names = None
    while get_origin(kind) is Annotated:
        kind, *marks = get_args(kind)
        names = next((mark for mark in marks if isinstance(mark, Names)), names)
    optional = [branch for branch in get_args(kind) if branch is not NoneType]
    if NoneType in get_args(kind) and len(optional) == 1:
        inner, inner_names = _unwrapped(optional[0])
        return inner, inner_names or names
    return kind, names


def _of(kind: Any) -> Any:
    """The type of a container's values."""
    inner = [one for one in get_args(kind) if one is not ...]
    return inner[-1] if inner else object
