"""What a flow has said: a prompt by its id, or texts of its own per language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from config.schema import NAMES
from ivr.language.templates import Text


@dataclass(frozen=True, slots=True)
class Prompt:
    """An id of ``prompts/catalogue.yaml``, or of a recording."""

    id: str


@dataclass(frozen=True, slots=True)
class Texts:
    """The words themselves, one text for each language."""

    by_language: Mapping[str, Text]

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, handler.generate_schema(Mapping[str, Text]))


def _prompt(written: object) -> object:
    if isinstance(written, str) and written.strip():
        return Prompt(written.strip())
    if isinstance(written, Prompt):
        return written
    raise ValueError("a prompt id, or a text for each language, is expected here")


def _kind(written: object) -> str:
    return "texts" if isinstance(written, dict) else "prompt"


Phrase = Annotated[
    Annotated[
        Prompt,
        BeforeValidator(_prompt, json_schema_input_type=Annotated[str, Field(json_schema_extra={NAMES: "prompt"})]),
        Tag("prompt"),
    ]
    | Annotated[Texts, Tag("texts")],
    Discriminator(_kind),
]
