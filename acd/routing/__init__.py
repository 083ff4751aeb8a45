"""How the next agent is chosen: one file per strategy, found by import."""

from __future__ import annotations

import difflib
import pkgutil
from functools import cache
from importlib import import_module
from types import MappingProxyType

from acd.routing.strategy import Setting, Strategy

__all__ = ["Setting", "Strategy", "UnknownStrategy", "strategies", "strategy_named"]


class UnknownStrategy(ValueError):
    """No file of this folder has a strategy of that name; the text suggests the nearest."""


@cache
def strategies() -> MappingProxyType[str, type[Strategy]]:
    """Every strategy by its name."""
    found: dict[str, type[Strategy]] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for thing in vars(import_module(module.name)).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Strategy)
                and thing.__module__ == module.name
                and thing.name
            ):
                found[thing.name] = thing
    return MappingProxyType(dict(sorted(found.items())))


def strategy_named(name: str) -> type[Strategy]:
    """Raises UnknownStrategy: a name is never replaced in silence."""
    known = strategies()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}."
    raise UnknownStrategy(f"no strategy '{name}'. {hint}")
