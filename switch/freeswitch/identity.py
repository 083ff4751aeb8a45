"""What the commands of this life are known by."""

from __future__ import annotations

import itertools
import secrets

_LIFE = secrets.token_hex(4)  # a leg may still finish what an earlier controller began
_COUNT = itertools.count()


def new() -> str:
    """Like no other of any life, and short: FreeSWITCH reads it a byte at a time."""
    return f"{_LIFE}-{next(_COUNT):x}"
