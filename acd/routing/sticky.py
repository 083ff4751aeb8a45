"""Sticky: a caller waits up to `sticky-for` for the agent it talked to last, then for the longest idle.

It does not wait for an agent who takes no calls, and no longer than until that agent has declined.
"""

from __future__ import annotations

from acd.routing.longest_idle import LongestIdle


class Sticky(LongestIdle):
    name = "sticky"
    waits_for_last_agent = True
