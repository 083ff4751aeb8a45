"""What a far end heard, as samples: the audio of a simulated call."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from switch.shared.clock import Millis
from switch.simulated.exchange import Heard
from switch.simulated.switch import RATE, write_wav

Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


def write_heard(to: Path, heard: Sequence[Heard], start: Millis, end: Millis) -> None:
    """Writes all that was heard between two moments; music goes round, voices of people are silent."""
    mix = np.zeros(_index(end - start))
    for each in heard:
        until = end if each.until is None else each.until
        first, last = _index(each.at - start), min(len(mix), _index(until - start))
        if each.path is None or last <= first:
            continue
        samples = _read(each.path)
        if each.kind == "music" and len(samples):
            samples = np.resize(samples, last - first)
        length = min(last - first, len(samples))
        mix[first : first + length] = samples[:length]
    write_wav(to, mix)


def _index(millis: Millis) -> int:
    return millis * RATE // 1000


def _read(path: Path) -> Samples:
    try:
        with wave.open(str(path), "rb") as file:
            frames = file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError):
        return np.zeros(0)
    return np.frombuffer(frames, dtype="<i2").astype(np.float64) / 32768
