"""Queues, and within a queue one line per different need: who waits there, and who is free for it."""

from __future__ import annotations

from itertools import islice

from acd import announcing
from acd.agents import LiveAgent, is_logged_on, is_working
from acd.calls import Key, WaitingCall
from acd.forecast import Pace
from acd.model import AgentId, QueueRule
from acd.ordered import Ordered
from acd.routing import Setting, Strategy, strategy_named
from acd.skills import Needs, needs

_MOST_LINES = 64
_SOME = 16
_MOST_REMEMBERED = 1024


class Line:
    """The callers of one queue who need the same, and the free agents who are able for them.

    Free agents of a lower rank in this queue stand in a higher tier, and among these those with more of the
    preferred skills; within a tier the queue's strategy decides.
    """

    __slots__ = ("_order", "_tiers", "agents", "drift", "logged_on", "needs", "queue", "users", "waiting", "working")

    def __init__(self, queue: Queue, needs: Needs) -> None:
        self.queue = queue
        self.needs = needs
        self.waiting: Ordered[Key] = Ordered()
        self.users = 0  # calls that stand here now or may later
        self.agents: dict[AgentId, LiveAgent] = {}  # all who are able, in whatever state
        self.drift = queue.pace.drift(needs)
        self.logged_on = 0
        self.working = 0
        self._tiers: dict[tuple[int, int], Strategy] = {}
        self._order: tuple[Strategy, ...] = ()

    def join(self, agent: LiveAgent) -> None:
        self.agents[agent.rule.id] = agent
        self.logged_on += is_logged_on(agent.state)
        self.working += is_working(agent.state)

    def part(self, agent: LiveAgent) -> None:
        del self.agents[agent.rule.id]
        self.logged_on -= is_logged_on(agent.state)
        self.working -= is_working(agent.state)

    def free(self, agent: LiveAgent) -> None:
        self._tier(agent).add(agent)

    def take(self, agent: LiveAgent) -> None:
        self._tier(agent).remove(agent)

    def best(self, call: WaitingCall) -> LiveAgent | None:
        """The free agent whose phone is to ring for this call."""
        for tier in self._order:
            agent = tier.best(call)
            if agent:
                return agent
        return None

    def wait(self, ahead: int) -> float | None:
        """The seconds that a caller with so many before it in its queue has yet to wait; None: nothing is known."""
        expected = self.queue.pace.wait(ahead, self.working)
        return expected * self.drift.factor() if expected is not None and self._is_mixed() else expected

    def _is_mixed(self) -> bool:
        """Whether the queue's length misleads: others wait there for others, or agents serve others too.

        A few agents tell it, where there are thousands.
        """
        some = islice(self.agents.values(), _SOME)
        return len(self.queue.lines) > 1 or any(len(agent.lines) > 1 for agent in some)

    def _tier(self, agent: LiveAgent) -> Strategy:
        preference = self.needs.preference(agent.rule.skills) if self.needs.preferred else 0
        place = (agent.rule.ranks.get(self.queue.rule.name, 1), -preference)
        tier = self._tiers.get(place)
        if tier is None:
            tier = self._tiers[place] = self.queue.strategy(self.queue.setting(self.needs))
            self._order = tuple(self._tiers[place] for place in sorted(self._tiers))
        return tier


