"""Audio that is on disk and not in the tables yet: a slip beside each file says what it is, until it has been filed.

The slip is written before the first word is recorded and goes when the row is there. So whatever dies in
between, the appliance, the database or the machine, the audio is filed later.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

SLIP = ".slip"
MODE = 0o640  # of every file with a voice in it
DIRECTORY_MODE = 0o2770  # a switch with a user of its own records there as a member of our group
AUDIBLE = 0.003  # of full scale (-50 dBFS): the mean level of a tenth of a second with a voice in it
HEADER = 44  # bytes of a WAV file before its samples, as both switches write it
SHORTEST = 1.0  # seconds; what is shorter is a caller who changed its mind

NOTHING_CAME = 3600.0  # seconds after which a slip without a recording is thrown away

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """A recording with its slip, and the seconds since it was last written to."""

    path: Path
    facts: Facts
    age: float


def new_file(directory: Path) -> Path:
    """A name that nobody can guess, in a directory that exists then."""
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(DIRECTORY_MODE)
    return directory / f"{secrets.token_hex(16)}.wav"


def write_slip(audio: Path, facts: Facts) -> None:
    """Raises OSError."""
    place = _slip(audio)
    fresh = place.with_name(f".{place.name}.new")
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)


def remove_slip(audio: Path) -> None:
    _slip(audio).unlink(missing_ok=True)


def slip(audio: Path) -> Facts | None:
    """What the slip beside a recording says; None where there is none that can be read."""
    try:
        facts: Facts = json.loads(_slip(audio).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts


def slips(directory: Path) -> Iterator[tuple[Path, Facts]]:
    """Every file below a directory that has a slip, whether it came about or not, and what the slip says."""
    for found in sorted(directory.rglob(f"*{SLIP}")):
        audio = found.with_name(found.name.removesuffix(SLIP))
        facts = slip(audio)
        if facts is None:
            log.error("a slip beside a recording cannot be read", slip=str(found))
        else:
            yield audio, facts


def begin(directory: Path, facts: Facts) -> Path:
    """A new file's name, with its slip beside it. Raises OSError."""
    path = new_file(directory)
    write_slip(path, facts)
    return path


def throw_away(path: Path) -> None:
    """The slip goes last: it has a deletion that broke off done again. Raises nothing."""
    try:
        path.unlink(missing_ok=True)
        remove_slip(path)
    except OSError as error:
        log.error("a recording cannot be removed", path=str(path), error=error.strerror or str(error))


def left_behind(directory: Path, now: float) -> list[Left]:
    """The recordings below a directory that are not filed yet; slips of which nothing came go."""
    found = []
    for path, facts in slips(directory):
        since = age(path, now)
        if since is not None:
            found.append(Left(path, facts, since))
        elif (age(_slip(path), now) or 0.0) > NOTHING_CAME:
            remove_slip(path)
    return found


def age(path: Path, now: float) -> float | None:
    """Seconds since it was last written to; None where there is no such file."""
    try:
        return now - path.stat().st_mtime
    except OSError:
        return None


def secure(path: Path) -> None:
    """Makes a file ours and readable by us and our group alone, whoever recorded it. Raises OSError."""
    if path.stat().st_uid == os.geteuid():
        path.chmod(MODE)
        return
    ours = path.with_name(f".{path.name}.ours")
    with path.open("rb") as theirs, os.fdopen(os.open(ours, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, MODE), "wb") as file:
        shutil.copyfileobj(theirs, file)
    ours.replace(path)


def make_whole(path: Path) -> None:
    """Makes a file ours, with a header that says how much there is: a switch that died wrote none. Raises OSError."""
    secure(path)
    with path.open("r+b") as file:
        head = file.read(HEADER)
        size = file.seek(0, os.SEEK_END) - HEADER
        plain = (head[:4], head[8:16], head[36:40]) == (b"RIFF", b"WAVEfmt ", b"data")
        if plain and size > 0 and not 0 < int.from_bytes(head[40:44], "little") <= size:
            for place, value in ((4, HEADER - 8 + size), (40, size)):
                file.seek(place)
                file.write(value.to_bytes(4, "little"))


def wav_seconds(path: Path) -> float | None:
    """How long a recording is; None when there is no such file, or it holds nothing."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate() or None
    except (OSError, wave.Error, EOFError, ZeroDivisionError):
        return None


def audible_seconds(path: Path) -> float | None:
    """How long the recording is; None when there is no file, it is too short, or holds only silence."""
    import numpy as np  # noqa: PLC0415 - a start does without it, and this runs in a native thread

    try:
        with wave.open(str(path), "rb") as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768
    except (OSError, wave.Error, EOFError, ValueError):
        return None
    seconds = len(samples) / rate
    if seconds < SHORTEST:
        return None
    tenth = rate // 10
    levels = np.sqrt(np.mean(samples[: len(samples) // tenth * tenth].reshape(-1, tenth) ** 2, axis=1))
    return seconds if np.any(levels > AUDIBLE) else None


def secured_seconds(path: Path) -> float | None:
    """As `audible_seconds`; what is to be kept is ours afterwards. Raises OSError."""
    if not path.exists():
        return None
    make_whole(path)
    return audible_seconds(path)


def _slip(audio: Path) -> Path:
    return audio.with_name(audio.name + SLIP)
