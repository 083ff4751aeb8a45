"""Fewest calls: who has talked to the fewest callers since log-on is rung first; among equals, the longest idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.model import Millis
from acd.routing.strategy import InOrder, idle_since

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class FewestCalls(InOrder):
    name = "fewest-calls"

    def key(self, agent: LiveAgent) -> tuple[int, Millis]:
        return (agent.calls, idle_since(agent, self.setting.rule))
