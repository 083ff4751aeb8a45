"""Recorded prompts: prompts/<language>/<id>.wav as studios deliver them, checked and made playable once."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import structlog

from speech import cache, riff
from speech.port import CannotHear

log = structlog.get_logger(__name__)

_ID = re.compile(r"[a-z0-9]+([-/][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it was when it was checked, and what is played for it."""

    modified: int
    size: int
    playable: Path | None
    converted: bool  # into the cache


class Recordings:
    """What is recorded. A file that is put there or replaced later counts from then on."""

    def __init__(self, folder: Path, stored: cache.Cache) -> None:
        self._folder = folder
        self._cache = stored
        self._seen: dict[Path, _Seen] = {}
        self._closed: set[Path] = set()

    def known(self, name: str, language: str) -> tuple[bool, Path | None]:
        """Whether an answer needs no reading, and the file to play. Costs one look at the directory."""
        file = self._file(name, language)
        stat = self._stat(file)
        if stat is None:
            return True, None
        seen = self._seen.get(file)
        if seen is None or (seen.modified, seen.size) != (stat.st_mtime_ns, stat.st_size):
            return False, None
        if seen.converted and seen.playable is not None and not self._cache.used(seen.playable):
            return False, None  # what was converted has left the cache
        return True, seen.playable

    def take(self, name: str, language: str) -> Path | None:
        """Reads a recording, converts it where a telephone cannot play it as it is, and remembers both.

        Blocks. None, logged once for each state of the file, when it cannot be used.
        """
        file = self._file(name, language)
        stat = self._stat(file)
        if stat is None:
            return None
        playable = None
        try:
            playable = self._playable(file)
        except (OSError, CannotHear) as error:
            log.warning("recording not usable, its text is spoken instead", file=str(file), why=str(error))
        self._seen[file] = _Seen(stat.st_mtime_ns, stat.st_size, playable, playable != file.resolve())
        return playable

    def _playable(self, file: Path) -> Path:
        content = file.read_bytes()
        wav = riff.read(content)
        if wav.for_telephones and file.stat().st_mode & 0o004:
            return file.resolve()
        name = cache.key("recording", cache.digest(content))
        return self._cache.find(name) or self._cache.keep(name, _converted(wav))

    def _file(self, name: str, language: str) -> Path:
        if not _ID.fullmatch(name) or not language.isalpha():
            return self._folder / "none"
        return self._folder / language / f"{name}.wav"

    def _stat(self, file: Path) -> os.stat_result | None:
        """None where there is no file; also, logged once, where nobody lets us look."""
        try:
            return file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if file not in self._closed:
                self._closed.add(file)
                log.warning("recording not usable, its text is spoken instead", file=str(file), why=str(error))
            return None


def _converted(wav: riff.Wav) -> bytes:
    from speech import audio  # noqa: PLC0415 - numpy: a start does without it, and this runs in a native thread

    return audio.to_pcm(audio.samples(wav))
