"""Round robin: the fixed order of top-down, each time beginning behind the agent whom this queue rang last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from acd.routing.top_down import TopDown

if TYPE_CHECKING:
    from acd.agents import LiveAgent
    from acd.calls import WaitingCall


class RoundRobin(TopDown):
    name = "round-robin"

    def candidates(self, waiting: WaitingCall) -> Iterator[LiveAgent]:
        last = waiting.queue.last_agent
        if last is None:
            yield from super().candidates(waiting)
            return
        turn = (*self.key(last), _BEYOND)
        for entry in self.index.after(turn):
            yield entry[-1]
        for entry in self.index:
            if entry > turn:
                return
            yield entry[-1]

    def best(self, waiting: WaitingCall) -> LiveAgent | None:
        return next(self.candidates(waiting), None)


_BEYOND = 1 << 64  # above every draw: the agent itself comes last
