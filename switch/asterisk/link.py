"""The connection as the lines see it: up or down, with what must still be done once it is up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import gevent
import structlog
from gevent.event import Event

from switch.asterisk import causes
from switch.asterisk.ari import Ari, named
from switch.asterisk.http import Refused
from switch.asterisk.line import Talk
from switch.port import CallId, Cause, SwitchLost
from switch.shared.clock import Alarm, Clock

log = structlog.get_logger(__name__)

TRIES = 3  # of a request that nobody waits for, where Asterisk does not answer it
EACH = 5.0  # seconds that each try takes at least: after all of them a connection that is dead is known as such


class Mended:
    """See `switch.asterisk.line.Link`.

    While the connection is down for no longer than `patience` seconds, whoever asks something waits;
    after that `on_given_up` is called, once.
    """

    def __init__(self, ari: Ari, clock: Clock, *, patience: float, on_given_up: Callable[[], None]) -> None:
        self.talks: dict[str, Talk] = {}
        self._ari = ari
        self._clock = clock
        self._patience = patience
        self._on_given_up = on_given_up
        self._usable = Event()
        self._waiting: list[tuple[str, str, dict[str, Any]]] = []
        self._alarm: Alarm | None = None
        self.generation = 0

    @property
    def connected(self) -> bool:
        return self._usable.is_set() and self._ari.connected

    def request(self, method: str, path: str, **parameters: Any) -> Any:
        if not self._ari.connected:
            raise SwitchLost("the connection to Asterisk is down")
        return self._ari.request(method, path, **parameters)

    def download(self, path: str, *, within: float) -> AbstractContextManager[Iterator[bytes]]:
        return self._ari.download(path, within=within)

    def await_connection(self) -> None:
        self._usable.wait(self._patience + 1)

    def later(self, method: str, path: str, **parameters: Any) -> None:
        if self._ari.connected:
            gevent.spawn(self._try, method, path, parameters)
        else:
            self._waiting.append((method, path, parameters))

    def hang_up(self, call_id: CallId, cause: Cause) -> None:
        self.later("DELETE", named("channels", call_id), reason_code=causes.code(cause))

    def went_down(self) -> None:
        self._usable.clear()
        if self._alarm is None:
            self._alarm = self._clock.after(self._patience, self._on_given_up)

    def came_up(self) -> None:
        """To be called when what was missed is known. Raises SwitchLost where it is down again already."""
        if not self._ari.connected:
            raise SwitchLost("the connection to Asterisk broke while it was set up")
        self.generation += 1
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        waiting, self._waiting = self._waiting, []
        for method, path, parameters in waiting:  # before anybody asks for more: it was asked for earlier
            gevent.spawn(self._try, method, path, parameters)
        self._usable.set()

    def _try(self, method: str, path: str, parameters: dict[str, Any]) -> None:
        what = path.partition("/")[0]
        for _ in range(TRIES):
            until = self._clock.now() + EACH * 1000
            try:
                self._ari.request(method, path, **parameters)
            except Refused as refused:
                if refused.status not in {404, 409}:  # it has gone by itself
                    log.warning("Asterisk refused", method=method, what=what, reason=str(refused))
                return
            except SwitchLost:
                if self._ari.connected:
                    self._clock.sleep(max(0.0, until - self._clock.now()) / 1000)
            else:
                return
            if not self._ari.connected:
                self._waiting.append((method, path, parameters))
                return
        log.error("Asterisk does not answer, given up", method=method, what=what, tries=TRIES)
