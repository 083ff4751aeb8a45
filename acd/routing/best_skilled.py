"""Best skilled: the highest levels in what the call asks for, summed; among equals, the longest idle.

It spends the best on whoever comes first. Where experts are few, let their skill be required of the
calls that need it instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.model import Millis
from acd.routing.strategy import InOrder, idle_since

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class BestSkilled(InOrder):
    name = "best-skilled"

    def key(self, agent: LiveAgent) -> tuple[int, Millis]:
        needs = self.setting.needs
        levels = sum(agent.rule.skills.get(demand.skill, 0) for demand in (*needs.required, *needs.preferred))
        return (-levels, idle_since(agent, self.setting.rule))
