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
CALM_LOOKS = 20  # of which few are late, until somebody is again
FEW = 2  # where one late look began the calm anew, a stall now and then would keep everybody out for ever
TOLD_EVERY = 1000  # milliseconds
ON_THE_WAY = 5000  # milliseconds from being let in to the call's own greenlet, at most
COMES_AGAIN = 30_000  # milliseconds: the fallback brings a call again after 15 s and an apology


class Admission:
    """The limits of `limits` in appliance.yaml. `lag` is in seconds."""

    def __init__(self, clock: Clock, *, calls: int, per_second: int, lag: float) -> None:
        self._clock = clock
        self._calls = calls
        self._per_second = per_second
        self._lag = lag
        self._lately: deque[Millis] = deque()
        self._coming: dict[CallId, Millis] = {}  # let in, and not under way yet
        self._deferred: dict[CallId, Millis] = {}  # left to the fallback, and when it was so last
        self._late = 0  # looks, one after another
        self._calming: deque[bool] | None = None  # while nobody new is let in: which of the latest looks were late
        self._told: Millis = -TOLD_EVERY
        self.refused = 0  # since the start, each try of a call that came again

    @property
    def lagging(self) -> bool:
        """Whether the hub is so late that nobody new is let in."""
        return self._calming is not None

    def lets_in(self, call: CallId, under_way: int) -> bool:
        """Whether a new call is taken now, with so many under way; `arrived` must follow where it is."""
        reason = self._against(under_way)
        now = self._clock.now()
        self._deferred.pop(call, None)
        if reason:
            self.refused += 1
            self._deferred[call] = now
            while next(iter(self._deferred.values())) <= now - COMES_AGAIN:
                del self._deferred[next(iter(self._deferred))]
            if now >= self._told + TOLD_EVERY:  # the log must not be one more thing to do
                self._told = now
                log.warning(f"calls are left to the switch's fallback: {reason}", refused=self.refused)
            return False
        self._lately.append(now)
        self._coming[call] = now
        return True

    def arrived(self, call: CallId) -> None:
        self._coming.pop(call, None)

    def deferred(self, call: CallId) -> bool:
        """Whether the fallback has this call, and will bring it again."""
        at = self._deferred.get(call)
        return at is not None and at > self._clock.now() - COMES_AGAIN

    def looked(self, lag: float) -> None:
        """Takes how many seconds late the hub was, about ten times a second."""
        if self._calming is None:
            self._late = self._late + 1 if lag > self._lag else 0
            if self._late >= LOOKS:
                self._calming = deque(maxlen=CALM_LOOKS)
                log.error("the hub lags behind: new calls are left to the switch's fallback", seconds=round(lag, 3))
            return
        self._calming.append(lag > self._lag / 2)
        if len(self._calming) == CALM_LOOKS and sum(self._calming) <= FEW:
            self._calming, self._late = None, 0
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
