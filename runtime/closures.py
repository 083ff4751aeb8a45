"""Emergency closures: calendars that are closed whatever they say, until someone lifts it.

They are set and lifted by the verb `closure` with a PIN and by `./appliance.py closure`, and kept in a file of
their own: a typhoon may take the database along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from gevent.threadpool import ThreadPool

from config.wording import choices, suggestion
from cti.server import Command, Refused
from ivr.services import Calendars, CannotKeep, ClosurePin, HoursState
from runtime.kept import Kept
from store import pins
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

GUESSES = 5  # wrong PINs in a row, over all calls, after which no PIN is heard
LOCKED_FOR = timedelta(minutes=15)
FILE = "closures.json"

Note = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Closure:
    """Who closed a calendar, when, and why."""

    since: str  # ISO 8601, in UTC
    by: str
    reason: str = ""


class Closures:
    """`ivr.services.Closures`, kept in a directory. `note` writes a record into the journal."""

    def __init__(self, directory: Path, clock: Clock, *, note: Note = lambda *_, **__: None) -> None:
        self._kept = Kept(directory / FILE, clock)
        self._clock = clock
        self._note = note
        self._threads = ThreadPool(1)

    @property
    def closed(self) -> Mapping[str, Closure]:
        """The calendars that are closed."""
        return {name: Closure(**facts) for name, facts in self._kept.facts.get("closed", {}).items()}

    def is_closed(self, calendar: str) -> bool:
        return calendar in self._kept.facts.get("closed", {})

    def close(self, calendar: str, *, by: str, reason: str = "") -> None:
        """Closes a calendar at once. Raises CannotKeep where that will not outlive the process."""
        self._note("CalendarClosed", calendar=calendar, by=by, reason=reason)
        log.warning("a calendar was closed for an emergency", calendar=calendar)
        since = self._clock.wall().astimezone(UTC).isoformat(timespec="seconds")
        self._write(closed={**self._kept.facts.get("closed", {}), calendar: asdict(Closure(since, by, reason))})

    def lift(self, calendar: str, *, by: str) -> bool:
        """Lets a calendar say again what it says; False where it was not closed. Raises CannotKeep as `close` does."""
        closed = dict(self._kept.facts.get("closed", {}))
        if closed.pop(calendar, None) is None:
            return False
        self._note("CalendarReopened", calendar=calendar, by=by)
        log.warning("an emergency closure was lifted", calendar=calendar)
        self._write(closed=closed)
        return True

    # --- the PIN

    def set_pin(self, pin: str) -> None:
        """Gives the verb `closure` its PIN ("" takes it away), and forgets wrong ones. Raises CannotKeep."""
        self._write(pin=self._off_the_hub(pins.hashed, pin) if pin else "", wrong=0, locked_until="")

    @property
    def has_pin(self) -> bool:
        return bool(self._kept.facts.get("pin"))

    def admits(self, pin: str) -> ClosurePin:
        now = self._clock.wall().astimezone(UTC)
        facts = self._kept.facts
        if not facts.get("pin"):
            return "no pin"
        if facts.get("locked_until") and now < (until := datetime.fromisoformat(facts["locked_until"])):
            longest = now + _lock(facts.get("wrong", 0))
            if until > longest:  # the time of day was set back
                self._count(facts.get("wrong", 0), longest)
            return "locked"
        if self._off_the_hub(pins.matches, pin, facts["pin"]):
            if facts.get("wrong"):
                self._count(0, None)
            return "right"
        wrong = self._kept.facts.get("wrong", 0) + 1
        locked = wrong % GUESSES == 0
        self._count(wrong, now + _lock(wrong) if locked else None)
        return "locked" if locked else "wrong"

    def _count(self, wrong: int, locked_until: datetime | None) -> None:
        with suppress(CannotKeep):  # it counts in memory at least
            self._write(wrong=wrong, locked_until=locked_until.isoformat() if locked_until else "")

    def _write(self, **changed: object) -> None:
        try:
            self._kept.write({**self._kept.facts, **changed})
        except OSError as error:
            log.error("closures cannot be written; they hold until the appliance ends", error=str(error))
            raise CannotKeep(error.strerror or str(error)) from error

    def _off_the_hub(self, work: Callable[..., Any], *arguments: str) -> Any:
        with self._clock.working():
            return self._threads.apply(work, arguments)


def _lock(wrong: int) -> timedelta:
    """How long so many wrong PINs in a row keep every PIN out."""
    return LOCKED_FOR * (1 << min(max(wrong // GUESSES - 1, 0), 6))


class ClosableCalendars:
    """`ivr.services.Calendars` over those of the book, with the emergency closures on top."""

    def __init__(self, calendars: Calendars, closures: Closures) -> None:
        self._calendars = calendars
        self._closures = closures

    def state(self, calendar: str, at: datetime) -> HoursState:
        return "emergency" if self._closures.is_closed(calendar) else self._calendars.state(calendar, at)


def closure_commands(closures: Closures, calendars: Callable[[], Collection[str]]) -> dict[str, Command]:
    """What the control socket can be asked about closures; `calendars` are the names that there are."""

    def known(request: Mapping[str, Any]) -> str:
        calendar = str(request["calendar"])
        if calendar not in calendars():
            there_are = suggestion(calendar, calendars()) or f" There are: {choices(calendars()) or 'none'}"
            raise Refused(f"there is no calendar {calendar}.{there_are}")
        return calendar

    def close(request: Mapping[str, Any]) -> object:
        calendar = known(request)
        before = closures.closed.get(calendar)
        told = _told(lambda: closures.close(calendar, by=str(request["by"]), reason=str(request["reason"])))
        return {**told, "before": before and asdict(before)}

    def lift(request: Mapping[str, Any]) -> object:
        return _told(lambda: closures.lift(str(request["calendar"]), by=str(request["by"])))

    def pin(request: Mapping[str, Any]) -> object:
        return _told(lambda: closures.set_pin(str(request["pin"])))

    def listing(_: Mapping[str, Any]) -> object:
        return {"pin": closures.has_pin, "closed": {name: asdict(one) for name, one in closures.closed.items()}}

    return {"closures": listing, "closures.close": close, "closures.lift": lift, "closures.pin": pin}


def _told(change: Callable[[], object]) -> dict[str, object]:
    try:
        return {"changed": change() is not False}
    except CannotKeep as error:
        raise Refused(f"it is done, but cannot be stored, and a restart will forget it: {error}") from error
