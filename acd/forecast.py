"""How long a caller will wait, from how fast its queue moves.

The estimate is QL_m of Ibrahim and Whitt, "Real-Time Delay Estimation in Overloaded Multiserver Queues
with Abandonments", Management Science 55(10), 2009: with `n` callers ahead, `s` agents at work, mean
handling time 1/mu and mean patience 1/theta, the wait is the time until n + 1 departures, the i-th of
which comes at rate s*mu + i*theta. Without abandonment it is the classic (n + 1) / (s mu).

Where callers ask for skills, those ahead are not all served by the same agents, nor do these agents serve this
queue alone, and the queue's length misleads. So what each line of callers was told is held against what it then
waited, and the estimate is scaled by how far the two were apart lately: a predictor of queue length and delay
history together, as the proportional LES of Thiongane, Chan and L'Ecuyer, "New History-Based Delay Predictors
for Service Systems", Winter Simulation Conference 2016 (GERAD G-2016-59).
"""

from __future__ import annotations

import math
from itertools import pairwise

from acd.model import Millis
from acd.skills import Needs

_WEIGHT = 0.02  # of the newest observation: the last fifty or so calls count
_PATIENCE_WEIGHT = 0.01  # few of those who wait show how long they would
_SUMMED = 64
_MOST_DRIFTS = 256
_DRIFT_WEIGHT = 0.1  # of the newest wait: the last ten or so count
_FURTHEST = 5.0  # how many times the estimate may be scaled, or divided

# seconds: callers are told "less than one minute", "one to two minutes" ...
BANDS = (0, 60, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600)


class Mean:
    """A mean that follows slowly: plain over the first fifty observations, then exponentially weighted."""

    __slots__ = ("count", "value")

    def __init__(self) -> None:
        self.count = 0
        self.value = 0.0

    def observe(self, value: float) -> None:
        self.count += 1
        self.value += (value - self.value) * max(1 / self.count, _WEIGHT)


class Drift:
    """How the waits of one line of callers compare with what its queue's figures say they will be."""

    __slots__ = ("_expected", "_real")

    def __init__(self) -> None:
        self._expected = 0.0
        self._real = 0.0

    def observe(self, expected: float, real: float) -> None:
        keep = 1 - _DRIFT_WEIGHT
        self._expected = self._expected * keep + expected
        self._real = self._real * keep + real

    def factor(self) -> float:
        if not self._expected:
            return 1.0
        return min(max(self._real / self._expected, 1 / _FURTHEST), _FURTHEST)


class Pace:
    """What a queue has shown of itself: handling times, how patient its callers are, and each line's drift."""

    __slots__ = ("_abandoned", "_drifts", "_waited", "handling")

    def __init__(self) -> None:
        self.handling = Mean()
        self._drifts: dict[Needs, Drift] = {}
        self._abandoned = 0.0
        self._waited = 0.0

    def handled(self, time: Millis) -> None:
        """One call took an agent this long, from the offer to the end of the work after the call."""
        self.handling.observe(float(time))

    def waited(self, time: Millis, *, abandoned: bool) -> None:
        """One caller's wait is over. The older the observation, the less it counts."""
        if not time and not abandoned:
            return  # sent away at the door, which says nothing of patience and must not push out what does
        keep = 1 - _PATIENCE_WEIGHT
        self._waited = self._waited * keep + time
        self._abandoned = self._abandoned * keep + abandoned

    def drift(self, needs: Needs) -> Drift:
        """That of the callers who need the same; of too many different needs the oldest is forgotten."""
        if needs not in self._drifts and len(self._drifts) >= _MOST_DRIFTS:
            del self._drifts[next(iter(self._drifts))]
        return self._drifts.setdefault(needs, Drift())

    def abandon_rate(self) -> float:
        """theta per millisecond: abandonments per time waited, the estimator of a censored exponential patience."""
        return self._abandoned / self._waited if self._waited else 0.0

    def wait(self, ahead: int, agents: int) -> float | None:
        """Seconds until it is the turn of a caller with `ahead` before it; None when nothing is known."""
        if not agents or not self.handling.count:
            return None
        service = agents / max(self.handling.value, 1.0)
        return departures(ahead + 1, service, self.abandon_rate()) / 1000


def departures(count: int, service: float, abandon: float) -> float:
    """The expected time of `count` departures: the sum over i of 1 / (service + i * abandon), i below count.

    The first are summed exactly, those far behind by the integral (the midpoint rule).
    """
    if not abandon:
        return count / service
    exact = sum(1 / (service + i * abandon) for i in range(min(count, _SUMMED)))
    if count <= _SUMMED:
        return exact
    start = service + (_SUMMED - 0.5) * abandon
    return exact + math.log1p((count - _SUMMED) * abandon / start) / abandon


def band(seconds: float) -> tuple[int, int | None]:
    """The least and the greatest seconds of the band that a wait is spoken in; None: or more."""
    for low, high in pairwise(BANDS):
        if seconds < high:
            return low, high
    return BANDS[-1], None
