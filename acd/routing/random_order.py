"""Random: each free agent is as likely as any other, drawn from seed and call, so that a replay draws the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.routing.strategy import Setting, Strategy, draw

if TYPE_CHECKING:
    from acd.agents import LiveAgent
    from acd.calls import WaitingCall


class Random(Strategy):
    name = "random"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._free: list[LiveAgent] = []
        self._seat: dict[str, int] = {}

    def add(self, agent: LiveAgent) -> None:
        self._seat[agent.rule.id] = len(self._free)
        self._free.append(agent)

    def remove(self, agent: LiveAgent) -> None:
        """The last one takes the seat that becomes empty."""
        seat = self._seat.pop(agent.rule.id)
        last = self._free.pop()
        if last is not agent:
            self._free[seat] = last
            self._seat[last.rule.id] = seat

    def best(self, waiting: WaitingCall) -> LiveAgent | None:
        if not self._free:
            return None
        return self._free[draw(self.setting.seed, waiting.id, waiting.queue.offers_made) % len(self._free)]
