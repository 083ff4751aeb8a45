"""English, with the `and` that most of the world says: one hundred and one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from functools import cached_property

from speech.words.values import Parts


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_SMALL = _listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = dict(zip(range(20, 100, 10), _listed("twenty thirty forty fifty sixty seventy eighty ninety"), strict=True))
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_ORDINALS = _listed(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_MONTHS = _listed("January February March April May June July August September October November December")
_SIGNS = {"*": "star", "#": "hash", "+": "plus"}
_CURRENCIES = {  # singular and plural of the unit and of its hundredth
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
}
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_ORDINAL_OF = {
    **dict(zip(_SMALL[1:], _ORDINALS, strict=False)),
    **{word: word.removesuffix("y") + "ieth" for word in _TENS.values()},
    **{word: f"{word}th" for word in ("hundred", *(name for _, name in _SCALES))},
}
_BELOW = {
    2: ("half", "halves"),
    4: ("quarter", "quarters"),
    **{value: (_ORDINALS[value - 1], _ORDINALS[value - 1] + "s") for value in (3, *range(5, 21))},
    100: ("hundredth", "hundredths"),
    1000: ("thousandth", "thousandths"),
}
_OTHERS = [*_listed("hundred and point minus oh midnight noon a.m. p.m. a over"), "per cent"]


class English:
    @cached_property
    def parts(self) -> Mapping[str, str]:
        named = {word: f"words/{value}" for value, word in enumerate(_SMALL)}
        for value, word in _TENS.items():
            named |= {word: f"words/{value}", f"{word}-": f"words/{value}"}
        spans = [name + ending for _, name in _SPANS for ending in ("", "s")]
        scales = [name for _, name in _SCALES]
        below = [form for forms in _BELOW.values() for form in forms]
        others = [*_OTHERS, *scales, *_SIGNS.values(), *_MONTHS, *_ORDINAL_OF.values(), *spans, *below]
        for word in [*others, *(word for forms in _CURRENCIES.values() for word in forms)]:
            named.setdefault(word, "words/" + word.lower().replace(" ", "-").replace(".", ""))
        return named

    def digits(self, keyed: str, *, yao: bool) -> Sequence[str]:  # noqa: ARG002 (Mandarin only)
        return [_SIGNS.get(sign) or (_SMALL[int(sign)] if sign.isdigit() else sign.upper()) for sign in keyed]

    def number(self, value: Decimal, *, counted: bool) -> Sequence[str]:  # noqa: ARG002 (Chinese only)
        whole, _, fraction = format(abs(value), "f").partition(".")
        spoken = _whole(int(whole))
        if fraction:
            spoken += ["point", *self.digits(fraction, yao=False)]
        return ["minus", *spoken] if value < 0 else spoken

    def fraction(self, value: Parts) -> Sequence[str]:
        """Three quarters; two and a half; five over twenty-two, where an ordinal would be taken for a number."""
        spoken = ["minus"] if value.negative and (value.whole or value.top) else []
        if value.whole or not value.top:
            spoken += _whole(value.whole)
        if value.top:
            joint = ["and"] if value.whole else []
            top = ["a"] if value.whole and value.top == 1 and value.bottom == 2 else _whole(value.top)
            spoken += [*joint, *top, *_below(value.bottom, plural=value.top != 1)]
        return spoken

    def percentage(self, value: Decimal) -> Sequence[str]:
        return [*self.number(value, counted=False), "per cent"]

    def ordinal(self, value: int) -> Sequence[str]:
        """The last word alone changes: one hundred and twenty-first."""
        *before, last = _whole(value)
        return [*before, _ORDINAL_OF[last]]

    def money(self, value: Decimal, currency: str) -> Sequence[str]:
        unit, units, hundredth, hundredths = _CURRENCIES[currency]
        cents = int(abs(value) * 100)
        whole, rest = divmod(cents, 100)
        spoken = [*_whole(whole), unit if whole == 1 else units] if whole or not rest else []
        if rest:
            spoken += [*(["and"] if spoken else []), *_whole(rest), hundredth if rest == 1 else hundredths]
        return ["minus", *spoken] if value < 0 and cents else spoken

    def date(self, value: date, *, year: bool) -> Sequence[str]:
        spoken = [_MONTHS[value.month - 1], *self.ordinal(value.day)]
        return [*spoken[:-1], spoken[-1] + ",", *_year(value.year)] if year else spoken

    def time(self, value: time) -> Sequence[str]:
        match value.hour, value.minute:
            case 0, 0:
                return ["midnight"]
            case 12, 0:
                return ["twelve", "noon"]
            case hour, minute:
                spoken = _whole(hour % 12 or 12)
                if minute:
                    spoken += (["oh"] if minute < 10 else []) + _whole(minute)
                return [*spoken, "a.m." if hour < 12 else "p.m."]

    def duration(self, seconds: int) -> Sequence[str]:
        spans: list[list[str]] = []
        for size, name in _SPANS:
            count, seconds = divmod(seconds, size)
            if count:
                spans.append([*_whole(count), name if count == 1 else name + "s"])
        if not spans:
            return ["zero", "seconds"]
        *first, last = spans
        for span in first[:-1]:
            span[-1] += ","
        return [*(word for span in first for word in span), *(["and"] if first else []), *last]


def _whole(value: int) -> list[str]:
    for size, name in _SCALES:
        if value >= size:
            high, low = divmod(value, size)
            joint = ["and"] if 0 < low < 100 else []
            return [*_whole(high), name, *joint, *(_whole(low) if low else [])]
    if value >= 100:
        high, low = divmod(value, 100)
        return [_SMALL[high], "hundred", *(["and", *_whole(low)] if low else [])]
    if value < 20:
        return [_SMALL[value]]
    tens, ones = value // 10 * 10, value % 10
    return [_TENS[tens] + "-", _SMALL[ones]] if ones else [_TENS[tens]]


def _below(bottom: int, *, plural: bool) -> list[str]:
    """What stands below the line of a fraction."""
    if bottom in _BELOW:
        return [_BELOW[bottom][plural]]
    return ["over", *_whole(bottom)]


def _year(year: int) -> list[str]:
    """Twenty twenty-six, nineteen oh five, two thousand and five, nineteen hundred."""
    century, rest = divmod(year, 100)
    if year < 1000 or (century % 10 == 0 and rest < 10):
        return _whole(year)
    if rest == 0:
        return [*_whole(century), "hundred"]
    return [*_whole(century), *(["oh"] if rest < 10 else []), *_whole(rest)]
