"""Spoken texts on disk, each under the hash of all that shaped it. Every method blocks; none waits long.

A file appears whole or not at all (written aside, then renamed), readable by the switch's own user. The
cache has a bound: what was not used for longest goes first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from speech import riff

RECENT = 3600.0  # seconds in which a file that was handed out is certainly still to be played
_TOUCH_AFTER = 600.0


def key(*facts: str) -> str:
    """The name under which audio stands that these facts, and the way it is made ready, produce."""
    return hashlib.sha256("\0".join(("made ready: 1", *facts)).encode("utf-8", "surrogatepass")).hexdigest()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Cache:
    """The folder ``<data-dir>/speech``: ``xx/<sha256>.wav``."""

    def __init__(self, folder: Path, *, most: int = 512 * 1024 * 1024) -> None:
        self._folder = folder
        self._most = most
        self._size: int | None = None
        self._trimming = threading.Lock()

    def find(self, name: str) -> Path | None:
        """The file of that key; a damaged one is removed and not found."""
        file = self._file(name)
        try:
            with file.open("rb") as opened:
                stat = os.fstat(opened.fileno())
                header = opened.read(riff.HEADER)
        except OSError:
            return None
        if len(header) < riff.HEADER or struct.unpack_from("<I", header, 40)[0] != stat.st_size - riff.HEADER:
            with contextlib.suppress(OSError):
                file.unlink()
            return None
        return file if self._used(file, stat.st_mtime) else None

    def used(self, file: Path) -> bool:
        """Whether a file of this cache that was handed out before is still there; it is in use from now on again."""
        try:
            return self._used(file, file.stat().st_mtime)
        except OSError:
            return False

    def _used(self, file: Path, last: float) -> bool:
        if last < time.time() - _TOUCH_AFTER:
            try:
                os.utime(file)
            except FileNotFoundError:
                return False  # trimmed at this moment
            except OSError:
                pass  # another user's, who keeps it in use
        return True

    def keep(self, name: str, pcm: bytes) -> Path:
        """Stores telephone audio and returns its file. Raises OSError (disk full, no right to write)."""
        file = self._file(name)
        for folder in (self._folder, file.parent):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)  # whatever our umask: the switch runs as a user of its own
        content = riff.written(pcm)
        riff.put(file, content)
        self._grow(len(content))
        return file

    def _file(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}.wav"

    def _grow(self, size: int) -> None:
        with self._trimming:
            if self._size is None:
                self._size = sum(length for _, length, _ in self._files())
            else:
                self._size += size
            if self._size > self._most:
                self._trim()

    def _trim(self) -> None:
        """Down to four fifths of the bound, oldest use first, sparing what may be playing now."""
        left = 0
        limit = time.time() - RECENT
        for used, length, file in sorted(self._files(), reverse=True):
            if used < limit and left + length > self._most * 4 // 5:
                left += 0 if self._dropped(file, limit) else length
            else:
                left += length
        self._size = left

    def _dropped(self, file: Path, limit: float) -> bool:
        """Removes a file unless somebody takes it into use at this moment: whoever comes later does not find it."""
        going = file.with_name(f".{file.name}.going")
        with contextlib.suppress(OSError):
            file.rename(going)
            if going.stat().st_mtime < limit:
                going.unlink()
                return True
            going.rename(file)
        return False

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Last use, length and path of every file, those of an interrupted write included."""
        for file in self._folder.glob("??/*"):
            with contextlib.suppress(OSError):
                stat = file.stat()
                yield stat.st_mtime, stat.st_size, file
