"""Music as FreeSWITCH plays it to who waits: the piece's own file, from the place to which it has come by now.

Both of FreeSWITCH's own ways begin with a quarter of a second of silence, which who is taken over, or was told
something, would hear each time: `local_stream` is read before there is anything in its buffer
(`local_stream_file_read`), and `file_string` puts it before its first file (`next_file` in mod_dptools.c).
"""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from switch.freeswitch import encoding
from switch.shared.clock import Millis

STREAM = "local_stream://"
RATE = 8000  # FreeSWITCH counts in the file's own samples
LEAST = 10  # seconds of a piece to begin with: who has just taken a call over may not wait for the end of its sound yet


@dataclass(frozen=True, slots=True)
class _Piece:
    """A WAV file as a command names it, and how many samples it has."""

    file: str
    samples: int

    @classmethod
    def of(cls, path: Path) -> _Piece | None:
        file = encoding.path(path.absolute())
        try:
            with wave.open(str(path), "rb") as sound:
                samples, rate = sound.getnframes(), sound.getframerate()
        except (OSError, EOFError, wave.Error):
            return None
        return cls(file, samples) if file and samples and rate == RATE else None


class Music:
    """`pieces` are WAV files by their names. What is no such file of 8 kHz is played by the stream of its name."""

    def __init__(self, pieces: Mapping[str, Path]) -> None:
        read = {name: _Piece.of(path) for name, path in pieces.items()}
        self._pieces = {name: piece for name, piece in read.items() if piece is not None}
        self._names = {piece.file: name for name, piece in self._pieces.items()}

    def argument(self, name: str, now: Millis) -> str:
        """What `playback` is given: the piece from where everybody hears it now, or from its beginning near its end."""
        piece = self._pieces.get(name)
        if piece is None:
            return f"{STREAM}{name}"
        sample = now * RATE // 1000 % piece.samples
        return f"{piece.file}@@{sample if piece.samples - sample >= LEAST * RATE else 0}"

    def name(self, argument: str) -> str:
        """Which music that is, "" for none."""
        if argument.startswith(STREAM):
            return argument.removeprefix(STREAM)
        return self._names.get(argument.partition("@@")[0], "")
