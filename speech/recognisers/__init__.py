"""Recognisers, one file each. A new one is a new file that has `check` and `open` (speech.port.RecogniserVendor)."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from speech.port import CannotRecognise, RecogniserVendor


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> RecogniserVendor:
    """The recogniser of that name. Raises CannotRecognise, naming those that there are."""
    if name not in names():
        raise CannotRecognise(f"no recogniser '{name}'; known are {', '.join(names())}")
    return cast(RecogniserVendor, importlib.import_module(f"{__name__}.{name}"))
