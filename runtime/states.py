"""Agents' states on their way to the store, where the next start finds them."""

from __future__ import annotations

import gevent
import structlog
from gevent.event import Event

from acd.model import ShowAgentState
from store.store import Store, StoreFailed
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0


class AgentStates:
    """Writes the latest state of each agent, one after the other; only the last of several that wait is written."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, ShowAgentState] = {}
        self._changed = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Writes what is left."""
        if self._greenlet is not None:
            self._greenlet.kill()
        self._write()

    def show(self, shown: ShowAgentState) -> None:
        self._waiting[shown.agent] = shown
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            if not self._write():
                self._clock.sleep(RETRY_SECONDS)
                self._changed.set()

    def _write(self) -> bool:
        """Writes all that waits; False when the database did not take it."""
        while self._waiting:
            agent, shown = next(iter(self._waiting.items()))
            try:
                self._store.set_agent_state(agent, shown.state.value, shown.reason)
            except StoreFailed as error:
                log.warning("an agent's state is not in the database yet", agent=agent, error=str(error))
                return False
            if self._waiting[agent] is shown:  # else it has changed meanwhile
                del self._waiting[agent]
        return True
