"""The reference page of a verb, made of the verb itself: its docstring, its fields and its exits."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from textwrap import dedent
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.described import texts
from config.document import Written
from config.values import duration, is_duration
from ivr.language.mentions import kind_of
from ivr.language.phrases import Prompt
from ivr.language.templates import Template
from ivr.step import HANG_UP, Exit, Names, Step

_EXAMPLE = re.compile(r"\s*[a-z0-9-]+:(\s|$)")  # how a step begins, and no sentence


def page(step: type[Step]) -> str:
    """A verb's page in Markdown."""
    parts = [f"# {step.verb}", *_paragraphs(_about(step)), *_fields(step), *_exits(step), *_sets(step)]
    return "\n\n".join(parts) + "\n"


def index(verbs: Mapping[str, type[Step]]) -> str:
    """All verbs on one page, with their exits."""
    rows = [
        f"| [{verb}]({verb}.md) | {_about(step).splitlines()[0]} | {_names(step.exits)} |"
        for verb, step in sorted(verbs.items())
    ]
    head = ["| verb | | exits |", "|---|---|---|"]
    return "\n".join(["# The verbs", "", "An exit in bold must be written.", "", *head, *rows, ""])


def example(step: type[Step]) -> str:
    """The example in a verb's docstring: one or more steps in YAML."""
    return "\n".join(dedent(one) for one in _about(step).split("\n\n") if _EXAMPLE.match(one))


def _about(step: type[Step]) -> str:
    return inspect.getdoc(step) or ""


def _paragraphs(about: str) -> Iterator[str]:
    for paragraph in about.split("\n\n"):
        if _EXAMPLE.match(paragraph):
            yield f"```yaml\n{dedent(paragraph)}\n```"
        else:
            yield " ".join(paragraph.split())


def _fields(step: type[Step]) -> Iterator[str]:
    rows = list(_rows(step, ""))
    if step.whole:
        field = step.model_fields[step.whole]
        yield f"What stands after `{step.verb}:` is {_kind(kind_of(field))}. {texts(step).get(step.whole, '')}".rstrip()
    elif rows:
        yield "\n".join(["| | | unless given | |", "|---|---|---|---|", *rows])


def _rows(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        written = f"{above}{field.alias or name}"
        kind = kind_of(field)
        inner = _model(kind)
        default = "**must be given**" if field.is_required() else _default(field, kind)
        yield f"| `{written}` | {'' if inner else _kind(kind)} | {default} | {texts(model).get(name, '')} |"
        if inner:
            yield from _rows(inner, f"{written}.")


def _default(field: FieldInfo, kind: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel) or value in ((), {}, [], ""):
        return ""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case float() | int() if is_duration(kind):
            return f"`{duration(value)}`"
        case Prompt(id=prompt):
            return f"`{prompt}`"
        case Template(source=source):
            return f"`{source}`"
    return f"`{value}`"


_KINDS: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "Decimal": "a number",
    "bool": "`true` or `false`",
    "str": "a text",
    "Template": "a value",
    "date": "a date",
}
_NAMED = {"step": "a step", "variable": "a variable", "box": "a mailbox"}


def _kind(kind: Any) -> str:
    """A field's type in words."""
    if is_duration(kind):
        return "a time"
    bare, marks = _unwrapped(kind)
    names = [mark.kind for mark in marks if isinstance(mark, Names)]
    if names:
        return _NAMED.get(names[0], f"a {names[0]}")
    inner = [one for one in get_args(bare) if one not in (NoneType, ...)]
    return _KINDS.get(getattr(bare, "__name__", ""), "") if not inner else _made_of(get_origin(bare), inner)


def _made_of(origin: Any, inner: list[Any]) -> str:
    """A type of several in words: a list, names with values, or one of some branches."""
    if origin in (list, tuple):
        return f"{_kind(inner[0])}, or a list of such"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"names, each with {_kind(inner[-1]) or 'its value'}"
    if all(isinstance(one, str) for one in inner):
        return " or ".join(f"`{one}`" for one in inner)
    if _is_phrase(inner):
        return "a prompt, or a text for each language"
    return " or ".join(dict.fromkeys(filter(None, map(_kind, inner))))


def _unwrapped(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The bare type, and all that it is marked with."""
    marks: tuple[Any, ...] = ()
    while get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        marks = (*marks, *more)
    return kind, marks


def _is_phrase(branches: list[Any]) -> bool:
    return any(Prompt in get_args(branch) for branch in branches)


def _model(kind: Any) -> type[Written] | None:
    """The model of a field that has fields of its own."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    found = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, Written)]
    return found[0] if found and get_origin(kind) not in (list, tuple, dict) else None


def _exits(step: type[Step]) -> Iterator[str]:
    if not step.exits:
        return
    rows = [f"| {_bold(name, exit)} | {exit.about} | {_otherwise(exit)} |" for name, exit in step.exits.items()]
    yield "\n".join(["| exit | taken | unless written |", "|---|---|---|", *rows])


def _bold(name: str, exit: Exit) -> str:
    return f"**{name}**" if exit.required else f"`{name}`"


def _names(exits: Mapping[str, Exit]) -> str:
    return ", ".join(_bold(name, exit) for name, exit in exits.items())


def _otherwise(exit: Exit) -> str:
    if exit.required:
        return "must be written"
    if exit.default is None:
        return "the step sees to it itself"
    return "the call ends" if exit.default == HANG_UP else f"as `{exit.default}`"


def _sets(step: type[Step]) -> Iterator[str]:
    said = sorted(step.prompts)
    if said:
        yield f"It also speaks {', '.join(f'`{prompt}`' for prompt in said)}, which the catalogue must have."
    if step.needs:
        yield f"The telephone switch must be able to {', '.join(sorted(one.value for one in step.needs))}."
