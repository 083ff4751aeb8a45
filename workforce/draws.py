"""Times that differ from call to call: how they are written, and how they are drawn.

Every value comes from one number between 0 and 1, the greater the longer. So the same caller is patient in every
variant of a simulation, and variants differ by what was changed and not by luck.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist, fmean
from typing import Annotated

from pydantic import PlainValidator

from config.values import seconds

_LONGEST = 7 * 24 * 3600.0
_NORMAL = NormalDist()
_EXAMPLES = "write for example 3m, exponential 3m, lognormal 3m 0.6, uniform 2s 6s, or a list of times"


@dataclass(frozen=True, slots=True)
class Draw:
    """A distribution of times in seconds; of kind "list" every one of `values` is as likely as the others."""

    kind: str
    values: tuple[float, ...]

    def at(self, chance: float) -> float:
        """The time that so great a share of all draws does not exceed."""
        first, second = self.values[0], self.values[-1]
        match self.kind:
            case "exponential":
                return -first * math.log1p(-chance)
            case "lognormal":
                spread = math.sqrt(math.log1p(second**2))
                return first * math.exp(spread * _NORMAL.inv_cdf(max(chance, 1e-12)) - spread**2 / 2)
            case "uniform":
                return first + (second - first) * chance
            case "list":
                return sorted(self.values)[min(int(chance * len(self.values)), len(self.values) - 1)]
            case _:
                return first

    def millis(self, source: Random) -> int:
        return round(min(self.at(source.random()), _LONGEST) * 1000)

    def mean(self) -> float:
        match self.kind:
            case "uniform" | "list":
                return fmean(self.values)
            case _:
                return self.values[0]


def draw(written: object) -> Draw:
    """``3m``, ``exponential 3m``, ``lognormal 3m 0.6`` (mean and coefficient of variation), ``uniform 2s 6s``, a list.

    Raises ValueError with examples.
    """
    if isinstance(written, Draw):
        return written
    if isinstance(written, list):
        return from_list([_time(each) for each in written])
    kind, *parts = str(written).split() or [""]
    match kind, parts:
        case "exponential", [mean]:
            return Draw(kind, (_more_than_0(_time(mean)),))
        case "lognormal", [mean, spread] if re.fullmatch(r"\d+(\.\d+)?", spread) and 0 < float(spread) <= 10:
            return Draw(kind, (_more_than_0(_time(mean)), float(spread)))
        case "uniform", [least, most] if _time(least) <= _time(most):
            return Draw(kind, (_time(least), _time(most)))
        case _, []:
            return Draw("fixed", (_time(kind),))
    raise ValueError(f"'{written}' is no distribution of times; {_EXAMPLES}")


def from_list(times: Sequence[float]) -> Draw:
    if not times:
        raise ValueError(f"the list is empty; {_EXAMPLES}")
    return Draw("list", tuple(sorted(times)))


def _time(text: object) -> float:
    try:
        time = seconds(text)
    except ValueError:
        raise ValueError(f"'{text}' is no distribution of times; {_EXAMPLES}") from None
    if time > _LONGEST:
        raise ValueError(f"'{text}' is longer than a week")
    return time


def _more_than_0(mean: float) -> float:
    if mean <= 0:
        raise ValueError("a mean of 0 is no distribution; write 0s")
    return mean


Times = Annotated[Draw, PlainValidator(draw)]
