"""Transfers as they are granted: only where the configuration allows it, and so often in a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from ivr.language.destinations import Destinations, NotAllowed
from ivr.services import CannotTransfer
from runtime.kept import Kept
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

FILE = "transfers.json"


class Transfers:
    """`ivr.services.Transfers`. What was granted today is kept in a file: a restart is no new day.

    Callers stand there as a hash that is another one each day, never as a number.
    """

    def __init__(
        self,
        destinations: Destinations,
        directory: Path,
        clock: Clock,
        *,
        per_caller: int,
        per_day: int,
        today: Callable[[], datetime],
        is_agent: Callable[[str], bool],
    ) -> None:
        self._destinations = destinations
        self._kept = Kept(directory / FILE, clock)
        self._per_caller = per_caller
        self._per_day = per_day
        self._today = today
        self._is_agent = is_agent

    def grant(self, to: str, *, caller: str) -> str:
        try:
            address = self._destinations.address(to, is_agent=self._is_agent)
        except NotAllowed as error:
            raise CannotTransfer(str(error)) from error
        if not self._is_agent(address):
            self._count(caller)
        return address

    def _count(self, caller: str) -> None:
        """Agents' telephones cost nothing and are not counted."""
        day = self._today().date().isoformat()
        none: dict[str, Any] = {"day": day, "all": 0, "callers": {}}
        facts = self._kept.facts if self._kept.facts.get("day") == day else none
        name = sha256(f"{day} {caller}".encode()).hexdigest()[:16]
        mine = facts["callers"].get(name, 0)
        if facts["all"] >= self._per_day:
            raise CannotTransfer(f"there were {self._per_day} transfers today, as many as are allowed")
        if mine >= self._per_caller:
            raise CannotTransfer(f"this caller was transferred {self._per_caller} times today, as often as is allowed")
        try:
            self._kept.write({"day": day, "all": facts["all"] + 1, "callers": {**facts["callers"], name: mine + 1}})
        except OSError as error:
            log.error("transfers cannot be counted on the disk; they are until the appliance ends", error=str(error))
