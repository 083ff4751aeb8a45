"""The slow and obvious way to choose an agent: figures kept from what the engine says, and an order worked out anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from acd.model import Agent, AgentState, QueueRule, ShowAgentState
from acd.skills import Needs


class Figures:
    """Since when each agent is Ready, and how many calls it had since log-on."""

    def __init__(self) -> None:
        self.ready_since: dict[str, int] = {}
        self.calls: Counter[str] = Counter()
        self._states: dict[str, AgentState] = {}

    def shown(self, shown: ShowAgentState, now: int) -> None:
        """A ring that came to nothing leaves an agent Ready for as long as it was."""
        before = self._states.get(shown.agent, AgentState.LOGGED_OFF)
        self._states[shown.agent] = shown.state
        if shown.state is AgentState.READY and before not in (AgentState.READY, AgentState.RESERVED):
            self.ready_since[shown.agent] = now
        if before is AgentState.LOGGED_OFF and shown.state is not AgentState.BUSY:  # not where it was found talking
            self.calls[shown.agent] = 0

    def place(self, agent: Agent, rule: QueueRule, needs: Needs) -> tuple[object, ...]:
        """The lower the sooner: by rank in the queue, by what is preferred, by the strategy."""
        tier = (agent.ranks.get(rule.name, 1), -needs.preference(agent.skills))
        return (*tier, *STRATEGIES[rule.strategy](self, agent, needs))


def _idle(figures: Figures, agent: Agent, needs: Needs) -> tuple[object, ...]:
    del needs
    return (figures.ready_since[agent.id],)


def _fixed(figures: Figures, agent: Agent, needs: Needs) -> tuple[object, ...]:
    del figures, needs
    return (agent.order is None, agent.order or 0, int(agent.id))


def _calls(figures: Figures, agent: Agent, needs: Needs) -> tuple[object, ...]:
    return (figures.calls[agent.id], *_idle(figures, agent, needs))


def _skills(figures: Figures, agent: Agent, needs: Needs) -> tuple[object, ...]:
    levels = [agent.skills.get(demand.skill, 0) for demand in (*needs.required, *needs.preferred)]
    return (-sum(levels), *_idle(figures, agent, needs))


STRATEGIES: dict[str, Callable[[Figures, Agent, Needs], tuple[object, ...]]] = {
    "longest-idle": _idle,
    "ring-progressively": _idle,
    "top-down": _fixed,
    "fewest-calls": _calls,
    "best-skilled": _skills,
}
