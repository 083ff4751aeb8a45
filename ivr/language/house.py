"""What a flow may count on: the prompts, queues, queries and so on that exist around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from config.syntax import Path
from config.wording import choices
from ivr.language.templates import Template
from switch.port import Capability

V = TypeVar("V")


class Unread(Mapping[str, V]):
    """The names in a file that could not be read: any may be there, and one mistake is not told as many."""

    def __init__(self, each: V) -> None:
        self._each = each

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> V:
        return self._each

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """A named query: the columns that it returns and the parameters that it takes (None: not known)."""

    returns: frozenset[str]
    parameters: frozenset[str] | None = None
    writes: bool = False

    def misfit(self, name: str, given: Iterable[str]) -> Iterator[tuple[Path, str]]:
        """What is wrong with the values that a step gives for the parameters of this query."""
        if self.parameters is None:
            return
        unknown = [parameter for parameter in given if parameter not in self.parameters]
        missing = sorted(self.parameters - set(given))
        for parameter in unknown:
            needed = f"; it needs {choices(missing)}" if missing else ""
            yield ("with", parameter), f"the query '{name}' has no parameter '{parameter}'{needed}"
        if missing and not unknown:
            yield ("with",), f"the query '{name}' needs {choices(missing)}"


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """A flow that others may call: the variables it takes, what it gives back (None: it never comes back), and how
    it speaks."""

    takes: frozenset[str]
    gives: frozenset[str] | None
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class House:
    """`prompts`: id -> language -> its text (None where only a recording exists). None elsewhere: not known."""

    prompts: Mapping[str, Mapping[str, Template | None]] = field(default_factory=dict)
    languages: Collection[str] = ()  # in which texts can be spoken
    queues: Collection[str] = ()
    queue_prompts: Mapping[str, Collection[str]] = field(default_factory=dict)  # that a queue's callers hear of it
    queries: Mapping[str, QueryFacts] = field(default_factory=dict)
    calendars: Collection[str] = ()
    flows: Mapping[str, FlowFacts] = field(default_factory=dict)
    unread_flows: Collection[str] = ()  # whose files could not be read, or not wholly
    skills: Collection[str] | None = None
    boxes: Collection[str] | None = None
    understood: Collection[str] | None = None  # languages with a recogniser
    capabilities: frozenset[Capability] = frozenset(Capability)
    refused: Callable[[str], str] = lambda _to: ""  # why nobody may be transferred there
    unreachable: Callable[[str], str] = lambda _host: ""  # why a web host may not be asked, as far as its name tells
