"""A native thread for work that would hold the hub: greenlets hand it tasks, one after the other.

Cheaper than gevent's pool for a thread that always has the same thing to do: a queue in C wakes it, and
one watcher of the hub brings all results back.
"""

from __future__ import annotations

from _queue import SimpleQueue  # the native one, whether or not gevent has patched the standard library
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gevent.event import AsyncResult
from gevent.hub import get_hub
from gevent.threadpool import ThreadPool

T = TypeVar("T")


class NativeThread:
    """One thread, and the greenlets of one hub that give it work. Ends with `close`."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Callable[[], Any], AsyncResult[Any]] | None] = SimpleQueue()
        self._done: deque[tuple[AsyncResult[Any], Any, BaseException | None]] = deque()
        self._home: ThreadPool | None = None
        self._back = get_hub().loop.async_()
        self._back.start(self._hand_over)

    def start(self, task: Callable[[], T]) -> AsyncResult[T]:
        """The task's result to come. Raises RuntimeError where the system has no thread left to give."""
        outcome: AsyncResult[T] = AsyncResult()
        if self._home is None:
            home = ThreadPool(1)
            home.spawn(self._work)
            self._home = home
        self._tasks.put((task, outcome))
        return outcome

    def do(self, task: Callable[[], T]) -> T:
        """What the task returned, or raised."""
        return cast(T, self.start(task).get())

    def close(self) -> None:
        """Ends the thread once it has done what it was given, and waits for that."""
        if self._home is not None:
            self._tasks.put(None)
            self._home.join()
            self._home.kill()
            self._hand_over()
        self._back.stop()
        self._back.close()

    def _work(self) -> None:
        """Runs in the thread."""
        while (given := self._tasks.get()) is not None:
            task, outcome = given
            try:
                self._done.append((outcome, task(), None))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
                self._done.append((outcome, None, error))
            del given, task, outcome  # what it was about is not held until the next one
            self._back.send()

    def _hand_over(self) -> None:
        while self._done:
            outcome, result, error = self._done.popleft()
            if error is None:
                outcome.set(result)
            else:
                outcome.set_exception(error)
