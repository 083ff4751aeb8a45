"""Least talk time: who has talked least since log-on is rung first; among equals, the longest idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.model import Millis
from acd.routing.strategy import InOrder, idle_since

if TYPE_CHECKING:
    from acd.agents import LiveAgent


class LeastTalkTime(InOrder):
    name = "least-talk-time"

    def key(self, agent: LiveAgent) -> tuple[Millis, Millis]:
        return (agent.talk_time, idle_since(agent, self.setting.rule))
