"""The verbs of the flow language, one file each, found by looking into this folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache

from ivr.step import Step


@cache
def verbs() -> Mapping[str, type[Step]]:
    """Every verb by its name. A new verb is a new file here, and nothing else."""
    found: dict[str, type[Step]] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for _, one in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(one, Step) and one.__module__ == loaded.__name__:
                found[one.verb] = one
    return found
