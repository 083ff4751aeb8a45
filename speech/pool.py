"""A few worker processes that speak, shared by all greenlets.

Plain pipes and `subprocess` by its stdlib name: in the appliance that name is patched to be cooperative,
in tests it is not, and both work here, because only starting a worker goes through it. All waiting is
on our own ends of the pipes, which are non-blocking.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import gevent
import structlog
from gevent.lock import BoundedSemaphore
from gevent.os import make_nonblocking, nb_read, nb_write

from speech import vendors, wire
from speech.port import LONGEST, CannotSpeak, Voice

log = structlog.get_logger(__name__)

_ROOT = Path(__file__).resolve().parents[1]
TRIES = 2


class _Lost(Exception):
    """The worker died, hung or spoke nonsense; another one may do better."""


class Worker:
    """One process and our ends of its two pipes."""

    def __init__(self, vendor: str) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "speech.worker", vendor], cwd=_ROOT, stdin=theirs_in, stdout=theirs_out
            )
        except OSError as error:
            self._close()
            raise _Lost(f"no worker can be started: {error.strerror}") from error
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        make_nonblocking(self._to)
        make_nonblocking(self._from)
        self._greeted = False
        self.usable = True  # false while an answer is due: whoever leaves then leaves a worker out of step

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def speak(self, text: str, language: str, within: float) -> bytes:
        """Raises CannotSpeak when the engine says so, _Lost when this worker is of no more use."""
        self.usable = False
        with gevent.Timeout(within, _Lost(f"no answer within {within:.1f} s")):
            if not self._greeted:
                header, _ = self._read()
                if not header["ready"]:
                    raise CannotSpeak(header["why"])
                self._greeted = True
            self._write(wire.frame({"text": text, "language": language, "longest": within}))
            header, pcm = self._read()
        self.usable = True
        if not header["spoken"]:
            raise CannotSpeak(header["why"])
        return pcm

    def kill(self) -> None:
        """Ends the process; whoever waits for its answer sees the pipe closed."""
        self._process.kill()

    def stop(self) -> None:
        """Ends the process at once and waits until it is gone."""
        self._close()
        self.kill()
        gone = time.monotonic() + 2.0
        while self._process.poll() is None and time.monotonic() < gone:
            gevent.sleep(0.005)

    def _read(self) -> tuple[dict[str, object], bytes]:
        try:
            return wire.read(lambda size: nb_read(self._from, size))
        except (wire.Broken, OSError) as error:
            raise _Lost(f"the worker is gone: {error}") from error

    def _write(self, content: bytes) -> None:
        try:
            while content:
                content = content[nb_write(self._to, content) :]
        except OSError as error:
            raise _Lost("the worker is gone") from error

    def _close(self) -> None:
        for end in (self._to, self._from):
            with contextlib.suppress(OSError):
                os.close(end)


class Pool:
    """Synthesises in at most `size` processes, which start when they are first needed.

    A worker that dies or hangs is replaced, and its text is tried once more; both tries and the wait
    for a free worker fit into `within` seconds.
    """

    def __init__(self, vendor: str = "espeak", *, size: int = 2, within: float = 10.0) -> None:
        self._vendor = vendor
        self._voices: Mapping[str, Voice] | None = None
        self._free: list[Worker] = []
        self._turn = BoundedSemaphore(size)
        self.within = within
        self._busy: set[Worker] = set()
        self._closed = False
        self.size = size

    def start(self) -> None:
        """Starts all workers now and waits for none of them, so that the first caller finds them ready."""
        while len(self._free) + len(self._busy) < self.size:
            try:
                self._free.append(Worker(self._vendor))
            except _Lost as lost:
                log.warning("speech worker not started", vendor=self._vendor, why=str(lost))
                return

    def voice(self, language: str) -> Voice:
        if self._voices is None:
            self._voices = vendors.find(self._vendor).voices()
        if language not in self._voices:
            raise CannotSpeak(f"{self._vendor} has no voice for '{language}'")
        return self._voices[language]

    def speak(self, text: str, language: str) -> bytes:
        """Samples at 8 kHz, mono, 16 bit. Raises CannotSpeak."""
        if len(text) > LONGEST:
            raise CannotSpeak(f"a text of {len(text)} characters is too long to speak; {LONGEST} is the most")
        end = time.monotonic() + self.within
        last = "no worker was free"
        for attempt in range(TRIES):
            share = (end - time.monotonic()) / (TRIES - attempt)
            try:
                with self._worker(share) as worker:
                    return worker.speak(text, language, max(share, 0.01))
            except _Lost as lost:
                last = str(lost)
                log.warning("speech worker lost", vendor=self._vendor, why=last, attempt=attempt + 1)
        raise CannotSpeak(f"{self._vendor} could not speak within {self.within:g} s: {last}")

    def close(self) -> None:
        """Ends all workers; whoever waits for one gets CannotSpeak."""
        self._closed = True
        for worker in self._busy:
            worker.kill()
        while self._free:
            self._free.pop().stop()

    @property
    def pids(self) -> list[int]:
        return sorted(worker.pid for worker in [*self._free, *self._busy])

    @contextlib.contextmanager
    def _worker(self, within: float) -> Iterator[Worker]:
        """A worker of our own; it comes back only in step, otherwise it is ended."""
        if not self._turn.acquire(timeout=max(within, 0.0)):
            raise _Lost("no worker was free")
        try:
            if self._closed:
                raise CannotSpeak("the speech workers are stopped")
            worker = self._free.pop() if self._free else Worker(self._vendor)
            self._busy.add(worker)
            try:
                yield worker
            finally:
                self._busy.discard(worker)
                if worker.usable and not self._closed:
                    self._free.append(worker)
                else:
                    worker.stop()
        finally:
            self._turn.release()
