"""What a call asks of an agent: skills that are required or preferred, and their least levels.

Written as ``required``, ``preferred``, ``required 3`` for a queue's skill, and as ``claims``,
``claims 3`` or ``claims preferred 3`` by a call. Levels go from 1 to 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from acd.model import QueueRule


@dataclass(frozen=True, slots=True, order=True)
class Demand:
    """One skill that is asked for, at `level` or above."""

    skill: str
    level: int = 1
    required: bool = True

    def met_by(self, skills: Mapping[str, int]) -> bool:
        return skills.get(self.skill, 0) >= self.level


@dataclass(frozen=True, slots=True)
class Needs:
    """What one call asks for at its present relaxation: `required` decides who is able, `preferred` who is first."""

    required: tuple[Demand, ...] = ()
    preferred: tuple[Demand, ...] = ()

    def fit(self, skills: Mapping[str, int]) -> bool:
        return all(demand.met_by(skills) for demand in self.required)

    def preference(self, skills: Mapping[str, int]) -> int:
        """The levels of the preferred skills that are there, summed: the more the better."""
        return sum(skills[demand.skill] for demand in self.preferred if demand.met_by(skills))


@lru_cache(maxsize=4096)
def demand(skill: str, words: str) -> Demand:
    """Reads ``required``, ``preferred 2`` or ``3``. Raises ValueError with an example."""
    required, level = True, 1
    for word in words.split():
        if word in {"required", "preferred"}:
            required = word == "required"
        elif word.isascii() and word.isdigit() and 1 <= int(word) <= 5:
            level = int(word)
        else:
            raise ValueError(f"'{words}' is not a demand; write required, preferred, or with a least level: required 3")
    return Demand(skill, level, required)


@lru_cache(maxsize=4096)
def call_demand(text: str) -> Demand | None:
    """What one entry of a call's `skills` asks for; None when a template left it empty.

    What follows the name and is no demand belongs to the name: a call is never refused for its spelling.
    """
    name, _, words = text.strip().partition(" ")
    if not name:
        return None
    try:
        return demand(name, words)
    except ValueError:
        return Demand(text.strip())


def needs(rule: QueueRule, asked: Iterable[str], relaxed: frozenset[str]) -> Needs:
    """A queue's and a call's demands together, those in `relaxed` no longer required.

    A preferred skill that an overflow rule relaxes is waited for until then: that is what the rule is for.
    """
    found: dict[str, Demand] = {skill: demand(skill, words) for skill, words in rule.skills.items()}
    for text in asked:
        wish = call_demand(text)
        if wish is not None:
            found[wish.skill] = _stricter(found.get(wish.skill), wish)
    awaited = {step.relax for step in rule.overflow if step.relax}
    required: list[Demand] = []
    preferred: list[Demand] = []
    for wish in sorted(found.values()):
        firm = (wish.required or wish.skill in awaited) and wish.skill not in relaxed
        (required if firm else preferred).append(wish)
    return Needs(tuple(required), tuple(preferred))


def _stricter(one: Demand | None, other: Demand) -> Demand:
    if one is None:
        return other
    return Demand(one.skill, max(one.level, other.level), one.required or other.required)
