"""The message waiting lights of agents' telephones."""

from __future__ import annotations

import structlog

from store.rows import Waiting
from store.store import Store, StoreFailed
from switch.port import Capability, Switch, SwitchLost

log = structlog.get_logger(__name__)

REFRESHED_EVERY = 60.0  # seconds: a telephone that registered anew, and a switch that started anew, know nothing
TRIED_AGAIN = 5.0


class Lights:
    """Shows each telephone what waits in its mailboxes. Calling it brings all of them up to date."""

    def __init__(self, store: Store, switch: Switch) -> None:
        self._store = store
        self._switch = switch
        self._lit: set[str] = set()  # telephones that were told of a mailbox once

    def __call__(self) -> float | None:
        """Returns in how many seconds it is to be done again; None where the switch has no lights."""
        if Capability.MESSAGE_LIGHT not in self._switch.capabilities:
            return None
        try:
            waiting = self._store.voicemail.waiting()
            for phone in sorted(waiting.keys() | self._lit):
                shown = waiting.get(phone, Waiting())
                self._switch.show_waiting(phone, new=shown.new, old=shown.old)
            self._lit = set(waiting)
        except (StoreFailed, SwitchLost) as error:
            log.debug("message lights are not up to date", error=str(error))
            return TRIED_AGAIN
        return REFRESHED_EVERY
