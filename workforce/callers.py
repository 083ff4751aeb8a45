"""Who calls in one replication: drawn at random, or as a journal has them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from acd.hindsight import milliseconds
from acd.model import CallId, Millis
from acd.simulated import Caller
from journal.reader import records_of
from workforce.draws import Draw, from_list
from workforce.plan import CallersEntry

MOST_STAYS = 100


def days(since: datetime, until: datetime) -> Iterator[date]:
    """Every day that a span touches, and the one before, whose night may reach into it."""
    day = since.date() - timedelta(days=1)
    while day <= until.date():
        yield day
        day += timedelta(days=1)


def moment(day: date, minute: int, zone: ZoneInfo) -> Millis:
    """A minute of a day, by the clocks of the zone."""
    at = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    return milliseconds(at)


class Sources:
    """A source of chance for each purpose, so that a change of one thing does not disturb the others."""

    def __init__(self, seed: int, replication: int) -> None:
        self._name = f"{seed}/{replication}"

    def of(self, *purpose: str) -> Random:
        return Random("/".join((self._name, *purpose)))


# --- at random ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls per hour, each from a time on until the next."""

    starts: tuple[Millis, ...]
    per_hour: tuple[float, ...]
    end: Millis

    def arrivals(self, source: Random) -> Iterator[Millis]:
        """A Poisson process: exponential gaps in expected calls, turned back into times."""
        expected = [0.0]
        for (start, stop), rate in zip(pairwise((*self.starts, self.end)), self.per_hour, strict=True):
            expected.append(expected[-1] + rate * (stop - start) / 3_600_000)
        at = source.expovariate(1.0)
        while at < expected[-1]:
            part = bisect_right(expected, at) - 1
            yield self.starts[part] + round((at - expected[part]) / self.per_hour[part] * 3_600_000)
            at += source.expovariate(1.0)


def rates(written: float | Mapping[int, float], since: datetime, until: datetime) -> Rates:
    """Of one rate for all the time, or of one from each time of day on (none before the day's first)."""
    begin, end = milliseconds(since), milliseconds(until)
    if not isinstance(written, Mapping):
        return Rates((begin,), (written,), end)
    zone = since.tzinfo
    assert isinstance(zone, ZoneInfo)
    steps = {begin: 0.0}
    for day in days(since, until):
        for minute, rate in sorted({0: 0.0, **written}.items()):
            at = moment(day, minute, zone)
            if at <= begin:
                steps[begin] = rate
            elif at < end:
                steps[at] = rate
    return Rates(tuple(steps), tuple(steps.values()), end)


def drawn(name: str, entry: CallersEntry, span: tuple[datetime, datetime], sources: Sources) -> Iterator[Caller]:
    """The callers of one kind. Raises nothing: the file was checked."""
    per_hour = entry.per_hour if entry.per_hour is not None else 0.0
    people = _People(name, entry, sources)
    for number, at in enumerate(rates(per_hour, *span).arrivals(sources.of(name, "arrivals")), 1):
        caller = people.caller(f"{name}-{number}", at, entry.queue, entry.priority, entry.skills)
        yield replace(caller, customer=people.customer())


class _People:
    """What callers of one kind are like; each facet has its own source of chance."""

    def __init__(self, name: str, entry: CallersEntry, sources: Sources) -> None:
        self._entry = entry
        self._talk, self._patience, self._wrap_up, self._stay = (
            sources.of(name, facet) for facet in ("talk", "patience", "wrap-up", "stay")
        )
        self._name, self._who = name, sources.of(name, "customer")

    def caller(self, id_: CallId, at: Millis, queue: str, priority: int, skills: tuple[str, ...]) -> Caller:
        entry = self._entry
        return Caller(
            id_,
            at,
            _millis(entry.talk, self._talk) or 0,
            queue,
            patience=_millis(entry.patience, self._patience),
            priority=priority,
            skills=skills,
            wrap_up=_millis(entry.wrap_up, self._wrap_up),
            stays=self._stays(),
        )

    def customer(self) -> str:
        """Each of the customers of this kind is as likely to call as the others."""
        customers = self._entry.customers
        return f"{self._name}/{int(self._who.random() * customers)}" if customers else ""

    def _stays(self) -> int | None:
        """How often the caller goes on waiting when asked."""
        if not self._entry.leaves_when_asked:
            return None
        stays = (self._stay.random() >= self._entry.leaves_when_asked for _ in range(MOST_STAYS))
        return next((number for number, goes_on in enumerate(stays) if not goes_on), MOST_STAYS)


