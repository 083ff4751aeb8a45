"""How much work something is, counted in calls: the same on a fast machine and a slow one, busy or not."""

from __future__ import annotations

import sys
from collections.abc import Callable


def effort(work: Callable[[], object]) -> int:
    """How many calls of Python and C functions `work` makes in this thread."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
