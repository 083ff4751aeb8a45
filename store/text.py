"""Text from outside, made fit for any database."""

from __future__ import annotations

SHORT = 256
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str, limit: int = SHORT) -> str:
    """The text as every database takes it: at most `limit` characters, no NUL, no half surrogate pairs.

    Everything else is kept as it came, quotes, line ends and control characters included: who shows
    it escapes it.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    whole = cut.encode("utf-8", "replace").decode() if not cut.isascii() else cut
    return whole.replace("\0", REPLACEMENT)
