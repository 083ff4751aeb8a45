"""What the engine's parts share while one event is handled: the time, the floor, the work left, the decisions made."""

from __future__ import annotations

from acd.agents import LOGGED_OFF, READY, RELEASE, Input, LiveAgent
from acd.calls import WaitingCall
from acd.deadlines import Deadlines
from acd.floor import Floor
from acd.model import Decision, Millis, ShowAgentState


class Board:
    """Facts are written down first; who serves whom is settled afterwards, from the calls and agents noted here.

    So no part calls another back, and what happens at one time is settled by rank, not by the order
    in which it was found out.
    """

    __slots__ = ("agents", "calls", "deadlines", "floor", "now", "out")

    def __init__(self, seed: int) -> None:
        self.now: Millis = 0
        self.out: list[Decision] = []
        self.floor = Floor(seed)
        self.deadlines = Deadlines()
        self.calls: dict[WaitingCall, None] = {}  # to be looked at before the event is done
        self.agents: dict[LiveAgent, None] = {}  # who may be free now

    def look_at(self, call: WaitingCall) -> None:
        self.calls[call] = None

    def turn(self, agent: LiveAgent, input_: Input, reason: str = "") -> bool:
        """Lets something happen to an agent; True when its state or reason is another one now."""
        old_reason = agent.reason
        before = agent.take(input_, reason, self.now)
        if before is None:
            return False
        if before is agent.state:
            return reason != old_reason
        self.floor.moved(agent, before)
        if agent.state is READY:
            if input_ is not RELEASE:
                agent.ready_since = self.now
            self.agents[agent] = None
        elif agent.gone and agent.state is LOGGED_OFF:
            self.agents[agent] = None
        return True

    def show(self, agent: LiveAgent) -> None:
        self.out.append(ShowAgentState(agent.rule.id, agent.state, agent.reason, agent.call))