class Queue:
    """One queue by its rule: members, callers in order, lines, and how fast it moves."""

    __slots__ = (
        "_found",
        "_prune_above",
        "_relaxable",
        "gone",
        "hours",
        "last_agent",
        "limits",
        "lines",
        "members",
        "offers_made",
        "owed",
        "pace",
        "rule",
        "sayings",
        "seed",
        "seekers",
        "strategy",
        "waiting",
    )

    def __init__(self, rule: QueueRule, seed: int, pace: Pace) -> None:
        self.rule = rule
        self.seed = seed
        self.pace = pace
        self.hours = "open"  # what its calendar says
        self.strategy = strategy_named(rule.strategy)
        self.members: dict[AgentId, LiveAgent] = {}
        self.waiting: Ordered[Key] = Ordered()  # all who wait here, those for whom a phone rings included
        self.seekers: Ordered[Key] = Ordered()  # who would overflow from elsewhere to here, and it was full
        self.lines: dict[Needs, Line] = {}
        self.last_agent: LiveAgent | None = None  # whose turn was the last
        self.owed: dict[LiveAgent, None] = {}  # whose turn came to nothing, for their caller left
        self.offers_made = 0
        self.sayings = announcing.sayings(rule)
        self.limits = sorted((step.after, number) for number, step in enumerate(rule.overflow))
        self._relaxable = frozenset(step.relax for step in rule.overflow if step.relax)
        self._prune_above = _MOST_LINES
        self._found: dict[tuple[tuple[str, ...], frozenset[str]], Line] = {}  # what was asked, worked out once
        self.gone = False  # its rule was removed or replaced

    def setting(self, needs: Needs) -> Setting:
        return Setting(self.rule, needs, self.seed)

    def calls(self) -> tuple[WaitingCall, ...]:
        """Whoever waits, in the order of service."""
        return tuple(key[3] for key in self.waiting)

    def add_member(self, agent: LiveAgent) -> None:
        self.members[agent.rule.id] = agent
        for line in self.lines.values():
            if line.needs.fit(agent.rule.skills):
                line.join(agent)
                agent.lines.append(line)

    def drop_member(self, agent: LiveAgent) -> None:
        """The agent must not stand in the indexes of free agents."""
        if self.members.pop(agent.rule.id, None) is None:
            return
        self.owed.pop(agent, None)
        for line in [line for line in agent.lines if line.queue is self]:
            line.part(agent)
            agent.lines.remove(line)

    def take_turn(self, agent: LiveAgent) -> None:
        """This agent is rung now."""
        self.offers_made += 1
        if agent in self.owed:
            del self.owed[agent]
        else:
            self.last_agent = agent

    def give_turn_back(self, agent: LiveAgent) -> None:
        """The ring came to nothing, through no fault of the agent."""
        if agent.rule.id in self.members:
            self.owed[agent] = None

    def put(self, call: WaitingCall) -> None:
        """Gives a call its lines and its place; it is not offered to anybody yet."""
        call.queue = self
        call.key = self.key_of(call)
        self.waiting.add(call.key)
        call.line = self._line_for(call, call.relaxed)
        call.widest = self._line_for(call, self._relaxable) if self._relaxable else self._again(call.line)

    def change_line(self, call: WaitingCall) -> None:
        """The call asks for something else now; it must not stand anywhere."""
        call.line.users -= 1
        call.expected = None
        call.line = self._line_for(call, call.relaxed)

    def remove(self, call: WaitingCall) -> None:
        self.waiting.remove(call.key)
        call.line.users -= 1
        call.widest.users -= 1
        del call.key  # it names the call: a circle that only the garbage collector would open
        if len(self.lines) > self._prune_above:
            self._prune()

    def key_of(self, call: WaitingCall) -> Key:
        """A call's place here, or what it would be: a step of priority is worth `priority_credit` of waiting."""
        return (call.arrived - call.priority * self.rule.priority_credit, call.arrived, call.serial, call)

    def admits(self, call: WaitingCall) -> bool:
        """Whether a call may come from elsewhere: there is room, also for those before it who seek it."""
        return self.seekers.ahead_of(self.key_of(call)) < self._room()

    def next_seekers(self) -> list[WaitingCall]:
        """For whom there is room, in the order of service."""
        return [key[3] for key in islice(self.seekers, self._room())]

    def _room(self) -> int:
        return max(0, self.rule.longest_queue - len(self.waiting))

    def position(self, call: WaitingCall) -> int:
        """1 is next."""
        return self.waiting.ahead_of(call.key) + 1

    @staticmethod
    def _again(line: Line) -> Line:
        line.users += 1
        return line

    def _line_for(self, call: WaitingCall, relaxed: frozenset[str]) -> Line:
        asked = (call.asked, relaxed)
        line = self._found.get(asked)
        if line is None:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            wanted = needs(self.rule, *asked)
            line = self._found[asked] = self.lines.get(wanted) or self._new_line(wanted)
        line.users += 1
        return line

    def _new_line(self, wanted: Needs) -> Line:
        line = self.lines[wanted] = Line(self, wanted)
        for agent in self.members.values():
            if wanted.fit(agent.rule.skills):
                line.join(agent)
                agent.lines.append(line)
                if agent.indexed:
                    line.free(agent)
        return line

    def _prune(self) -> None:
        """Drops the lines that nobody uses: a flow may ask for ever new skills. Again when there are twice as many."""
        unused = [wanted for wanted, line in self.lines.items() if not line.users]
        self._prune_above = max(_MOST_LINES, 2 * (len(self.lines) - len(unused)))
        self._found.clear()
        for wanted in unused:
            line = self.lines.pop(wanted)
            for agent in line.agents.values():
                agent.lines.remove(line)
