"""Music as FreeSWITCH plays it to who waits: the piece's own file, from the place to which it has come by now.

Both of FreeSWITCH's own ways begin with a quarter of a second of silence, which who is taken over, or was told
something, would hear each time: `local_stream` is read before there is anything in its buffer
(`local_stream_file_read`), and `file_string` puts it before its first file (`next_file` in mod_dptools.c).

A WAV file is read from beginning to end each time it is opened, for its loudest sample (mod_sndfile sets
`SFC_SET_SCALE_FLOAT_INT_READ`): two milliseconds of processor for two and a half minutes. A file that is coded as the
leg's sound is, which mod_native_file plays, costs nothing to open, and nothing to code.
"""

from __future__ import annotations

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from switch.freeswitch import encoding
from switch.shared.clock import Millis

NO_MUSIC: Mapping[str, Path] = {}
STREAM = "local_stream://"
MODULE = "mod_native_file"
CODINGS = (".PCMA", ".PCMU")  # those of freeswitch-conf/sofia.conf.xml
RATE = 8000  # FreeSWITCH counts in the file's own samples
LEAST = 10  # seconds of a piece to begin with: who has just taken a call over may not wait for the end of its sound yet
PACKETS = 960  # samples, whole packets of 10, 20, 30, 40 or 60 ms: who begins at such a place ends with a whole one too


@dataclass(frozen=True, slots=True)
class _Piece:
    """A WAV file as a command names it, and how many samples it has. `coded` is the name that FreeSWITCH completes.

    It takes the file for the leg's own codec, or the WAV file where there is none: all that is after the last full stop
    would be the extension, so the path has none.
    """

    file: str
    samples: int
    coded: str

    @classmethod
    def of(cls, path: Path) -> _Piece | None:
        file = encoding.path(path.absolute())
        try:
            with wave.open(str(path), "rb") as sound:
                samples, rate = sound.getnframes(), sound.getframerate()
        except (OSError, EOFError, wave.Error):
            return None
        if not (file and samples and rate == RATE):
            return None
        bare = file.removesuffix(path.suffix)
        return cls(file, samples, bare if "." not in bare and has_codings(path, samples) else "")


def has_codings(wav: Path, samples: int) -> bool:
    """Whether all codings of that many samples, a byte each, lie beside a WAV file of some."""
    return samples > 0 and all(_size(wav.with_suffix(coding)) == samples for coding in CODINGS)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


class Music:
    """`pieces` are WAV files by their names. What is no such file of 8 kHz is played by the stream of its name.

    Where a piece's A-law and u-law lie beside it, and FreeSWITCH has the module for them (`native`), these are played.
    `sources` are what the pieces were made of: a controller before us may have played those.
    """

    def __init__(self, pieces: Mapping[str, Path], sources: Mapping[str, Path] = NO_MUSIC) -> None:
        self.native = False
        read = {name: _Piece.of(path) for name, path in pieces.items()}
        self._pieces = {name: piece for name, piece in read.items() if piece is not None}
        self._coded = frozenset(piece.coded for piece in self._pieces.values() if piece.coded)
        self._names = {
            file: name
            for name, path in (*sources.items(), *pieces.items())
            if (wav := encoding.path(path.absolute()))
            for file in (wav, wav.removesuffix(path.suffix))
        }

    def argument(self, name: str, now: Millis) -> str:
        """What `playback` is given: the piece from where everybody hears it now, or from its beginning near its end."""
        piece = self._pieces.get(name)
        if piece is None:
            return f"{STREAM}{name}"
        file, sample = piece.file, now * RATE // 1000 % piece.samples
        if self.native and piece.coded:
            file, sample = piece.coded, sample - sample % PACKETS
        return f"{file}@@{sample if piece.samples - sample >= LEAST * RATE else 0}"

    def is_coded(self, argument: str) -> bool:
        """Whether what `playback` is given goes out as it is: in another codec it would be noise."""
        return argument.partition("@@")[0] in self._coded

    def name(self, argument: str) -> str:
        """Which music that is, "" for none."""
        if argument.startswith(STREAM):
            return argument.removeprefix(STREAM)
        return self._names.get(argument.partition("@@")[0], "")
