"""A leg that talks, and that an earlier controller had joined: watched from afar until it comes to us by itself.

Whatever takes a leg into our hands takes it out of its talk. So it has no socket to us before the dialplan sends
it here, and its end is seen by looking at what lives.
"""

from __future__ import annotations

from contextlib import suppress

from switch.freeswitch import causes, esl
from switch.freeswitch.calls import FreeSwitchCall
from switch.freeswitch.client import Connection, Inbound
from switch.freeswitch.leg import Leg
from switch.port import CallEnded, Cause, Parted, SwitchLost

LOOK = 0.5  # seconds between two looks, which is how late the end of a talk may be noticed


class WatchedCall(FreeSwitchCall):
    """A leg in a talk. `wait` tells when it has come back to us; then it is a call like any other."""

    was_joined = True

    def __init__(self, leg: Leg, channel: esl.Event, inbound: Inbound) -> None:
        super().__init__(leg, channel)
        self._inbound = inbound

    @property
    def in_talk(self) -> bool:
        return super().in_talk or not self.leg.attached

    def arrived(self, line: Connection, channel: esl.Event) -> None:
        """The talk is over, and the dialplan has sent the leg to us."""
        self.set_by_dialplan(channel)
        with suppress(CallEnded):
            self.leg.attach(line)
        self._inbox.put(Parted())

    def hang_up(self, cause: Cause = Cause.NORMAL) -> None:
        if self.leg.attached:
            super().hang_up(cause)
            return
        if self._inbox.ended is None:
            self.leg.condemned = cause
            with suppress(SwitchLost):
                self._inbound.api(causes.kill(self.id, cause))
                self.leg.condemned = None
        self.leg.end(cause)
