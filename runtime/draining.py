"""Stopping when hardly anybody notices: once no caller is in the middle of a menu, an entry or a message.

A stop loses nobody at any moment; whoever is spoken to at that moment hears a short sorry afterwards. So those in
a menu are let through it first. Who calls meanwhile hears music, and is served by the next process.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent
import structlog

from runtime.calls import CallDesk
from runtime.standing import Standing
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2


class Drain:
    """Begun once, by whoever wants the appliance to stop."""

    def __init__(self, desk: CallDesk, standing: Standing, clock: Clock) -> None:
        self._desk = desk
        self._standing = standing
        self._clock = clock
        self._begun = False
        self.on_drained: Callable[[], None] = lambda: None

    def begin(self, within: float) -> int:
        """Starts draining, and stops the appliance after so many seconds at the latest; how many are spoken to now."""
        if not self._begun:
            self._begun = True
            self._desk.hold_new_calls()
            gevent.spawn(self._run, within)
        return self.busy()

    def busy(self) -> int:
        """How many callers would notice a stop: those who neither wait, nor talk, nor have only just come."""
        return sum(not self._rests(call) for call in self._desk.in_progress)

    def _rests(self, call: str) -> bool:
        stands = self._standing.calls.get(call)
        return stands is not None and (stands.place is not None or stands.over == "answered" or not stands.told)

    def _run(self, within: float) -> None:
        until = self._clock.now() + round(within * 1000)
        while self.busy() and self._clock.now() < until:
            self._clock.sleep(LOOK_SECONDS)
        log.info("drained", cut_short=self.busy(), going_on=len(self._desk.in_progress))
        self.on_drained()
