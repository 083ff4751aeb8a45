"""What is played as one argument of FreeSWITCH's `playback`, and how long it should last."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from switch.freeswitch import encoding
from switch.port import Media, Silence, Sound

_BYTES_PER_SECOND = 16_000  # 8 kHz, mono, 16 bit
_WAV_HEADER = 44


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything up to the first medium that cannot be played, which `missing` names."""

    argument: str
    seconds: float
    missing: str = ""


def programme(media: Sequence[Media]) -> Programme:
    """Several media go as one `file_string`: one command, one event, and no gap between them.

    Files are looked at here because FreeSWITCH passes over a missing one inside a `file_string` in silence.
    """
    parts: list[str] = []
    seconds = 0.0
    missing = ""
    for medium in media:
        part, lasts = _part(medium)
        if part is None:
            missing = str(medium.path) if isinstance(medium, Sound) else "silence"
            break
        if part:
            parts.append(part)
            seconds += lasts
    return Programme("file_string://" + "!".join(parts) if len(parts) > 1 else "".join(parts), seconds, missing)


def wav_seconds(file: Path) -> float | None:
    """How long a WAV file is, or None when it is none."""
    try:
        with wave.open(str(file), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, EOFError, wave.Error):
        return None


def write_empty_wav(file: Path) -> None:
    """Somebody was listened to and said nothing at all."""
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))


def _part(medium: Media) -> tuple[str | None, float]:
    match medium:
        case Silence(seconds):
            wait = round(seconds * 1000)
            return (f"silence_stream://{wait}" if wait > 0 else ""), max(0.0, seconds)
        case Sound(path):
            file = encoding.path(path)
            try:
                size = path.stat().st_size
            except OSError:
                file = None
            return (file, max(0, size - _WAV_HEADER) / _BYTES_PER_SECOND) if file else (None, 0.0)
