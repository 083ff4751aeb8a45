"""Texts with ``{{ expressions }}``: how they are checked, said and evaluated."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BeforeValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from config import signs
from config.document import whole
from ivr.language.expressions import (
    CannotEvaluate,
    Expression,
    Filtered,
    Reads,
    Scope,
    Spoken,
    expression,
    plain,
    text_of,
)
from speech.words import Segment

__all__ = ["CannotEvaluate", "Template", "Text", "Value", "template"]

LONGEST = 5_000  # characters of a text with its expressions
KEPT = 2_000  # templates; most texts stand in a file again when the next change is read
LONGEST_VALUE = 500  # characters of one value that are spoken

_BRACES = re.compile(r"[{｛]{1,2}[^{}｛｝]{0,80}[}｝]{1,2}|[{}｛｝]")
_ALMOST = re.compile(
    r"[$%]?[{｛]{1,2}\s*([A-Za-z_][\w.]*)[^{}｛｝]{0,80}[}｝]{1,2}"
)  # an expression, but for its braces
_WORDS = {"&&": "and", "||": "or", "!": "not", "===": "=="}
_OPERATOR = re.compile(r"&&|\|\||===|!(?!=)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_TAG = re.compile(r"</?[a-z][^<>]{0,80}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#?\w{1,20});")

_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=False, keep_trailing_newline=True)


@dataclass(frozen=True, slots=True)
class Template:
    """A text whose expressions were checked. `reads` is what it needs of the variables."""

    source: str
    parts: tuple[str | Expression, ...]
    reads: frozenset[Reads]

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @property
    def fixed(self) -> bool:
        """Whether it is always the same text."""
        return all(isinstance(part, str) for part in self.parts)

    def speech(
        self, variables: Mapping[str, object], language: str, sensitive: frozenset[str] = frozenset()
    ) -> tuple[Segment, ...]:
        """What is said in a language. What is made of `sensitive` names stands alone. Raises CannotEvaluate."""
        scope = Scope(variables, language)
        said: list[Segment] = []
        for part in self.parts:
            if isinstance(part, str):
                said.append(Segment(part))
                continue
            segments = _segments(part.value(scope))
            if any(name in sensitive for name, *_ in part.reads()):
                segments = tuple(Segment(segment.text, segment.recording, alone=True) for segment in segments)
            said += segments
        return tuple(segment for segment in said if segment.text.strip())

    def filled(self, variables: Mapping[str, object], language: str, each: Callable[[str], str]) -> str:
        """The whole as text, with what `each` makes of the value of every expression. Raises CannotEvaluate."""
        scope = Scope(variables, language)
        return "".join(
            part if isinstance(part, str) else each(text_of(plain(part.value(scope)))) for part in self.parts
        )

    def value(self, variables: Mapping[str, object], language: str) -> object:
        """The value of a lone expression as it is, or the whole as text. Raises CannotEvaluate."""
        scope = Scope(variables, language)
        values = [part if isinstance(part, str) else plain(part.value(scope)) for part in self.parts]
        return values[0] if len(values) == 1 else "".join(map(text_of, values))


@lru_cache(maxsize=KEPT)
def template(text: str) -> Template:
    """The template of a text. Raises ValueError that says in plain words what is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"the text has {len(text):,} characters; at most {LONGEST:,} are possible")
    for sign in ("{%", "{#"):
        if sign in text:
            raise ValueError(f"'{sign}' is not possible in a text; only {{{{ ... }}}} is")
    if "{{" not in text:
        return Template(text, (text,) if text else (), frozenset())
    try:
        parts = tuple(_parts(_ENVIRONMENT.parse(text)))
    except TemplateSyntaxError as error:
        raise ValueError(_in_words(text, error)) from error
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None
    return Template(
        text, parts, frozenset(read for part in parts if not isinstance(part, str) for read in part.reads())
    )


def spoken(text: str) -> Template:
    """The template of a text for callers' ears. Raises ValueError also for signs that would be read out to them."""
    found = template(text)
    for part in found.parts:
        if isinstance(part, str) and (wrong := _read_out(part)):
            raise ValueError(wrong)
    return found


def _read_out(text: str) -> str:
    """Why a piece of text would sound odd; "" where it would not."""
    if sign := _BRACES.search(text):
        instead = f"write {{{{ {inner} }}}}" if (inner := sign[0].strip("{}｛｝ ")) else "remove it"
        return f"'{sign[0]}' would be read out as it stands; {instead}"
    if sign := _TAG.search(text):
        return f"'{sign[0]}' would be read out: a text has no tags; for a pause write a comma or a full stop"
    if sign := _ENTITY.search(text):
        return f"'{sign[0]}' would be read out as it stands; write {html.unescape(sign[0])}"
    return ""


def _value(written: object) -> object:
    if isinstance(written, str):
        return template(written)
    if isinstance(written, Template):
        return written
    raise ValueError("one text is expected here")


def _text(written: object) -> object:
    text = _value(whole(written))
    return spoken(text.source) if isinstance(text, Template) else text


def _worth(written: object) -> object:
    """A value that is worth something: what a filter makes is for the ear alone."""
    found = _value(written)
    if isinstance(found, Template) and found.fixed and (slip := _ALMOST.fullmatch(found.source.strip())):
        raise ValueError(f"'{found.source.strip()}' is a text as it stands; for the value write {{{{ {slip[1]} }}}}")
    for part in found.parts if isinstance(found, Template) else ():
        if isinstance(part, Filtered):
            raise ValueError(f"what '| {part.name}' makes can only be spoken; leave it out here")  # noqa: TRY004 - pydantic reports ValueError
    return found


Value = Annotated[Template, BeforeValidator(_worth, json_schema_input_type=str | int | float | bool)]
"""A field that holds a value, which may be an expression."""

Text = Annotated[Template, BeforeValidator(_text, json_schema_input_type=str)]
"""A field that holds a text for callers' ears."""


def _parts(parsed: nodes.Template) -> Iterator[str | Expression]:
    for output in parsed.body:
        for node in output.iter_child_nodes():
            yield node.data if isinstance(node, nodes.TemplateData) else expression(node)


def _in_words(text: str, error: TemplateSyntaxError) -> str:
    if text.count("{{") > text.count("}}"):
        return "'{{' is not closed by '}}'"
    for inner in re.finditer(r"\{\{(.*?)\}\}", text, re.DOTALL):
        bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), inner[1])
        if sign := _OPERATOR.search(bare):
            return (
                f"'{sign[0]}' at character {inner.start(1) + sign.start() + 1} is not possible; write {_WORDS[sign[0]]}"
            )
        if said := signs.explained(bare, inner.start(1)):
            return said
    found = re.search(r"got '(.+)'$", error.message or "")
    if not found or found[1].startswith("end of"):
        return "the expression is not finished"
    equals = "; to compare two values write ==" if found[1] == "=" else ""
    return f"the expression cannot be read from '{found[1]}' on{equals}"


def _segments(value: object) -> tuple[Segment, ...]:
    return value.segments if isinstance(value, Spoken) else (Segment(text_of(value)[:LONGEST_VALUE]),)
