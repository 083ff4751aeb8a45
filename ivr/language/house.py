"""What a flow may count on: the prompts, queues, queries and so on that exist around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ivr.language.templates import Template
from switch.port import Capability


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """A named query: the columns that it returns and the parameters that it takes (None: not known)."""

    returns: frozenset[str]
    parameters: frozenset[str] | None = None


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
    skills: Collection[str] | None = None
    boxes: Collection[str] | None = None
    understood: Collection[str] | None = None  # languages with a recogniser
    capabilities: frozenset[Capability] = frozenset(Capability)
