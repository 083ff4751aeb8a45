"""Makes the appliance's own sounds: hold music, the voicemail's beep, and what the switch says while we are away.

    python -m provision.music --out var/sounds

The music is computed, so that no licence is needed and nobody's recording lies in the repository: plucked arpeggios and
a quiet melody over soft chords, two and a half minutes at 75 beats a minute. Notes, echo and filters are
all laid on a circle: what sounds on past the end is heard at the beginning, so the loop has no seam.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from speech import audio, riff
from speech.audio import Samples
from speech.port import RATE
from switch.port import Media, Sound

BEAT = RATE * 60 // 75  # samples
BAR = 4 * BEAT
LEVEL = -20.0  # dBFS, RMS of the whole piece
BEEP = 1400.0  # Hz
FALLBACK_IN = ("cmn", "yue", "en")  # one after the other: nobody knows yet which the caller speaks

# Bass note and the notes above it, as MIDI numbers (60 is middle C).
_C = (48, (64, 67, 71, 74))
_AM = (45, (60, 64, 67, 71))
_F = (41, (60, 64, 67, 69))
_G = (43, (59, 62, 64, 67))
_EM = (52, (59, 62, 67, 71))
_DM = (50, (60, 65, 69, 72))
_GSUS = (43, (60, 62, 67, 69))
_HOME = (_C, _AM, _F, _G, _EM, _AM, _DM, _GSUS)
_AWAY = (_F, _EM, _DM, _C, _F, _EM, _DM, _GSUS)

# Per bar: the melody's notes and their beats.
_SONG_HOME = (
    ((76, 2), (79, 2)),
    ((81, 3), (79, 1)),
    ((76, 2), (72, 2)),
    ((74, 4),),
    ((79, 2), (71, 2)),
    ((72, 3), (74, 1)),
    ((77, 2), (76, 2)),
    ((74, 4),),
)
_SONG_AWAY = (
    ((81, 2), (79, 2)),
    ((79, 3), (76, 1)),
    ((77, 2), (76, 1), (74, 1)),
    ((76, 4),),
    ((81, 2), (84, 2)),
    ((83, 3), (79, 1)),
    ((81, 2), (77, 1), (76, 1)),
    ((74, 4),),
)
_SILENT: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 8
_FORM = (
    (_HOME, _SILENT),
    (_HOME, _SONG_HOME),
    (_AWAY, _SONG_AWAY),
    (_HOME, _SILENT),
    (_AWAY, _SONG_AWAY),
    (_HOME, _SONG_HOME),
)
_RISING = (0, 1, 2, 3, 2, 1, 2, 1)
_ROCKING = (0, 2, 1, 3, 1, 2, 3, 2)
_ACCENTS = (1.0, 0.55, 0.75, 0.5, 0.85, 0.55, 0.7, 0.5)


def calm() -> Samples:
    """The hold music, one turn of its loop; always the same."""
    piece = np.zeros(BAR * 8 * len(_FORM))
    for start, note, loudness in _notes():
        _add(piece, start, note, loudness)
    piece = _filtered(piece + 0.35 * _echo(piece))
    loudness = float(np.sqrt((piece**2).mean()))
    return piece * (10 ** (LEVEL / 20) / loudness)


def _notes() -> Iterator[tuple[int, Samples, float]]:
    """When each note begins, how it sounds, and how loud it is."""
    at = 0
    for turn, (chords, song) in enumerate(_FORM):
        for number, ((bass, chord), melody) in enumerate(zip(chords, song, strict=True)):
            yield at, _bass(bass), 0.5
            yield at + 2 * BEAT, _bass(bass), 0.35
            for note in chord:
                yield at - BEAT // 2, _pad(note), 0.16
            figure = _ROCKING if (turn + number // 4) % 2 else _RISING
            for eighth, (which, accent) in enumerate(zip(figure, _ACCENTS, strict=True)):
                yield at + eighth * BEAT // 2, _pluck(chord[which]), 0.4 * accent
            beat = 0
            for note, beats in melody:
                yield at + beat * BEAT, _flute(note, beats), 0.3
                beat += beats
            at += BAR


def _add(piece: Samples, start: int, note: Samples, loudness: float) -> None:
    """Adds a note; what passes the end goes on at the beginning."""
    places = np.arange(start, start + note.size) % piece.size
    piece[places] += loudness * note


def _hertz(note: int) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def _partials(frequency: float, seconds: float, strengths: Sequence[float], decay: float) -> Samples:
    """Harmonics below 3.3 kHz, the higher ones dying away faster (`decay` per second and harmonic)."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = np.zeros(t.size)
    for harmonic, strength in enumerate(strengths, 1):
        if frequency * harmonic < 3300:
            tone += strength * np.exp(-decay * harmonic * t) * np.sin(2 * np.pi * frequency * harmonic * t)
    return tone


