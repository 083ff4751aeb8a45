"""Who is let in: so many calls at a time and a second, and nobody new while the hub lags behind.

Whoever is not let in stays with the switch's own dialplan, which apologises, plays music and brings the call
again; so those who are inside keep their quality, and nobody hears a dead line.
"""

from __future__ import annotations

from collections import deque

import structlog

from switch.port import CallId
from switch.shared.clock import Clock, Millis

log = structlog.get_logger(__name__)

LOOKS = 3  # one after another in which the hub was late, until nobody new is let in
CALM_LOOKS = 20  # one after another in which it was not, until somebody is again
TOLD_EVERY = 1000  # milliseconds
ON_THE_WAY = 5000  # milliseconds from being let in to the call's own greenlet, at most


class Admission:
    """The limits of `limits` in appliance.yaml. `lag` is in seconds."""

    def __init__(self, clock: Clock, *, calls: int, per_second: int, lag: float) -> None:
        self._clock = clock
        self._calls = calls
        self._per_second = per_second
        self._lag = lag
        self._lately: deque[Millis] = deque()
        self._coming: dict[CallId, Millis] = {}  # let in, and not under way yet
        self._late = 0  # looks; below zero those that are still to be calm
        self._told: Millis = -TOLD_EVERY
        self.refused = 0  # since the start, each try of a call that came again

    @property
    def lagging(self) -> bool:
        """Whether the hub is so late that nobody new is let in."""
        return self._late < 0 or self._late >= LOOKS

    def lets_in(self, call: CallId, under_way: int) -> bool:
        """Whether a new call is taken now, with so many under way; `arrived` must follow where it is."""
        reason = self._against(under_way)
        now = self._clock.now()
        if reason:
            self.refused += 1
            if now >= self._told + TOLD_EVERY:  # the log must not be one more thing to do
                self._told = now
                log.warning(f"calls are left to the switch's fallback: {reason}", refused=self.refused)
            return False
        self._lately.append(now)
        self._coming[call] = now
        return True

    def arrived(self, call: CallId) -> None:
        self._coming.pop(call, None)

    def looked(self, lag: float) -> None:
        """Takes how many seconds late the hub was, about ten times a second."""
        late = lag > (self._lag / 2 if self.lagging else self._lag)
        if not self.lagging:
            self._late = self._late + 1 if late else 0
            if self.lagging:
                self._late = -CALM_LOOKS
                log.error("the hub lags behind: new calls are left to the switch's fallback", seconds=round(lag, 3))
        else:
            self._late = -CALM_LOOKS if late else self._late + 1
            if not self.lagging:
                log.info("the hub is on time again: calls are taken")

    def _against(self, under_way: int) -> str:
        now = self._clock.now()
        while self._lately and self._lately[0] <= now - 1000:
            self._lately.popleft()
        while self._coming and next(iter(self._coming.values())) <= now - ON_THE_WAY:
            del self._coming[next(iter(self._coming))]
        if self.lagging:
            return "the hub lags behind"
        if under_way + len(self._coming) >= self._calls:
            return "as many calls as allowed are under way"
        if len(self._lately) >= self._per_second:
            return "as many calls as allowed came in this second"
        return ""
