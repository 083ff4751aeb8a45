"""Synthesisers, one file each. A new vendor is a new file that has `voices` and `open` (speech.port.Vendor)."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from speech.port import CannotSpeak, Vendor


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def most_workers(name: str) -> int:
    """How many processes a vendor bears at the same time."""
    return getattr(find(name), "MOST_WORKERS", 16) if name in names() else 1


def find(name: str) -> Vendor:
    """The vendor of that name. Raises CannotSpeak, naming those that there are."""
    if name not in names():
        raise CannotSpeak(f"no speech vendor '{name}'; known are {', '.join(names())}")
    return cast(Vendor, importlib.import_module(f"{__name__}.{name}"))
