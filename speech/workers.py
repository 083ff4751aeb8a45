"""A few worker processes of one kind, shared by all greenlets: each works on one request at a time.

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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gevent
import structlog
from gevent.lock import BoundedSemaphore
from gevent.os import make_nonblocking, nb_read, nb_write
from gevent.socket import wait_read

from speech import wire

log = structlog.get_logger(__name__)

_ROOT = Path(__file__).resolve().parents[1]
TRIES = 2
STARTS_WITHIN = 60.0  # seconds, after which a worker that has not greeted never will


class Refused(Exception):
    """The engine will not do that, however often it is asked; the text says why."""


class TooLate(Exception):
    """No worker could do it in time; the text says why."""


class _Lost(Exception):
    """The worker died, hung or spoke nonsense; another one may do better."""


class Worker:
    """One process and our ends of its two pipes."""

    def __init__(self, arguments: Sequence[str]) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "speech.worker", *arguments], cwd=_ROOT, stdin=theirs_in, stdout=theirs_out
            )
        except OSError as error:
            self._close()
            raise _Lost(f"no worker can be started: {error.strerror}") from error
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        make_nonblocking(self._to)
        make_nonblocking(self._from)
        self.greeted = False
        self._begun = time.monotonic()
        self.usable = True  # false while an answer is due: whoever leaves then leaves a worker out of step

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def do(self, request: Mapping[str, object], body: bytes, within: float) -> tuple[dict[str, Any], bytes]:
        """Raises Refused when the engine says so, _Lost when there is no answer; `usable` says whether it can come."""
        end = time.monotonic() + within
        if not self.greeted:
            self._await_start(within)
        self.usable = False
        left = max(end - time.monotonic(), 0.01)
        with gevent.Timeout(left, _Lost(f"no answer within {within:.1f} s")):
            if not self.greeted:
                header, _ = self._read()
                if not header["ready"]:
                    raise Refused(header["why"])
                self.greeted = True
            self._write(wire.frame({**request, "longest": within}, body))
            header, answer = self._read()
        self.usable = True
        if not header["done"]:
            raise Refused(header["why"])
        return header, answer

    def _await_start(self, within: float) -> None:
        """Waits for the greeting without reading it: one who cannot wait so long leaves a worker that still starts.

        On a machine that has too much to do, ending it would only have another one start from the beginning.
        """
        try:
            wait_read(self._from, timeout=within, timeout_exc=_Lost(f"it was still starting after {within:.1f} s"))
        except _Lost:
            self.usable = time.monotonic() < self._begun + STARTS_WITHIN
            raise

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

    def _read(self) -> tuple[dict[str, Any], bytes]:
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


class Workers:
    """At most `size` processes, which start when they are first needed.

    One that dies or hangs is replaced, and its request is tried once more; both tries and the wait for a
    free worker fit into `within` seconds.
    """

    def __init__(self, arguments: Sequence[str], *, size: int, within: float) -> None:
        self._arguments = arguments
        self._free: list[Worker] = []
        self._turn = BoundedSemaphore(size)
        self._busy: set[Worker] = set()
        self._closed = False
        self.within = within
        self.size = size

    def start(self) -> None:
        """Starts all workers now and waits for none of them, so that the first caller finds them ready."""
        while not self._closed and len(self._free) + len(self._busy) < self.size:
            try:
                worker = Worker(self._arguments)
            except _Lost as lost:
                log.warning("speech worker not started", worker=self._arguments[1], why=str(lost))
                return
            if self._closed:  # while it was started
                worker.stop()
            else:
                self._free.append(worker)

    def ask(self, request: Mapping[str, object], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """A worker's answer: its header and body. Raises Refused, TooLate."""
        end = time.monotonic() + self.within
        last = "no worker was free"
        for attempt in range(TRIES):
            share = (end - time.monotonic()) / (TRIES - attempt)
            try:
                with self._worker(share) as worker:
                    # One that still starts has not hung: on a busy machine another would start no sooner.
                    allowed = share if worker.greeted else end - time.monotonic()
                    return worker.do(request, body, max(allowed, 0.01))
            except _Lost as lost:
                last = str(lost)
                log.warning("speech worker lost", worker=self._arguments[1], why=last, attempt=attempt + 1)
        raise TooLate(last)

    def close(self) -> None:
        """Ends all workers; whoever waits for one gets Refused."""
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
                raise Refused("the speech workers are stopped")
            worker = self._free.pop() if self._free else Worker(self._arguments)
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
