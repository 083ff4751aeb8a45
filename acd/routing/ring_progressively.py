"""Ring progressively: the longest idle agent first, and one more phone after each `ring-step`."""

from __future__ import annotations

from acd.model import Millis, QueueRule
from acd.routing.longest_idle import LongestIdle


class RingProgressively(LongestIdle):
    name = "ring-progressively"
    rings_several = True

    @classmethod
    def phones(cls, rule: QueueRule, ringing: Millis) -> int:
        return 1 + ringing // max(1, rule.ring_step)

    @classmethod
    def next_phone(cls, rule: QueueRule, ringing: Millis) -> Millis:
        step = max(1, rule.ring_step)
        return step - ringing % step
