"""Top down: always the first free agent of a fixed order.

It is the agents' `order`; those without one follow in the order of their numbers, ids that are none last.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from acd.routing.strategy import InOrder

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class TopDown(InOrder):
    name = "top-down"

    def key(self, agent: LiveAgent) -> tuple[float, float, str]:
        order, id_ = agent.rule.order, agent.rule.id
        return (inf if order is None else order, int(id_) if id_.isdecimal() else inf, id_)
