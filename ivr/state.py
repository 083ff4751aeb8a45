"""Where a call stands in its flow, apart from its telephone line: small, and can be stored and resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


@dataclass(slots=True)
class State:
    """`visit` counts the steps entered; `failures` the silences and wrong keys in a row, by step.

    `spent` are the seconds that count towards the flow's `longest`, up to when the step was entered.
    `sensitive` names variables that are kept in memory only.
    """

    step: str
    language: str
    variables: dict[str, object] = field(default_factory=dict)
    visit: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    spent: float = 0.0
    sensitive: set[str] = field(default_factory=set)

    def stored(self) -> dict[str, Any]:
        """As JSON can hold it. What a sensitive step collected is left out."""
        return {
            "step": self.step,
            "language": self.language,
            "variables": {name: encoded(self.variables[name]) for name in self.variables if name not in self.sensitive},
            "visit": self.visit,
            "failures": dict(self.failures),
            "spent": self.spent,
        }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> State:
        variables = {name: decoded(value) for name, value in stored["variables"].items()}
        return cls(**{**stored, "variables": variables, "failures": dict(stored["failures"])})


_TYPES: Mapping[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
}


def encoded(value: object) -> Any:
    """A variable's value as JSON can hold it, with its type where JSON has none."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {"map": {str(name): encoded(inner) for name, inner in value.items()}}
        case datetime() | date() | time():
            return {type(value).__name__: value.isoformat()}
        case Decimal():
            return {"decimal": str(value)}
    return str(value)


def decoded(value: Any) -> object:
    """What `encoded` was given."""
    if not isinstance(value, dict):
        return value
    (kind, inner), *_ = value.items()
    if kind == "map":
        return {name: decoded(one) for name, one in inner.items()}
    return _TYPES[kind](inner)
