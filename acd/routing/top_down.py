"""Top down: always the first free agent of a fixed order, by the agents' `order`, then by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.routing.strategy import InOrder

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class TopDown(InOrder):
    name = "top-down"

    def key(self, agent: LiveAgent) -> tuple[int, str]:
        return (agent.rule.order, agent.rule.id)
