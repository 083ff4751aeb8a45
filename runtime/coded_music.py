"""Music as it is kept for FreeSWITCH: at 8 kHz as WAV, and beside it as A-law and u-law (docs/decisions/0028)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import structlog

from speech import riff
from speech.port import RATE, CannotHear
from switch.freeswitch.music import CODINGS, PACKETS, has_codings

LARGEST = 32_000_000  # bytes of a file that is read whole, which takes ten times as much: three minutes as on a CD

log = structlog.get_logger(__name__)


def coded(found: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The same pieces as WAV files in `folder`, each with its codings beside it (`switch.freeswitch.music.CODINGS`).

    What is there of the same file is left as it is. A piece of which no such can be made stays where it was.
    """
    return {name: _coded(name, file, folder) for name, file in found.items()}


def _coded(name: str, file: Path, folder: Path) -> Path:
    kept = folder / f"{name}.wav"
    try:
        found = file.stat()
        if not _is_of(found, kept):
            _code(file, kept, found.st_size)
            os.utime(kept, ns=(found.st_mtime_ns, found.st_mtime_ns))
    except (OSError, CannotHear) as error:
        log.warning("music is played as it is, which costs the switch more", music=name, reason=str(error))
        return file
    return kept


def _is_of(found: os.stat_result, kept: Path) -> bool:
    """Whether all three files are there, whole, and of a file as old as that one."""
    try:
        wav = kept.stat()
    except FileNotFoundError:
        return False
    return wav.st_mtime_ns == found.st_mtime_ns and has_codings(kept, (wav.st_size - riff.HEADER) // 2)


def _code(file: Path, kept: Path, size: int) -> None:
    """Writes the WAV file last: with it the others are there as well. Raises OSError, CannotHear."""
    if size > LARGEST:
        raise CannotHear(f"it has {size / 1e6:.0f} MB; {LARGEST / 1e6:.0f} MB is the most")
    wav = riff.read(file.read_bytes())
    from speech import audio  # noqa: PLC0415  # numpy; a start with no new music does without

    heard = audio.samples(wav)
    heard = heard[: heard.size - heard.size % PACKETS]
    if not heard.size:
        raise CannotHear(f"it is shorter than {PACKETS / RATE:g} s")
    kept.parent.mkdir(exist_ok=True)
    kept.parent.chmod(0o755)  # whatever the umask: the switch has a user of its own
    for coding, encoding in zip(CODINGS, (riff.ALAW, riff.ULAW), strict=True):
        riff.put(kept.with_suffix(coding), audio.coded(heard, encoding))
    riff.put(kept, riff.written(audio.to_pcm(heard)))
