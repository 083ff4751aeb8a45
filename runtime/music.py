"""The pieces of music that callers may hear while they wait."""

from __future__ import annotations

from pathlib import Path

SORRY = "fallback-sorry"
_NOT_MUSIC = frozenset({SORRY, "beep"})


def pieces(sounds: Path) -> dict[str, Path]:
    """Every piece of music by its name, in the order of the names; none where nothing was made yet."""
    return {file.stem: file for file in sorted(sounds.glob("*.wav")) if file.stem not in _NOT_MUSIC}
