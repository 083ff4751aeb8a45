"""Events and decisions as journal records: the words by which recovery, figures and `why` know what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from acd.model import AgentChanged, Decision, Event, QueueName, QueueRule, QueuesChanged, ShowAgentState

Entry = tuple[str, str, Mapping[str, object]]
"""A record's type, its call ("" for none) and its facts."""


def entry(fact: Event | Decision) -> Entry:
    """An event or a decision as a journal record."""
    match fact:
        case QueuesChanged(queues=queues):
            return "QueuesChanged", "", {"queues": [q.name for q in queues], "rules": [asdict(q) for q in queues]}
        case AgentChanged(agent=agent):
            facts = {"agent": agent.id, "queues": agent.queues, "skills": dict(agent.skills)}
            return "AgentChanged", "", facts | ({"ranks": dict(agent.ranks)} if agent.ranks else {})
        case ShowAgentState():
            return "AgentStateChanged", fact.call, _facts(fact)
    return type(fact).__name__, getattr(fact, "call", ""), _facts(fact)


def rules_of(record: Mapping[str, Any]) -> dict[QueueName, QueueRule]:
    """The queues of a QueuesChanged record, as they were; of a rule that cannot be read any more only the name."""
    found = {name: QueueRule(name) for name in record.get("queues", ())}
    for written in record.get("rules", ()):
        try:
            rule = _rules().validate_python(written)
        except ValidationError:
            continue
        found[rule.name] = rule
    return found


def _facts(fact: Event | Decision) -> dict[str, object]:
    kind = type(fact).__name__
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(each.name for each in fields(fact) if each.name != "call")
    return {name: getattr(fact, name) for name in names}


_NAMES: dict[str, tuple[str, ...]] = {}  # of the facts of each kind, looked up once


@cache
def _rules() -> TypeAdapter[QueueRule]:
    return TypeAdapter(QueueRule)
