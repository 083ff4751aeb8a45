"""Values as words that a synthesiser reads right: digits, numbers, money, dates, times, durations.

Pure. The synthesisers misread figures in Chinese (10203, 42.10, -5), so none ever reaches them. Every
function takes what database rows and keyed digits hold (text, int, float, Decimal, date, datetime) and
a language (``cmn``, ``yue``, ``en``), and raises CannotRead for anything that cannot be read that way.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from speech.words import values
from speech.words.cmn import MANDARIN
from speech.words.en import English
from speech.words.values import CannotRead, Parts
from speech.words.yue import CANTONESE

__all__ = [
    "CannotRead",
    "Segment",
    "date",
    "digits",
    "duration",
    "join",
    "languages",
    "money",
    "number",
    "ordinal",
    "parts",
    "time",
]

CURRENCIES = ("CNY", "HKD", "USD", "EUR", "GBP")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of speech: its text, and the id of the recording that may exist of it.

    What is `alone` is never merged with its neighbours into one spoken text, so that no file on disk
    holds what a sensitive step collected.
    """

    text: str
    recording: str | None = None
    alone: bool = False


Segments = tuple[Segment, ...]


class Language(Protocol):
    """How one language reads. The words it returns are the keys of `parts`, letters and commas apart."""

    @property
    def parts(self) -> Mapping[str, str]:
        """Every word that values are read with, and the id of its recording."""
        ...

    def digits(self, keyed: str, *, yao: bool) -> Sequence[str]: ...
    def number(self, value: Decimal, *, counted: bool) -> Sequence[str]: ...
    def fraction(self, value: Parts) -> Sequence[str]: ...
    def percentage(self, value: Decimal) -> Sequence[str]: ...
    def ordinal(self, value: int) -> Sequence[str]: ...
    def money(self, value: Decimal, currency: str) -> Sequence[str]: ...
    def date(self, value: datetime.date, *, year: bool) -> Sequence[str]: ...
    def time(self, value: datetime.time) -> Sequence[str]: ...
    def duration(self, seconds: int) -> Sequence[str]: ...


_LANGUAGES: Mapping[str, Language] = {"cmn": MANDARIN, "yue": CANTONESE, "en": English()}


def languages() -> tuple[str, ...]:
    return tuple(_LANGUAGES)


def digits(value: object, language: str, *, yao: bool = False, apart: bool = False) -> Segments:
    """One by one, leading zeros kept: order and telephone numbers. ``yao`` reads 1 as 幺 in Mandarin.

    ``apart`` is for what a sensitive step collected: the digits are never spoken from one file.
    """
    tongue = _language(language)
    return _segments(tongue.digits(values.keyed(value), yao=yao), tongue, alone=apart)


def number(value: object, language: str, *, counted: bool = False) -> Segments:
    """A quantity: 42.10, 3/4, 2 3/4 or 12.5%. ``counted`` is for Chinese before a measure word, where 2 is 两: 两位."""
    tongue = _language(language)
    if (parts := values.fraction(value)) is not None:
        return _segments(tongue.fraction(parts), tongue)
    if (percentage := values.percentage(value)) is not None:
        return _segments(tongue.percentage(percentage), tongue)
    return _segments(tongue.number(values.decimal(value), counted=counted), tongue)


def ordinal(value: object, language: str) -> Segments:
    """A place in a row: 第二, second."""
    tongue = _language(language)
    return _segments(tongue.ordinal(values.rank(value)), tongue)


def money(value: object, language: str, *, currency: str = "CNY") -> Segments:
    """An amount, rounded to the hundredth as in accounts."""
    tongue = _language(language)
    if currency not in CURRENCIES:
        raise CannotRead(f"no words for the currency '{currency}'; known are {', '.join(CURRENCIES)}")
    amount = values.decimal(value, "money").quantize(Decimal("0.01"), ROUND_HALF_UP)
    return _segments(tongue.money(amount, currency), tongue)


def date(value: object, language: str, *, year: bool = True) -> Segments:
    """A day, with or without its year."""
    tongue = _language(language)
    return _segments(tongue.date(values.day(value), year=year), tongue)


def time(value: object, language: str) -> Segments:
    """A time of day to the minute, by the twelve-hour clock with the part of the day."""
    tongue = _language(language)
    return _segments(tongue.time(values.clock_time(value)), tongue)


def duration(value: object, language: str) -> Segments:
    """A span given in seconds, to the second."""
    tongue = _language(language)
    return _segments(tongue.duration(values.length(value)), tongue)


def parts(language: str) -> Mapping[str, str]:
    """What to record so that values need no synthesiser: the recording's id -> the word, all of them."""
    return {recording: word.rstrip("-") for word, recording in _language(language).parts.items()}


_NO_SPACE_AFTER = re.compile(r"[\s\-–—(\[\"'“‘/]$|[⺀-鿿豈-﫿＀-￯]$")
_NO_SPACE_BEFORE = re.compile(r"^[\s,.;:!?)\]\"'”’%/]|^[⺀-鿿豈-﫿＀-￯]")


def join(segments: Iterable[Segment]) -> str:
    """The text of segments said in one breath: spaces between words, none between Chinese characters."""
    text = ""
    for segment in segments:
        if text and segment.text and not _NO_SPACE_AFTER.search(text) and not _NO_SPACE_BEFORE.search(segment.text):
            text += " "
        text += segment.text
    return text


def _language(language: str) -> Language:
    tongue = _LANGUAGES.get(language)
    if tongue is None:
        raise CannotRead(f"no words for the language '{language}'; known are {', '.join(_LANGUAGES)}")
    return tongue


def _segments(words: Iterable[str], tongue: Language, *, alone: bool = False) -> Segments:
    return tuple(Segment(word, tongue.parts.get(word.rstrip(",")), alone) for word in words)
