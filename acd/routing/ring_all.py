"""Ring all: every free agent's phone rings, and who becomes free meanwhile rings too; the first to answer has the call.

The others' phones stop ringing and those agents are Ready again, without blame.
"""

from __future__ import annotations

import sys

from acd.model import Millis, QueueRule
from acd.routing.longest_idle import LongestIdle


class RingAll(LongestIdle):
    name = "ring-all"
    rings_several = True

    @classmethod
    def phones(cls, rule: QueueRule, ringing: Millis) -> int:
        del rule, ringing
        return sys.maxsize
