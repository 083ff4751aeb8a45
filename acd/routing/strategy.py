"""What a strategy is: the order in which free agents are rung for one line of a queue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

from acd.deadlines import NEVER
from acd.model import Millis, QueueRule
from acd.ordered import Ordered
from acd.skills import Needs

if TYPE_CHECKING:
    from acd.agents import LiveAgent
    from acd.calls import WaitingCall


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a strategy works: the queue's rule, what this line's callers need, the seed of all draws."""

    rule: QueueRule
    needs: Needs
    seed: int


class Strategy(ABC):
    """An ordered index of the free, able agents of one line. Equal histories give equal orders.

    `add` and `remove` tell who is free; an agent's figures never change while it stands in the index.
    """

    name: ClassVar[str] = ""
    waits_for_last_agent: ClassVar[bool] = False
    rings_several: ClassVar[bool] = False  # `phones` and `next_phone` have something to say

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def add(self, agent: LiveAgent) -> None: ...

    @abstractmethod
    def remove(self, agent: LiveAgent) -> None: ...

    @abstractmethod
    def best(self, waiting: WaitingCall) -> LiveAgent | None:
        """Whose phone is to ring for this call."""

    @classmethod
    def phones(cls, rule: QueueRule, ringing: Millis) -> int:
        """How many phones may ring for one caller, `ringing` after its first began."""
        del rule, ringing
        return 1

    @classmethod
    def next_phone(cls, rule: QueueRule, ringing: Millis) -> Millis:
        """After how much more ringing `phones` will be greater."""
        del rule, ringing
        return NEVER


class InOrder(Strategy):
    """A strategy that is an order of the agents themselves; equals go by the lot each drew when it became free."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.index: Ordered[tuple[Any, ...]] = Ordered()
        self.entries: dict[str, tuple[Any, ...]] = {}

    @abstractmethod
    def key(self, agent: LiveAgent) -> tuple[Any, ...]:
        """The smallest is rung first."""

    def add(self, agent: LiveAgent) -> None:
        entry = (*self.key(agent), agent.lot, agent.rule.id, agent)
        self.entries[agent.rule.id] = entry
        self.index.add(entry)

    def remove(self, agent: LiveAgent) -> None:
        self.index.remove(self.entries.pop(agent.rule.id))

    def best(self, waiting: WaitingCall) -> LiveAgent | None:
        del waiting
        entry = self.index.head
        return entry[-1] if entry else None


def draw(*facts: object) -> int:
    """A number that only the facts decide, alike in every process and on every machine."""
    text = "\x1f".join(map(str, facts))
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())


def idle_since(agent: LiveAgent, rule: QueueRule) -> Millis:
    """Since when the agent counts as idle, by the queue's `idle-since`."""
    match rule.idle_since:
        case "last-call":
            return agent.talk_ended
        case "last-offer":
            return agent.last_offered
        case _:
            return agent.ready_since
