"""What collected digits must look like: a small kind of regular expression that takes no time to match.

A pattern is matched by the set of places that it can have come to, never by trying one way after the other.
So no pattern is catastrophic, whatever a caller keys: at most 64 digits meet at most 200 characters.

``1[3-9]xxxxxxxxx``, ``\\d{6,12}``, ``(4|6)\\d*``, ``0?[1-9]x``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

DIGITS = frozenset("0123456789")
LONGEST = 200  # characters of a pattern
DEEPEST = 10  # brackets within brackets
MOST = 64  # repetitions that are counted

Places = frozenset[int]


class BadPattern(ValueError):
    """The pattern cannot be used; the text says why to whoever wrote it."""


class Pattern(Protocol):
    def after(self, digits: str, places: Places) -> Places:
        """Where a match that began at one of those places can end."""
        ...


def matches(pattern: Pattern, digits: str) -> bool:
    """Whether the pattern is that of all the digits, from the first to the last."""
    return len(digits) in pattern.after(digits, frozenset({0}))


def pattern(text: str) -> Pattern:
    """The pattern of a text. Raises BadPattern."""
    if not text or len(text) > LONGEST:
        raise BadPattern(f"a pattern has 1 to {LONGEST} characters")
    reading = _Reading(text)
    found = reading.choice()
    if reading.rest:
        raise BadPattern(f"'{reading.rest[0]}' stands where no bracket is open")
    return found


@dataclass(frozen=True, slots=True)
class One:
    """One digit of some."""

    among: frozenset[str]

    def after(self, digits: str, places: Places) -> Places:
        return frozenset(place + 1 for place in places if place < len(digits) and digits[place] in self.among)


@dataclass(frozen=True, slots=True)
class InTurn:
    parts: Sequence[Pattern]

    def after(self, digits: str, places: Places) -> Places:
        for part in self.parts:
            places = part.after(digits, places)
        return places


@dataclass(frozen=True, slots=True)
class EitherOf:
    branches: Sequence[Pattern]

    def after(self, digits: str, places: Places) -> Places:
        return frozenset[int]().union(*(branch.after(digits, places) for branch in self.branches))


@dataclass(frozen=True, slots=True)
class Repeated:
    """`most` is None for without end."""

    part: Pattern
    least: int
    most: int | None

    def after(self, digits: str, places: Places) -> Places:
        for _ in range(self.least):
            places = self.part.after(digits, places)
        reached = places
        for _ in range(len(digits) if self.most is None else self.most - self.least):
            places = self.part.after(digits, places) - reached
            if not places:
                break
            reached |= places
        return reached


_POSSIBLE = "write digits, x for any digit, [3-9], (12|34), ?, *, + and {6,12}"
_REPEATS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class _Reading:
    """A pattern on the way from its first character to its last."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self._depth = 0

    def choice(self) -> Pattern:
        branches = [self._in_turn()]
        while self._take("|"):
            branches.append(self._in_turn())
        return branches[0] if len(branches) == 1 else EitherOf(tuple(branches))

    def _in_turn(self) -> Pattern:
        parts: list[Pattern] = []
        while self.rest and self.rest[0] not in "|)":
            parts.append(self._repeated(self._one()))
        if not parts:
            raise BadPattern("something is missing before or after '|', or between brackets")
        return InTurn(tuple(parts))

    def _one(self) -> Pattern:
        sign = self._next()
        if sign in DIGITS:
            return One(frozenset(sign))
        if sign in "x." or (sign == "\\" and self._take("d")):
            return One(DIGITS)
        if sign == "[":
            return One(self._among())
        if sign == "(":
            return self._bracket()
        raise BadPattern(f"'{sign}' is not possible in a pattern; {_POSSIBLE}")

    def _bracket(self) -> Pattern:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadPattern("the brackets are nested too deeply")
        found = self.choice()
        if not self._take(")"):
            raise BadPattern("'(' is not closed by ')'")
        self._depth -= 1
        return found

    def _among(self) -> frozenset[str]:
        """The digits of ``[13-5]`` or, with ``^``, all others."""
        inside, closed, self.rest = self.rest.partition("]")
        negated, signs = inside.startswith("^"), inside.removeprefix("^")
        if not closed or not signs:
            raise BadPattern("'[' needs digits and a ']', for example [3-9]")
        among: set[str] = set()
        while signs:
            first, last = signs[0], signs[2:3] if signs[1:2] == "-" else signs[0]
            if first not in DIGITS or last not in DIGITS or first > last:
                raise BadPattern(f"'[{inside}]' are no digits; write for example [3-9] or [135]")
            among |= set(map(str, range(int(first), int(last) + 1)))
            signs = signs[3:] if signs[1:2] == "-" else signs[1:]
        return DIGITS - among if negated else frozenset(among)

    def _repeated(self, part: Pattern) -> Pattern:
        if self.rest[:1] in _REPEATS:
            return Repeated(part, *_REPEATS[self._next()])
        if not self._take("{"):
            return part
        inside, closed, self.rest = self.rest.partition("}")
        first, comma, last = inside.partition(",")
        if not (closed and first.isdecimal() and (last.isdecimal() or not last)):
            raise BadPattern(f"'{{{inside}' is no count; write for example {{6}} or {{6,12}}")
        least = int(first[:4])
        most = int(last[:4]) if last else (None if comma else least)
        if max(least, most or 0) > MOST or (most is not None and most < max(least, 1)):
            raise BadPattern(f"'{{{inside}}}' is no count from 1 to {MOST}")
        return Repeated(part, least, most)

    def _take(self, sign: str) -> bool:
        found = self.rest.startswith(sign)
        self.rest = self.rest.removeprefix(sign)
        return found

    def _next(self) -> str:
        sign, self.rest = self.rest[0], self.rest[1:]
        return sign
