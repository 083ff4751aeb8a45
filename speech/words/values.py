"""What database rows and keyed digits hold, as the one type that a reading needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

LARGEST = 10**16  # above it no listener follows, and Chinese has no agreed words
LARGEST_FRACTION = 10**6  # of what stands above, below or before the line
LONGEST = 64  # characters that are read one by one
PLACES = 12

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?", re.ASCII)
_FRACTION = re.compile(r"([+-]?)(?:(\d{1,9}) )?(\d{1,9})/(\d{1,9})", re.ASCII)
_KEYED = re.compile(r"[+(]?[0-9A-Za-z*#][0-9A-Za-z*# ./()-]*", re.ASCII)
_PLAIN = {0xFF01 + sign: 0x21 + sign for sign in range(0x5E)} | {0x3000: 0x20}
_SEPARATORS = re.compile(r"[ ./()-]")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(:\d{2}(\.\d+)?)?|(\d{2})(\d{2})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].+)?", re.ASCII)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)


class CannotRead(ValueError):
    """A value cannot be read aloud that way, or not in that language; the text says which."""


def plain(value: object, kind: str) -> object:
    """The value, text trimmed and with full-width characters made plain. Raises CannotRead for nothing at all."""
    if value is None or value == "":
        raise CannotRead(f"there is no value to read as {kind}")
    if isinstance(value, bool):
        raise CannotRead(f"{value} cannot be read as {kind}")
    return value.translate(_PLAIN).strip() if isinstance(value, str) else value


def _refused(value: object, kind: str) -> CannotRead:
    shown = str(value)
    return CannotRead(f"'{shown[:40]}{'…' if len(shown) > 40 else ''}' cannot be read as {kind}")


def decimal(value: object, kind: str = "a number") -> Decimal:
    """An exact number: floats as a person would write them, text with or without thousands separators."""
    match plain(value, kind):
        case Decimal() as exact:
            number = exact
        case int() as whole:
            number = Decimal(whole)
        case float() as inexact:
            number = Decimal(format(inexact, ".12g"))
        case str() as text if _NUMBER.fullmatch(text) and len(text) <= LONGEST:
            number = Decimal(text.replace(",", ""))
        case _:
            raise _refused(value, kind)
    # Checked before anything is written out: Decimal("1E+999999999") is a small object and a huge text.
    if not number.is_finite() or number.adjusted() >= len(str(LARGEST)) - 1:
        raise _refused(value, kind)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        number = number.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP).normalize()
    return number


@dataclass(frozen=True, slots=True)
class Parts:
    """A number with a fraction, such as 2 3/4; `whole` may be 0."""

    negative: bool
    whole: int
    top: int
    bottom: int


def fraction(value: object) -> Parts | None:
    """The parts of a Fraction, or of a text such as ``3/4`` or ``2 3/4``; None for whatever is no fraction."""
    kind = "a number"
    match plain(value, kind):
        case Fraction() as exact:
            negative, whole, top, bottom = exact < 0, 0, abs(exact.numerator), exact.denominator
        case str() as text if found := _FRACTION.fullmatch(text):
            negative, whole, top, bottom = found[1] == "-", int(found[2] or 0), int(found[3]), int(found[4])
        case _:
            return None
    if not bottom or max(whole, top, bottom) >= LARGEST_FRACTION:
        raise _refused(value, kind)
    if top >= bottom and not whole:
        whole, top = divmod(top, bottom)
    return Parts(negative, whole, top, bottom)


def percentage(value: object) -> Decimal | None:
    """The number of a text such as ``12.5%``; None for whatever is none."""
    text = plain(value, "a number")
    return decimal(text[:-1].rstrip()) if isinstance(text, str) and text.endswith("%") else None


def rank(value: object) -> int:
    """A whole number from 1 on: the place in a row."""
    kind = "an ordinal"
    number = decimal(value, kind)
    if number < 1 or number != number // 1:
        raise _refused(value, kind)
    return int(number)


def keyed(value: object) -> str:
    """What is read one by one: digits, letters, ``* # +``; separators dropped, leading zeros kept."""
    kind = "digits"
    match plain(value, kind):
        case str() as text:
            pass
        case (int() | float() | Decimal()) as number if number == number // 1 and number >= 0:
            text = format(decimal(number, kind), "f").partition(".")[0]  # SQLite gives 202611.0 for a REAL column
        case _:
            raise _refused(value, kind)
    bare = _SEPARATORS.sub("", text)
    if not _KEYED.fullmatch(text) or not bare or len(bare) > LONGEST:
        raise _refused(value, kind)
    return bare


def day(value: object) -> date:
    """The date of a date, a datetime (its own zone's), ISO text or eight keyed digits."""
    kind = "a date"
    match plain(value, kind):
        case datetime() as moment:
            return moment.date()
        case date() as given:
            return given
        case (str() | int()) as written:
            text = str(written)
        case _:
            raise _refused(value, kind)
    try:
        if compact := _COMPACT_DATE.fullmatch(text):
            return date(*map(int, compact.groups()))
        if _ISO_DATE.fullmatch(text):
            return datetime.fromisoformat(text).date()
    except ValueError:
        pass
    raise _refused(value, kind)


def clock_time(value: object) -> time:
    """The time of a time, a datetime (its own zone's), ISO text or four keyed digits; seconds are dropped."""
    kind = "a time of day"
    match plain(value, kind):
        case datetime() as moment:
            return moment.time().replace(second=0, microsecond=0)
        case time() as given:
            return given.replace(second=0, microsecond=0, tzinfo=None)
        case (str() | int()) as written:
            text = str(written)
        case _:
            raise _refused(value, kind)
    try:
        if found := _CLOCK.fullmatch(text):
            return time(int(found[1] or found[5]), int(found[2] or found[6]))
        if _ISO_DATE.fullmatch(text) and ":" in text:
            return clock_time(datetime.fromisoformat(text))
    except ValueError:
        pass
    raise _refused(value, kind)


def length(value: object) -> int:
    """Whole seconds of a timedelta or of a number of seconds."""
    kind = "a duration"
    match plain(value, kind):
        case timedelta() as span:
            exact = Decimal(str(span.total_seconds()))
        case other:
            exact = decimal(other, kind)
    whole = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    if not 0 <= whole < 10**9:
        raise _refused(value, kind)
    return whole
