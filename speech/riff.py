"""WAV files, read and written, without a look at their samples.

PCM here means bytes, 16 bit, little-endian.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speech.port import RATE, CannotHear

LONGEST = 600.0  # seconds of one recording
HEADER = 44  # bytes of a plain file before its samples, as `written` makes it

PCM, FLOAT, ALAW, ULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
READABLE = frozenset({*((PCM, bits) for bits in (8, 16, 24, 32)), (FLOAT, 32), (FLOAT, 64), (ULAW, 8), (ALAW, 8)})
_numbers = itertools.count()  # of files under way in this process


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV file's audio before anything was done to it."""

    encoding: int
    channels: int
    rate: int
    bits: int
    data: bytes
    plain: bool  # the shortest header and nothing after the samples: every switch reads it

    @property
    def for_telephones(self) -> bool:
        return self.plain and (self.encoding, self.channels, self.rate, self.bits) == (PCM, 1, RATE, 16)

    @property
    def seconds(self) -> float:
        return len(self.data) / (self.rate * self.channels * self.bits // 8)


def read(content: bytes) -> Wav:
    """The audio in a WAV file's bytes: PCM of 8 to 32 bits, float, A-law or u-law. Raises CannotHear."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise CannotHear("it is no WAV file")
    form: tuple[int, int, int, int, int, int] | None = None
    for start, name, body in _chunks(content):
        if name == b"fmt ":
            if len(body) < 16:
                raise CannotHear("its format is cut short")
            form = struct.unpack_from("<HHIIHH", body)
            if form[0] == EXTENSIBLE and len(body) >= 26:
                form = (struct.unpack_from("<H", body, 24)[0], *form[1:])
        elif name == b"data":
            if form is None:
                raise CannotHear("its samples come before their format")
            return _checked(form, body, plain=start == HEADER and len(content) == HEADER + len(body))
    raise CannotHear("it has no samples")


def _chunks(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Where each chunk's body begins, its name, its body; one that claims more than there is ends with the file."""
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        yield at + 8, name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _checked(form: tuple[int, int, int, int, int, int], data: bytes, *, plain: bool) -> Wav:
    encoding, channels, rate, _, _, bits = form
    if (encoding, bits) not in READABLE:
        raise CannotHear(f"its encoding ({encoding}, {bits} bits) is unknown")
    if not (1 <= channels <= 8 and 4000 <= rate <= 192_000):
        raise CannotHear(f"it has {channels} channels at {rate} Hz")
    whole = len(data) - len(data) % (channels * bits // 8)
    wav = Wav(encoding, channels, rate, bits, data[:whole], plain and whole == len(data))
    if not whole:
        raise CannotHear("it has no samples")
    if wav.seconds > LONGEST:
        raise CannotHear(f"it is {wav.seconds:.0f} seconds long; {LONGEST:.0f} is the most")
    return wav


def written(pcm: bytes) -> bytes:
    """A WAV file of 8 kHz, mono, 16-bit PCM, with the shortest header that there is."""
    size = len(pcm)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, 1, RATE, RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size) + pcm


def put(file: Path, content: bytes) -> None:
    """Makes a file that the switch's own user may read appear, whole or not at all. Raises OSError.

    Several threads and processes may put the same one at once.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}.{next(_numbers)}")
    try:
        aside.write_bytes(content)
        aside.chmod(0o644)
        aside.replace(file)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
