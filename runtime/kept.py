"""A few facts that must outlive the process and need no database: one small JSON file, replaced whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from gevent.lock import Semaphore
from gevent.threadpool import ThreadPool

from switch.shared.clock import Clock

log = structlog.get_logger(__name__)


class Kept:
    """The facts as they were last written. A file that cannot be read is set aside, and told of in the log."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._threads = ThreadPool(1)
        self._writing = Semaphore()
        self.facts: dict[str, Any] = self._read()

    def write(self, facts: Mapping[str, Any]) -> None:
        """Takes these facts at once, and returns when they are on the disk. Raises OSError; then they hold until the
        process ends."""
        self.facts = dict(facts)
        with self._clock.working(), self._writing:
            error = self._threads.apply(_replace, (self._file, json.dumps(self.facts, ensure_ascii=False)))
        if error is not None:
            raise error

    def _read(self) -> dict[str, Any]:
        try:
            facts = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.error("a file cannot be read and is set aside", file=str(self._file), error=str(error))
            self._set_aside()
            return {}
        return facts if isinstance(facts, dict) else {}

    def _set_aside(self) -> None:
        try:
            self._file.rename(self._file.with_suffix(".unreadable"))
        except OSError as error:
            log.error("nor can it be renamed", file=str(self._file), error=str(error))


def _replace(file: Path, text: str) -> OSError | None:
    """Runs in a thread. A failure is a result: raised, gevent would print it as a bug."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w", encoding="utf-8") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        fresh.rename(file)
        directory = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(directory)  # else a power cut could bring the file before this one back
        finally:
            os.close(directory)
    except OSError as error:
        return error
    return None
