"""Legs whose hang-up FreeSWITCH has not confirmed: they may live on, and come back by the dialplan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import gevent
import structlog

from switch.freeswitch import causes, encoding
from switch.freeswitch.client import Inbound
from switch.port import CallId, Cause, SwitchLost

log = structlog.get_logger(__name__)


class Unconfirmed:
    """Hangs them up over our own connection, again and again, until there is an answer."""

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._causes: dict[CallId, Cause] = {}

    def __iter__(self) -> Iterator[CallId]:
        return iter(list(self._causes))

    def __contains__(self, call_id: object) -> bool:
        return call_id in self._causes

    def add(self, call_id: CallId, cause: Cause) -> None:
        log.warning("FreeSWITCH did not confirm a hang-up, trying on", call=call_id)
        self._causes[call_id] = cause
        gevent.spawn(self.hang_up, call_id)

    def hang_up(self, call_id: CallId) -> None:
        """Whatever is answered settles it: the leg is going, or it is not there."""
        if (cause := self._causes.get(call_id)) is None:
            return
        with suppress(SwitchLost):
            self._inbound.api(causes.kill(encoding.call_id(call_id), cause))
            self._causes.pop(call_id, None)

    def hang_up_all(self) -> None:
        for call_id in self:
            self.hang_up(call_id)
