"""Measuring what was heard: tones, loudness, silence, and whether it was a given recording.

Audio is 16-bit mono at 8 kHz; times are seconds from its beginning, levels dB below full scale.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.live.rtp import RATE, Samples

QUIET = -50.0  # dB; G.711's idle noise is at -72, our softest music above -40
FRAME = RATE // 50  # 20 ms

# Two passages are the same recording when they correlate at least so much. Measured with espeak's voices: a recording
# correlates with itself above 0.99 through A-law, mu-law and gains, above 0.92 when pauses or lost packets stand
# between its parts; other texts of the same voice stay below 0.65. The same sentence with one other word reaches 0.8
# to 0.94: such are told apart by which of them correlates better.
SAME = 0.85
EDGE = 80  # samples of silence around what was heard: half a millisecond that is cut off there moves nothing else


@dataclass(frozen=True, slots=True)
class Span:
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Tone:
    frequency: float
    start: float
    end: float
    level: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Match:
    score: float  # -1 to 1
    at: float  # where the recording begins in what was heard


def read_wav(path: Path) -> Samples:
    """Raises ValueError when it is not 16-bit mono at 8 kHz."""
    with wave.open(str(path), "rb") as wav:
        shape = (wav.getnchannels(), wav.getsampwidth(), wav.getframerate())
        if shape != (1, 2, RATE):
            raise ValueError(f"{path} is not 8 kHz mono 16-bit but {shape}")
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")


def write_wav(path: Path, audio: Samples) -> None:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(audio.astype("<i2").tobytes())


def loudness(audio: Samples) -> float:
    """The level of the whole passage; a full-scale square wave is at 0."""
    return float(_decibel(np.mean(np.square(audio.astype(np.float64))))) if len(audio) else -120.0


def sounds(audio: Samples, *, bridge: float = 0.3) -> list[Span]:
    """The passages that are louder than QUIET; pauses shorter than `bridge` seconds do not part them."""
    spans: list[Span] = []
    for start, end in _runs(_levels(audio) > QUIET):
        if spans and start - spans[-1].end < bridge:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    return spans


def silences(audio: Samples, *, longer: float = 0.0, outside: Iterable[Span] = ()) -> list[Span]:
    """The passages that are quieter than QUIET, and longer than asked; what lies in `outside` counts as sound."""
    quiet = _levels(audio) <= QUIET
    for span in outside:
        quiet[round(span.start * RATE / FRAME) : round(span.end * RATE / FRAME)] = False
    return [Span(start, end) for start, end in _runs(quiet) if end - start > longer]


def longest_silence(audio: Samples, *, outside: Iterable[Span] = ()) -> float:
    """Seconds."""
    return max((span.seconds for span in silences(audio, outside=outside)), default=0.0)


def tones(audio: Samples, *frequencies: float, shortest: float = 0.2) -> list[Tone]:
    """Where a pure tone of one of these frequencies sounded, in order of time.

    A window of 100 ms counts when it is louder than QUIET and the frequency carries nine tenths of its
    energy: neither speech nor music does that for long.
    """
    window = RATE // 10
    hop = window // 2
    found: list[Tone] = []
    for frequency in frequencies:
        pure = _pure(audio, frequency, window, hop)
        for start, end in _runs(pure, hop):
            stop = end + (window - hop) / RATE
            if stop - start >= shortest:
                level = loudness(audio[round(start * RATE) : round(stop * RATE)])
                found.append(Tone(frequency, start, stop, level))
    return sorted(found, key=lambda tone: tone.start)


def tone_seconds(audio: Samples, frequency: float) -> float:
    """How long a tone sounded in all."""
    return sum(tone.seconds for tone in tones(audio, frequency))


def among_others(audio: Samples, frequency: float, share: float = 0.2) -> float:
    """How many seconds a tone carried at least that share of what sounded: one voice of two at the same time."""
    window = RATE // 10
    return float(np.sum(_pure(audio, frequency, window, window, share))) * window / RATE


def match(reference: Samples, audio: Samples) -> Match:
    """The place where the audio correlates best with the reference as a whole."""
    if not len(reference) or len(audio) < len(reference):
        return Match(0.0, 0.0)
    score = _correlation(reference.astype(np.float64), audio.astype(np.float64))
    best = int(np.argmax(score))
    return Match(float(score[best]), best / RATE)


def same(reference: Samples, audio: Samples, *, slack: float = 0.4) -> Match:
    """How much of the reference was heard, piece after piece, with pauses of its own between the pieces.

    A switch plays the parts of a sentence one after the other, a few milliseconds apart; the whole then no longer
    correlates though every part does. So pieces of half a second are looked for, each at most `slack` seconds
    from where the piece before puts it. The score is their mean.
    """
    lead, reference = _trimmed(reference)
    audio = np.pad(audio.astype(np.float64), EDGE)
    size, reach = RATE // 2, round(slack * RATE)
    pieces = [reference[at : at + size] for at in range(0, len(reference) - size // 2, size)]
    if not pieces or len(audio) < size + 2 * EDGE:
        return Match(0.0, 0.0)
    whole = round(match(reference, np.pad(audio, (0, len(reference)))).at * RATE)
    best = max(range(len(pieces)), key=lambda index: _near(pieces[index], audio, whole + index * size, reach)[0])
    _, anchor = _near(pieces[best], audio, whole + best * size, reach)
    found = _follow(pieces[:best][::-1], audio, anchor, -1, reach)[::-1] + _follow(
        pieces[best:], audio, anchor, 1, reach
    )
    return Match(float(np.mean([score for score, _ in found])), (found[0][1] - EDGE) / RATE - lead)


def _follow(pieces: list[Samples], audio: Samples, at: int, way: int, reach: int) -> list[tuple[float, int]]:
    """Score and place of each piece, looked for where the one before puts it; backwards with `way` -1."""
    found = []
    size = RATE // 2
    at -= size if way < 0 else 0
    for piece in pieces:
        score, where = _near(piece, audio, at, reach)
        if score < SAME and len(piece) == size:  # a packet lost or a pause in the middle of it: its halves may be whole
            halves = [
                _near(half, audio, at + part * size // 2, reach)[0] for part, half in enumerate(np.split(piece, 2))
            ]
            score = max(score, sum(halves) / 2)
        at = where if score >= 0.7 else at
        found.append((score, at))
        at += way * size
    return found


def _near(piece: Samples, audio: Samples, at: int, reach: int) -> tuple[float, int]:
    """The best correlation of one piece within `reach` samples of a place, and where."""
    start = max(0, at - reach)
    part = audio[start : max(0, at + len(piece) + reach)]
    if len(part) < len(piece):
        part = np.pad(part, (0, len(piece) - len(part)))
    if loudness(piece) <= QUIET:  # a pause is a pause
        return (1.0 if loudness(part[: len(piece)]) <= QUIET + 10 else 0.0), at
    score = _correlation(piece, part)
    best = int(np.argmax(score))
    return float(score[best]), start + best


def _correlation(reference: Samples, audio: Samples) -> Samples:
    """Normalised cross-correlation at every place where the reference fits in whole."""
    size = 1 << (len(audio) + len(reference) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(audio, size) * np.conj(np.fft.rfft(reference, size)), size)
    product = product[: len(audio) - len(reference) + 1]
    sums = np.concatenate([[0.0], np.cumsum(np.square(audio))])
    energy = sums[len(reference) :] - sums[: len(sums) - len(reference)]
    floor = len(reference) * 10.0**2  # what is quieter than the codec's noise resembles nothing
    norm = np.sqrt(np.maximum(energy, floor) * max(float(np.sum(np.square(reference))), floor))
    return product / norm


def _trimmed(audio: Samples) -> tuple[float, Samples]:
    """The audio without the silence at both ends, and how many seconds were cut off in front."""
    heard = np.nonzero(_levels(audio) > QUIET)[0]
    if not len(heard):
        return 0.0, np.zeros(0)
    return float(heard[0] * FRAME / RATE), audio[heard[0] * FRAME : (heard[-1] + 1) * FRAME].astype(np.float64)


def _pure(audio: Samples, frequency: float, window: int, hop: int, share: float = 0.9) -> Samples:
    """For each window whether that tone has such a share of it; by default, it and little else."""
    count = max(0, (len(audio) - window) // hop + 1)
    shape = np.hanning(window)
    wave_ = np.exp(-2j * np.pi * frequency * np.arange(window) / RATE) * shape
    pure = np.zeros(count, bool)
    for index in range(count):
        part = audio[index * hop : index * hop + window].astype(np.float64)
        if loudness(part) <= QUIET:
            continue
        # For a pure tone of amplitude a: |sum| = a/2 * sum(shape), and the energy of the part is a^2/2 a sample.
        power = 2 * (abs(np.dot(part, wave_)) / np.sum(shape)) ** 2
        pure[index] = power >= share * np.mean(np.square(part))
    return pure


def _levels(audio: Samples) -> Samples:
    frames = audio[: len(audio) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    return _decibel(np.mean(np.square(frames), axis=1))


def _decibel(power: Samples | float) -> Samples:
    return 10 * np.log10(np.maximum(power, 1e-3) / 32768.0**2)


def _runs(flags: Samples, step: int = FRAME) -> list[tuple[float, float]]:
    """The runs of true frames, as seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(float(start) * step / RATE, float(end) * step / RATE) for start, end in edges.reshape(-1, 2)]