def _shaped(tone: Samples, rise: float, fall: float) -> Samples:
    """With a soft beginning and end, in seconds."""
    up, down = round(rise * RATE), round(fall * RATE)
    shape = np.ones(tone.size)
    shape[:up] = np.sin(np.linspace(0, np.pi / 2, up)) ** 2
    shape[-down:] *= np.cos(np.linspace(0, np.pi / 2, down)) ** 2
    return tone * shape


@cache
def _pad(note: int) -> Samples:
    seconds = 5 * BEAT / RATE
    voices = (_partials(_hertz(note) * detune, seconds, (1, 0.35, 0.12), 0.0) for detune in (0.9985, 1.0, 1.0015))
    return _shaped(sum(voices, np.zeros(round(seconds * RATE))) / 3, 1.0, 1.2)


@cache
def _pluck(note: int) -> Samples:
    return _shaped(_partials(_hertz(note), 2.0, (1, 0.5, 0.3, 0.15), 1.4), 0.006, 0.5)


@cache
def _bass(note: int) -> Samples:
    return _shaped(_partials(_hertz(note), 2.2, (1, 0.7, 0.4, 0.2), 0.5), 0.02, 0.8)


@cache
def _flute(note: int, beats: int) -> Samples:
    seconds = beats * BEAT / RATE + 0.4
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * _hertz(note) * t + 0.25 * np.sin(2 * np.pi * 4.5 * t) * np.minimum(t, 1)  # vibrato, late
    return _shaped(np.sin(phase) + 0.18 * np.sin(2 * phase) + 0.05 * np.sin(3 * phase), 0.09, 0.5)


def _echo(piece: Samples) -> Samples:
    """The piece in a mild hall of a second and a half, around the circle."""
    t = np.arange(round(1.5 * RATE)) / RATE
    raw = np.random.PCG64(75).random_raw(t.size)  # the raw bits stay the same in every release of numpy
    hall = np.zeros(piece.size)
    hall[: t.size] = (raw / 2.0**63 - 1) * np.exp(-4.5 * t) * np.minimum(t / 0.02, 1)
    hall /= np.sqrt((hall**2).sum())
    return np.fft.irfft(np.fft.rfft(piece) * np.fft.rfft(hall), piece.size)


def _filtered(piece: Samples) -> Samples:
    """What a telephone carries: nothing below 100 Hz, little below 200, nothing above 3.4 kHz."""
    frequency = np.fft.rfftfreq(piece.size, 1 / RATE)
    low = np.clip((frequency - 100) / 100, 0, 1)
    high = np.clip((3400 - frequency) / 600, 0, 1)
    gain = np.sin(low * np.pi / 2) ** 2 * np.sin(high * np.pi / 2) ** 2
    return np.fft.irfft(np.fft.rfft(piece) * gain, piece.size)


def beep() -> Samples:
    """The tone after which callers speak: a third of a second, clear and not sharp."""
    t = np.arange(round(0.35 * RATE)) / RATE
    return _shaped(0.2 * np.sin(2 * np.pi * BEEP * t), 0.01, 0.03)


def fallback(spoken: Sequence[Media]) -> Samples:
    """One announcement out of several sounds, with a pause before each. Raises OSError, CannotHear."""
    pause = np.zeros(round(0.6 * RATE))
    files = [sound.path for sound in spoken if isinstance(sound, Sound)]
    parts = [audio.samples(riff.read(file.read_bytes())) for file in files]
    return np.concatenate([piece for part in parts for piece in (pause, part)])


def keep(folder: Path, name: str, heard: Samples) -> Path:
    """Writes a sound that every switch reads, as a whole; leaves a file alone that is the same already."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    file = folder / name
    content = riff.written(audio.to_pcm(heard))
    if not (file.exists() and file.read_bytes() == content):
        riff.put(file, content)
    return file


def make(folder: Path) -> list[Path]:
    """The sounds that need no synthesiser. Raises OSError."""
    return [keep(folder, "calm.wav", calm()), keep(folder, "beep.wav", beep())]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m provision.music", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to put calm.wav and beep.wav")
    for file in make(parser.parse_args(arguments).out):
        sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
