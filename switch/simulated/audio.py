"""The audio of a simulated call, as samples: what a far end heard, and what a recording of the leg holds."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from switch.shared.clock import Millis
from switch.simulated.exchange import Heard, Line, Spoken

RATE = 8000
LEVEL = 0.5  # of full scale: how loud people speak

Samples = np.ndarray[tuple[int], np.dtype[np.float32]]


def heard_between(heard: Sequence[Heard], start: Millis, end: Millis) -> Samples:
    """All that was heard between two moments; music goes round, voices of people are silent."""
    mix = _silence(start, end)
    for each in heard:
        until = end if each.until is None else each.until
        first, last = _index(each.at - start), min(len(mix), _index(until - start))
        if each.path is None or last <= first:
            continue
        samples = _read(each.path)
        if each.kind == "music" and len(samples):
            samples = np.resize(samples, last - first)
        begin = max(0, first)
        piece = samples[begin - first : last - first]
        mix[begin : begin + len(piece)] = piece
    return mix


def spoken_between(spoken: Iterable[Spoken], start: Millis, end: Millis) -> Samples:
    """What one person said between two moments."""
    mix = _silence(start, end)
    for begin, until, tone in spoken:
        first = max(0, _index(begin - start))
        last = min(len(mix), _index(until - start))
        if last > first:
            mix[first:last] = LEVEL * np.sin(2 * np.pi * tone * np.arange(last - first) / RATE)
    return mix


def both_directions(line: Line, start: Millis, end: Millis) -> Samples:
    """What was heard and said on a leg between two moments, mixed."""
    mix = heard_between(line.heard, start, end) + spoken_between(line.spoken, start, end)
    for talk in line.talks:
        first, last = max(start, talk.at), end if talk.until is None else talk.until
        piece = spoken_between(talk.spoken, first, last)
        begin = _index(first - start)
        mix[begin : begin + len(piece)] += piece
    return mix


def write_wav(path: Path, samples: np.ndarray[tuple[int], np.dtype[np.floating[Any]]]) -> None:
    """Writes samples between -1 and 1 as 8 kHz mono 16-bit WAV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out, wave.open(out, "wb") as file:  # one that cannot be opened never becomes a Wave_write
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _silence(start: Millis, end: Millis) -> Samples:
    return np.zeros(max(0, _index(end - start)), dtype=np.float32)


def _index(millis: Millis) -> int:
    return millis * RATE // 1000


def _read(path: Path) -> Samples:
    try:
        with wave.open(str(path), "rb") as file:
            frames = file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError):
        return np.zeros(0, dtype=np.float32)
    return np.frombuffer(frames, dtype="<i2").astype(np.float32) / np.float32(32768)
