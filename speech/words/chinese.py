"""How Chinese reads values. Mandarin and Cantonese share the grammar and differ in their words.

Zeros follow the rule taught in Chinese schools: digits go in groups of four; zeros that end a group
are silent, any other run of zeros is one 零. So 10203 is 一万零二百零三 and 10001000 is 一千万一千.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cached_property

from speech.words.values import Parts

YI = 10**8
WAN = 10**4


@dataclass(frozen=True)
class Unit:
    """A currency: its unit, tenth (where people speak of one) and hundredth."""

    whole: str
    hundredth: str
    tenth: str | None = None


@dataclass(frozen=True)
class Chinese:
    figures: str  # 0 to 9
    two: str  # 2 before a measure word and before 千, 万, 亿
    yao: str  # 1 in a series of digits, when asked for
    ten: str
    hundred: str
    thousand: str
    wan: str
    yi: str
    point: str
    minus: str
    plus: str
    part_of: str  # between the lower and the upper number of a fraction
    and_: str  # between a whole number and a fraction
    percent: str  # before the number
    place: str  # before an ordinal
    star: str
    hash: str
    year: str
    month: str
    day: str
    night: str  # before six
    morning: str
    noon: str  # twelve to one
    afternoon: str
    evening: str
    evening_from: int  # the hour
    midnight: int  # how the hour from 00:00 is called: 零点, 十二點
    oclock: str
    minute: str
    days: str
    hours: str
    minutes: str
    seconds: str
    currencies: Mapping[str, Unit]

    @cached_property
    def parts(self) -> Mapping[str, str]:
        named = {figure: f"words/{value}" for value, figure in enumerate(self.figures)}
        for name in self.__dataclass_fields__:
            word = getattr(self, name)
            if isinstance(word, str) and name != "figures":
                named.setdefault(word, f"words/{name.strip('_').replace('_', '-')}")
        for code, unit in self.currencies.items():
            for kind, word in (("whole", unit.whole), ("tenth", unit.tenth), ("hundredth", unit.hundredth)):
                if word:
                    named.setdefault(word, f"words/{code.lower()}-{kind}")
        return named

    def digits(self, keyed: str, *, yao: bool) -> Sequence[str]:
        signs = {"*": self.star, "#": self.hash, "+": self.plus}
        if yao:
            signs["1"] = self.yao
        return [signs.get(sign) or (self.figures[int(sign)] if sign.isdigit() else sign.upper()) for sign in keyed]

    def number(self, value: Decimal, *, counted: bool = False) -> Sequence[str]:
        whole, _, fraction = format(abs(value), "f").partition(".")
        if fraction:
            spoken = [*self._whole(int(whole)), self.point, *self.digits(fraction, yao=False)]
        else:
            spoken = self._whole(int(whole), counted=counted)
        return [self.minus, *spoken] if value < 0 else spoken

    def fraction(self, value: Parts) -> Sequence[str]:
        """四分之三; 二又四分之三."""
        spoken = [self.minus] if value.negative and (value.whole or value.top) else []
        if value.whole or not value.top:
            spoken += self._whole(value.whole)
        if value.top:
            joint = [self.and_] if value.whole else []
            spoken += [*joint, *self._whole(value.bottom), self.part_of, *self._whole(value.top)]
        return spoken

    def percentage(self, value: Decimal) -> Sequence[str]:
        """百分之十二点五; the sign first."""
        sign, *rest = self.number(abs(value)) if value >= 0 else self.number(value)
        return [sign, self.percent, *rest] if value < 0 else [self.percent, sign, *rest]

    def ordinal(self, value: int) -> Sequence[str]:
        """第二, never 第两."""
        return [self.place, *self._whole(value)]

    def money(self, value: Decimal, currency: str) -> Sequence[str]:
        unit = self.currencies[currency]
        cents = int(abs(value) * 100)
        whole, rest = divmod(cents, 100)
        tenths, hundredths = divmod(rest, 10) if unit.tenth else (0, rest)
        spoken: list[str] = []
        if whole or not rest:
            spoken += [*self._whole(whole, counted=True), unit.whole]
        if unit.tenth and tenths:
            spoken += [*self._small(tenths, head=not spoken), unit.tenth]
        if hundredths:
            if unit.tenth and whole and not tenths:
                spoken.append(self.figures[0])
            spoken += [*self._small(hundredths, head=not spoken or not unit.tenth), unit.hundredth]
        return [self.minus, *spoken] if value < 0 and cents else spoken

    def date(self, value: date, *, year: bool) -> Sequence[str]:
        spoken = [*self.digits(str(value.year), yao=False), self.year] if year else []
        return [*spoken, *self._whole(value.month), self.month, *self._whole(value.day), self.day]

    def time(self, value: time) -> Sequence[str]:
        hour = value.hour - 12 if value.hour > 12 else value.hour or self.midnight
        spoken = [self._part_of_day(value.hour), *self._whole(hour, counted=True), self.oclock]
        if value.minute:
            zero = [self.figures[0]] if value.minute < 10 else []
            spoken += [*zero, *self._whole(value.minute), self.minute]
        return spoken

    def duration(self, seconds: int) -> Sequence[str]:
        minutes, second = divmod(seconds, 60)
        hours, minute = divmod(minutes, 60)
        days, hour = divmod(hours, 24)
        spoken: list[str] = []
        skipped = False
        for count, unit in (
            (days, self.days),
            (hour, self.hours),
            (minute, self.minute if second else self.minutes),
            (second, self.seconds),
        ):
            if count:
                zero = [self.figures[0]] if spoken and skipped else []
                spoken += [*zero, *self._whole(count, counted=True), unit]
            skipped = not count
        return spoken or [self.figures[0], self.seconds]

    def _part_of_day(self, hour: int) -> str:
        for until, part in ((6, self.night), (12, self.morning), (13, self.noon), (self.evening_from, self.afternoon)):
            if hour < until:
                return part
        return self.evening

    def _small(self, value: int, *, head: bool) -> list[str]:
        """A count of jiao or fen: 两角 by itself, 两元二角 after yuan. Of what has no jiao always 两: 两美元两美分."""
        return self._whole(value, counted=head)

    def _whole(self, value: int, *, counted: bool = False) -> list[str]:
        if value == 0:
            return [self.figures[0]]
        if value == 2 and counted:
            return [self.two]
        spoken = self._groups(value)
        if spoken[:2] == [self.figures[1], self.ten]:
            return spoken[1:]  # 十二, 十二万; but 一百一十二
        if spoken[0] == self.figures[2] and spoken[1:2] and spoken[1] in (self.thousand, self.wan, self.yi):
            spoken[0] = self.two  # 两千, 两万; but 二百, 二十, and 两万二千
        return spoken

    def _groups(self, value: int) -> list[str]:
        for size, name in ((YI, self.yi), (WAN, self.wan)):
            if value >= size:
                high, low = divmod(value, size)
                zero = [self.figures[0]] if 0 < low < size // 10 else []
                return [*self._groups(high), name, *zero, *(self._groups(low) if low else [])]
        return self._group(value)

    def _group(self, value: int) -> list[str]:
        """1 to 9999."""
        spoken: list[str] = []
        gap = False
        for size, name in ((1000, self.thousand), (100, self.hundred), (10, self.ten), (1, "")):
            figure = value // size % 10
            if figure:
                if gap and spoken:
                    spoken.append(self.figures[0])
                spoken += [self.figures[figure], name] if name else [self.figures[figure]]
            gap = not figure
        return spoken
