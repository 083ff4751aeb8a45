"""Round robin: the fixed order of top-down, each time beginning behind the agent whom this queue rang last.

Whose caller left while the phone rang has its turn yet: it is rung first, and the round goes on where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.routing.top_down import TopDown

if TYPE_CHECKING:
    from acd.agents import LiveAgent
    from acd.calls import WaitingCall


class RoundRobin(TopDown):
    name = "round-robin"

    def best(self, waiting: WaitingCall) -> LiveAgent | None:
        queue = waiting.queue
        for agent in queue.owed:
            if agent.rule.id in self.entries:
                return agent
        behind = self.index.after((*self.key(queue.last_agent), _BEYOND)) if queue.last_agent else iter(())
        entry = next(behind, None) or self.index.head
        return entry[-1] if entry else None


_BEYOND = 1 << 64  # above every draw: the agent itself comes last
