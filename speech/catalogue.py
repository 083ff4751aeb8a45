"""prompts/catalogue.yaml: the text of every prompt id in every language, for where no recording exists.

    main-menu:
      cmn: "查询订单请按一,留言请按二。"
      en: "To track an order, press one. To leave a message, press two."

A text may hold expressions of the flow language, such as ``{{ position | number }}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from config.document import SpokenText, load_file
from config.languages import suggestion
from config.values import Diagnostic, UserError
from config.wording import choices
from speech import words
from speech.port import LONGEST

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FILE = "catalogue.yaml"
TEMPLATE = "{{"


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"'{text}' is not a prompt id; write small letters, digits and hyphens")
    return text


def _language(text: str) -> str:
    if text not in words.languages():
        hint = suggestion(text, words.languages())
        raise ValueError(f"'{text}' is not a language; write {choices(words.languages())}.{hint}")
    return text


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("there is no text")
    if len(text) > LONGEST:
        raise ValueError(f"the text has {len(text):,} characters; at most {LONGEST:,} can be spoken")
    return text


PromptId = Annotated[str, AfterValidator(_id)]
Language = Annotated[str, AfterValidator(_language)]
Text = Annotated[SpokenText, AfterValidator(_text)]
Texts = Annotated[dict[Language, Text], Field(min_length=1)]
CatalogueFile = dict[PromptId, Texts]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of all prompts: id -> language -> text."""

    texts: Mapping[str, Mapping[str, str]]

    def text(self, prompt: str, language: str) -> str | None:
        """The text as it was written, templates unrendered; None where there is none."""
        return self.texts.get(prompt, {}).get(language)

    def fixed(self) -> Iterator[tuple[str, str]]:
        """Prompt id and language of every text without variable parts."""
        for prompt, texts in self.texts.items():
            yield from ((prompt, language) for language, text in texts.items() if TEMPLATE not in text)


def load(prompts_dir: Path) -> tuple[Catalogue | None, list[Diagnostic]]:
    """The catalogue in a folder of prompts, or every problem in it. A folder without one has no texts."""
    file = prompts_dir / FILE
    if not file.exists():
        return Catalogue({}), []
    texts, problems = load_file(CatalogueFile, file)
    return (None if texts is None else Catalogue(texts)), problems


def read(prompts_dir: Path) -> Catalogue:
    """The catalogue; raises UserError with every problem, one a line."""
    catalogue, problems = load(prompts_dir)
    if catalogue is None:
        raise UserError("\n".join(map(str, problems)))
    return catalogue
