"""The floor of the call centre: all agents and queues, and who is the best for whom."""

from __future__ import annotations

from collections.abc import Sequence

from acd.agents import IDLE, READY, LiveAgent, is_logged_on, is_working
from acd.calls import WaitingCall
from acd.forecast import Pace
from acd.lines import Line, Queue
from acd.model import Agent, AgentId, AgentState, Millis, QueueName, QueueRule
from acd.routing.strategy import draw


class Floor:
    """Keeps every agent in the indexes of exactly those lines that it is able and free to serve."""

    __slots__ = ("_emptied", "_successors", "agents", "left", "queues", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.agents: dict[AgentId, LiveAgent] = {}
        self.queues: dict[QueueName, Queue] = {}
        self.left: list[LiveAgent] = []  # whose callers nobody has looked at yet
        self._emptied: list[Line] = []
        self._successors: dict[QueueName, QueueName] = {}  # of the queues that were removed

    # --- who for whom

    def best_agent(self, call: WaitingCall) -> LiveAgent | None:
        """The agent whose phone is to ring for this call; None: nobody who is able is free."""
        if call.awaited and not call.offers:
            return call.awaited if call.awaited.indexed else None
        return call.line.best(call)

    def best_call(self, agents: Sequence[LiveAgent]) -> WaitingCall | None:
        """The call that one of these free agents is to take: of the weightiest queue, there of the lowest rank."""
        heads = [line.waiting.head for agent in agents for line in agent.lines]
        heads += [agent.awaited_by.head for agent in agents]
        places = [(-head[3].queue.rule.weight, head) for head in heads if head]
        return min(places)[1][3] if places else None

    def free(self, agent: LiveAgent) -> None:
        """From now on calls find this agent."""
        agent.indexed = True
        agent.lot = draw(self.seed, agent.rule.id, agent.ready_since)
        for line in agent.lines:
            line.free(agent)

    def take(self, agent: LiveAgent) -> None:
        """Calls do not find this agent any more; does nothing where they did not."""
        if agent.indexed:
            agent.indexed = False
            for line in agent.lines:
                line.take(agent)

    # --- agents

    def moved(self, agent: LiveAgent, before: AgentState) -> None:
        """The agent is in another state: keeps the indexes and the lines' counts."""
        if before is READY:
            self.take(agent)
        if before in IDLE or agent.state in IDLE:
            self._recount(agent, before)

    def change(self, rule: Agent, now: Millis) -> LiveAgent:
        """A new agent, or other facts about a known one; it is in no index of free agents then."""
        agent = self.agents.get(rule.id)
        if agent is None:
            agent = self.agents[rule.id] = LiveAgent(rule, now)
        self.take(agent)
        self._leaves(agent)
        owing = [queue for queue in self.queues.values() if agent in queue.owed]
        for queue in self.queues.values():
            queue.drop_member(agent)
        agent.rule = rule
        for name in dict.fromkeys(rule.queues):
            if name in self.queues:
                self.queues[name].add_member(agent)
        for queue in owing:
            queue.give_turn_back(agent)
        return agent

    def remove(self, agent: LiveAgent) -> None:
        self.take(agent)
        self._leaves(agent)
        for queue in self.queues.values():
            queue.drop_member(agent)
        del self.agents[agent.rule.id]

    def disturbed(self) -> list[WaitingCall]:
        """Callers whose chances may have gone since the last question: those who could serve them have left."""
        queues = {line.queue: None for line in self._emptied if not line.working}
        calls = [call for queue in queues for call in queue.calls()]
        calls += [key[3] for agent in self.left for key in agent.awaited_by]
        self._emptied.clear()
        self.left.clear()
        return calls

    def _leaves(self, agent: LiveAgent) -> None:
        self.left.append(agent)
        self._emptied += agent.lines

    # --- queues

    def open(self, rule: QueueRule) -> Queue:
        """A new queue, or a new rule for a known one: agents, pace and hours stay, its callers are yours to move."""
        old = self.queues.get(rule.name)
        owed = dict(old.owed) if old else {}
        if old:
            self.close(old)
        self._successors.pop(rule.name, None)
        queue = self.queues[rule.name] = Queue(rule, self.seed, Pace())
        if old:
            queue.pace, queue.hours, queue.last_agent = old.pace, old.hours, old.last_agent
            queue.offers_made = old.offers_made
        for agent in self.agents.values():
            if rule.name in agent.rule.queues:
                queue.add_member(agent)  # no lines yet: they come with their callers
                if agent in owed:
                    queue.give_turn_back(agent)
        return queue

    def close(self, queue: Queue) -> None:
        queue.gone = True
        del self.queues[queue.rule.name]
        self._successors[queue.rule.name] = queue.rule.successor
        for agent in list(queue.members.values()):
            queue.drop_member(agent)

    def heir(self, name: QueueName) -> Queue | None:
        """The queue that gets the callers of a removed one: the first of its successors that there is."""
        asked = set()
        while name in self._successors and name not in asked:
            asked.add(name)
            name = self._successors[name]
        return self.queues.get(name)

    def _recount(self, agent: LiveAgent, before: AgentState) -> None:
        logged_on = is_logged_on(agent.state) - is_logged_on(before)
        working = is_working(agent.state) - is_working(before)
        for line in agent.lines:
            line.logged_on += logged_on
            line.working += working
        if logged_on < 0 or working < 0:
            self._leaves(agent)