def _millis(draw: Draw | None, source: Random) -> Millis | None:
    return None if draw is None else draw.millis(source)


# --- as a journal has them ------------------------------------------------------------------------------


@dataclass(slots=True)
class Recorded:
    """A call that waited once. `talked` and `gave_up` (both as durations) where that is how it went."""

    call: CallId
    at: Millis
    queue: str
    priority: int
    skills: tuple[str, ...]
    waited: Millis | None = None
    talked: Millis | None = None
    gave_up: bool = False
    number: str = ""
    connected_at: Millis = 0


def recorded(source: Path, span: tuple[datetime | None, datetime | None], queue: str) -> list[Recorded]:
    """Every first entry of a call into a queue, in the span and (if named) of that queue. Raises OSError."""
    first = milliseconds(span[0]) if span[0] else 0
    end = milliseconds(span[1]) if span[1] else 1 << 62
    found: dict[CallId, Recorded] = {}
    numbers: dict[CallId, str] = {}
    for record in records_of(source):
        call, at = str(record.get("call", "")), milliseconds(record["at"])
        match record["type"]:
            case "CallArrived":
                numbers[call] = str(record.get("caller", ""))
            case "CallQueued" if call not in found and first <= at < end and record.get("queue"):
                priority, skills = _priority(record), tuple(map(str, record.get("skills") or ()))
                number = numbers.get(call, "")
                found[call] = Recorded(call, at, str(record["queue"]), priority, skills, number=number)
            case _ if call in found:
                _goes_on(found[call], record, at)
    return [each for each in found.values() if not queue or each.queue == queue]


def _priority(record: Mapping[str, Any]) -> int:
    priority = record.get("priority", 0)
    return priority if isinstance(priority, int) else 0


def _goes_on(call: Recorded, record: Mapping[str, Any], at: Millis) -> None:
    match record["type"]:
        case "CallConnected" if call.waited is None:
            call.waited, call.connected_at = at - call.at, at
        case "CallAbandoned" if call.waited is None:
            call.waited, call.gave_up = at - call.at, True
        case "CallLeft" | "EndWait" if call.waited is None:
            call.waited = at - call.at
        case "TalkEnded" if call.connected_at and call.talked is None:
            call.talked = at - call.connected_at


def mean_patience(calls: Sequence[Recorded]) -> float | None:
    """Seconds of the exponential distribution that fits best, in which those who were answered count as not yet out
    of patience: all time waited over all who gave up (Brown et al., JASA 100(469), 2005).

    None where nobody gave up.
    """
    gave_up = sum(each.gave_up for each in calls)
    waited = sum(each.waited or 0 for each in calls)
    return max(waited / gave_up / 1000, 0.001) if gave_up else None


def replayed(name: str, entry: CallersEntry, calls: Sequence[Recorded], sources: Sources) -> Iterator[Caller]:
    """The recorded calls as callers. What the journal cannot know is drawn: how long those would have talked who were
    not answered (from those who were), and how long those would have waited who were (see `mean_patience`).
    """
    talks = [each.talked / 1000 for each in calls if each.talked is not None]
    mean = mean_patience(calls)
    talk = entry.talk or (from_list(talks) if talks else Draw("fixed", (0.0,)))
    patience = entry.patience or (Draw("exponential", (mean,)) if mean else None)
    facets = entry.model_copy(update={"talk": talk, "patience": patience})
    people = _People(name, facets, sources)
    for each in calls:
        drawn = people.caller(f"{name}-{each.call}", each.at, each.queue, each.priority, each.skills)
        yield replace(
            drawn,
            talk=each.talked if each.talked is not None else drawn.talk,
            patience=_patience(each, drawn.patience, memoryless=entry.patience is None),
            customer=each.number,
        )


def _patience(call: Recorded, drawn: Millis | None, *, memoryless: bool) -> Millis | None:
    """As recorded of who gave up; of others at least as long as they waited."""
    if call.gave_up or drawn is None:
        return call.waited if call.gave_up else None
    waited = call.waited or 0
    return waited + drawn if memoryless else max(waited, drawn)
