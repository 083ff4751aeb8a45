"""Longest idle: who has been free for the longest time is rung first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.model import Millis
from acd.routing.strategy import InOrder, idle_since

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class LongestIdle(InOrder):
    name = "longest-idle"

    def key(self, agent: LiveAgent) -> tuple[Millis]:
        return (idle_since(agent, self.setting.rule),)
