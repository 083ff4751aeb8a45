"""How sure a mean of a few replications is: Student's t (W. S. Gosset, Biometrika 6, 1908)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from statistics import fmean, stdev

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the interval that holds the true one with 95 % confidence; as wide as nothing known with one value."""

    mean: float
    low: float | None
    high: float | None

    @property
    def half(self) -> float | None:
        """What stands behind the plus-minus sign."""
        return None if self.high is None else self.high - self.mean

    def differs(self) -> bool:
        """Whether 0 is outside of it."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def estimate(values: Iterable[float | None]) -> Estimate | None:
    """Of one value for each replication; None where no replication has one."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = fmean(known)
    if len(known) == 1:
        return Estimate(mean, None, None)
    half = quantile(len(known) - 1) * stdev(known) / math.sqrt(len(known))
    return Estimate(mean, mean - half, mean + half)


@cache
def quantile(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Student's t for a two-sided interval: the value within which so great a share lies."""
    low, high = 0.0, 1.0
    while _within(high, degrees) < confidence:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return high


def _within(t: float, degrees: int) -> float:
    """P(-t < T < t), exactly, by Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    term, total = (cosine, 0.0) if degrees % 2 else (1.0, 0.0)
    for n in range(3 if degrees % 2 else 2, degrees + 1, 2):
        total += term
        term *= cosine * cosine * (n - 1) / n
    if degrees % 2:
        return (angle + sine * total) * 2 / math.pi
    return sine * total
