"""Who works here and which mailboxes there are: as our tables say, or as they last said while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from runtime.kept import Kept
from runtime.rounds import Round
from store.database import Reason
from store.rows import Agent, Membership
from store.store import Store, StoreFailed
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 10.0  # between two looks while the database is away


class Roster:
    """`agents` and `boxes`, from `open` on. `on_look` is called whenever the tables were asked, and have answered.

    What they said is kept in a file, without passwords, so that a start needs no database.
    """

    def __init__(self, store: Store, file: Path, clock: Clock) -> None:
        self._store = store
        self._kept = Kept(file, clock)
        self._round = Round(self._look_again, clock)
        self.agents: Sequence[Agent] = ()
        self.boxes: Sequence[str] = ()
        self.on_look: Callable[[], None] = lambda: None
        self.trouble = ""

    def open(self) -> None:
        """Raises StoreFailed where nobody can say who works here, or the tables are not those of this version."""
        try:
            self.look()
        except StoreFailed as error:
            if error.reason is Reason.WRONG or not self._remember():
                raise
            self.trouble = f"the agents and mailboxes are the last known ones: {error}"
            log.error("the database is away; the agents and mailboxes are the last known ones", error=str(error))

    def start(self) -> None:
        self._round.start()

    def stop(self) -> None:
        self._round.stop()

    def look(self) -> None:
        """Asks the tables. Raises StoreFailed; then what was known before is the best that is known."""
        self.agents, self.boxes = self._store.agents(), [box.name for box in self._store.boxes()]
        self.trouble = ""
        self._keep()
        self.on_look()

    def _look_again(self) -> float | None:
        if not self.trouble:
            return None
        try:
            self.look()
        except StoreFailed:
            return AGAIN_SECONDS
        log.info("the database is back; its agents and mailboxes are known")
        return None

    def _keep(self) -> None:
        facts = {"agents": [_plain(agent) for agent in self.agents], "boxes": list(self.boxes)}
        if facts == self._kept.facts:
            return
        try:
            self._kept.write(facts)
        except OSError as error:
            log.error("the agents cannot be kept for a start without the database", error=error.strerror)

    def _remember(self) -> bool:
        try:
            agents = [_agent(plain) for plain in self._kept.facts["agents"]]
            boxes = [str(box) for box in self._kept.facts["boxes"]]
        except (LookupError, TypeError, ValueError, AttributeError):
            return False
        self.agents, self.boxes = agents, boxes
        return True


def _plain(agent: Agent) -> dict[str, Any]:
    """As JSON holds it."""
    plain = asdict(agent)
    del plain["password"]
    return {**plain, "queues": list(plain["queues"])}


def _agent(plain: Mapping[str, Any]) -> Agent:
    queues = tuple(Membership(**membership) for membership in plain["queues"])
    return Agent(**{**plain, "queues": queues, "password": ""})
