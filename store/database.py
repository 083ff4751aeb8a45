"""A database behind a bounded set of native threads, so that it can be slow without anybody noticing.

`Database.run` may be called by any number of greenlets. The caller gets a result or DatabaseFailed
within its limit, whatever the database does; a thread that hangs is waited for by nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, cast

import gevent
import structlog
from gevent.event import AsyncResult
from gevent.lock import Semaphore

from store.lines import DatabaseFailed, Line, Reason, Work, driver, open_line
from switch.shared.clock import Clock
from switch.shared.thread import NativeThread

__all__ = ["Database", "DatabaseFailed", "Reason", "Work", "driver"]

T = TypeVar("T")
log = structlog.get_logger(__name__)

CLOSING_SECONDS = 2.0


class Database:
    """One database and the threads that talk to it: `threads` calls at a time, each on a line of its own.

    Lines are handed out by the hub, so no lock is shared between threads: it works the same with the
    standard library patched by gevent and without.
    """

    def __init__(self, url: str, clock: Clock, *, name: str, threads: int = 4, create: bool = False) -> None:
        self.name = name
        self._clock = clock
        self._size = threads
        self._idle = [(open_line(url, create=create), NativeThread()) for _ in range(threads)]
        self._free = Semaphore(threads)
        self._hanging = 0
        self._closed = False

    @property
    def hanging(self) -> int:
        """How many threads still work on calls that were given up."""
        return self._hanging

    def run(self, work: Work[T], *, within: float, writes: bool = False) -> T:
        """What `work` returned, run in a thread in a transaction of its own. Raises DatabaseFailed.

        `work` must touch nothing but its connection and its arguments. Where the limit has passed
        nothing is committed, except that a commit under way may still succeed: writes that may be
        repeated carry a key.
        """
        if self._closed:
            raise self._was_closed()
        if self._hanging >= self._size:
            raise DatabaseFailed(Reason.SLOW, f"the {self.name} database does not answer")
        deadline = time.monotonic() + within
        with self._clock.working():
            if not self._free.acquire(timeout=within):
                raise DatabaseFailed(Reason.SLOW, f"the {self.name} database is busy with other calls")
            if self._closed:
                self._free.release()  # whoever waits as well is told the same
                raise self._was_closed()
            outcome = self._start(lambda line: line.run(work, deadline=deadline, writes=writes))
            try:
                outcome.wait(max(0.0, deadline - time.monotonic()))
            finally:
                if not outcome.ready():
                    self._give_up(outcome)
        if not outcome.ready():
            raise DatabaseFailed(Reason.SLOW, f"the {self.name} database took longer than {within:g} s")
        result = cast("T | DatabaseFailed", outcome.get())
        if isinstance(result, DatabaseFailed):
            raise result
        return result

    def close(self) -> None:
        """Closes the connections and ends the threads; one that hangs is left, and ends when it comes back."""
        if self._closed:
            return
        self._closed = True
        with self._clock.working():
            gevent.with_timeout(CLOSING_SECONDS, self._end_threads, timeout_value=None)

    def _end_threads(self) -> None:
        while self._idle:
            _end(*self._idle.pop())

    def _was_closed(self) -> DatabaseFailed:
        return DatabaseFailed(Reason.DOWN, f"the {self.name} database was closed")

    def _start(self, task: Callable[[Line], T]) -> AsyncResult[T | DatabaseFailed]:
        line, thread = self._idle.pop()

        def hand_back(_: object) -> None:
            if self._closed:
                gevent.spawn(_end, line, thread)  # the hub, which calls this, must not wait
            else:
                self._idle.append((line, thread))
            self._free.release()

        try:
            outcome: AsyncResult[T | DatabaseFailed] = thread.start(lambda: _attempt(task, line))
        except RuntimeError as error:  # the system has no thread left to give
            hand_back(error)
            raise DatabaseFailed(Reason.DOWN, str(error)) from error
        outcome.rawlink(hand_back)
        return outcome

    def _give_up(self, outcome: AsyncResult[T | DatabaseFailed]) -> None:
        self._hanging += 1
        log.warning("a database call was given up; its thread goes on", database=self.name, hanging=self._hanging)

        def came_back(_: object) -> None:
            self._hanging -= 1

        outcome.rawlink(came_back)


def _end(line: Line, thread: NativeThread) -> None:
    thread.do(line.close)
    thread.close()


def _attempt(task: Callable[[Line], T], line: Line) -> T | DatabaseFailed:
    """Runs in a thread. A failure that is expected is a result, and no exception to carry about."""
    try:
        return task(line)
    except DatabaseFailed as failure:
        return failure
