"""flows/calendars.yaml: when a business is open. Pure: the time is passed in.

office:
  zone: Asia/Shanghai
  open: {mon-fri: "08:30-12:00, 13:30-18:00", sat: "09:00-12:00"}
  holidays: CN
  exceptions: {"2026-10-10": "08:30-18:00", "2026-12-31": closed}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import holidays as calendar_of_holidays  # the countries themselves are read when a day of theirs is asked for
from holidays.registry import EntityLoader
from pydantic import AfterValidator, BeforeValidator, Field

from config.document import Document, Written, arranged, parse
from config.values import Diagnostic, is_time_zone, zone_of_place
from config.wording import suggestion
from ivr.services import HoursState

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Span:
    """Open from one minute of the day to another, the second not included; past 1440 it ends on the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week`: the spans of each weekday from Monday; `exceptions` come before `holidays` and the week."""

    name: str
    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...]
    holidays: str = ""  # a country, or country and region as in DE-BY
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def state(self, at: datetime) -> HoursState:
        """Whether it is open at an aware time."""
        local = at.astimezone(self.zone)
        today, minute = local.date(), local.hour * 60 + local.minute
        if any(span.start <= minute < span.end for span in self.spans(today)):
            return "open"
        yesterday = today - timedelta(days=1)
        if any(minute + 1440 < span.end for span in self.spans(yesterday)):
            return "open"
        return "holiday" if self._is_day_off(today) else "closed"

    def changes(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, HoursState]]:
        """What it says at an aware time, and whenever it says something else until another."""
        said = ""
        for at in (since, *sorted(edge for edge in self._edges(since, until) if since < edge < until)):
            if (state := self.state(at)) != said:
                said = state
                yield at, state

    def _edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Midnights, and the times at which spans begin and end: between two of them nothing changes."""
        day, last = since.astimezone(self.zone).date() - timedelta(days=1), until.astimezone(self.zone).date()
        while day <= last:
            midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
            yield midnight
            for span in self.spans(day):
                yield midnight + timedelta(minutes=span.start)
                yield midnight + timedelta(minutes=span.end)
            day += timedelta(days=1)

    def spans(self, day: date) -> tuple[Span, ...]:
        if day in self.exceptions:
            return self.exceptions[day]
        return () if self._is_holiday(day) else self.week[day.weekday()]

    def _is_day_off(self, day: date) -> bool:
        """A holiday, or a day that an exception closes; a day with hours of its own is neither."""
        return not self.exceptions[day] if day in self.exceptions else self._is_holiday(day)

    def _is_holiday(self, day: date) -> bool:
        return bool(self.holidays) and day in _holidays(self.holidays)


class OpeningHours:
    """`ivr.services.Calendars` over some calendars."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self._calendars = calendars

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._calendars)

    def state(self, calendar: str, at: datetime) -> HoursState:
        return self._calendars[calendar].state(at)


def load_calendars(text: str, name: str) -> tuple[Mapping[str, Calendar], list[Diagnostic]]:
    """Every calendar of a file, or none and everything that is wrong."""
    document, problems = parse(text, name)
    if document is None:
        return {}, problems
    calendars, wrong = calendars_of(document)
    return ({}, arranged(problems + wrong)) if problems or wrong else (calendars, [])


def calendars_of(document: Document) -> tuple[Mapping[str, Calendar], list[Diagnostic]]:
    """As `load_calendars`, of a document that was read already."""
    entries, problems = document.validate(CalendarFile)
    if entries is None:
        return {}, arranged(problems)
    return {calendar: entry.calendar(calendar) for calendar, entry in entries.items()}, []


# --- what is written -------------------------------------------------------------------------------


def _zone(text: str) -> str:
    if not is_time_zone(text):
        in_china = text.rpartition("/")[2].lower() in _IN_CHINA
        hint = _SHANGHAI if in_china else zone_of_place(text) or suggestion(text, available_timezones())
        raise ValueError(f"'{text}' is not a time zone.{hint or _ZONES}")
    return text


_IN_CHINA = {
    "beijing",
    "peking",
    "guangzhou",
    "shenzhen",
    "chengdu",
    "wuhan",
    "hangzhou",
    "nanjing",
    "tianjin",
    "china",
}
_SHANGHAI = " All of China is Asia/Shanghai"
_ZONES = " Write for example Asia/Shanghai, Asia/Hong_Kong or Europe/London"


def _country(text: str) -> str:
    country, _, region = text.partition("-")
    known = EntityLoader.get_country_codes()
    if country not in known:
        hint = f".{suggestion(country, known)}" if country.upper() in known else ""
        raise ValueError(
            f"no holidays are known for '{text}'; write a country's two letters, such as CN, HK or GB{hint}"
        )
    if region and region not in (regions := getattr(calendar_of_holidays, country).subdivisions):
        raise ValueError(f"no region '{region}' of {country} is known; there are {', '.join(regions) or 'none'}")
    return text


def _spans(written: object) -> object:
    if not isinstance(written, str):
        raise ValueError('hours are expected here, such as "08:30-18:00", or the word closed')  # noqa: TRY004
    if written.strip() == CLOSED:
        return ()
    return tuple(_span(part) for part in written.split(","))


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text.strip())
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not found or int(found[2]) > 59 or int(found[4]) > 59 or start >= 1440 or end > 1440 or start == end:
        hint = f".{meant}" if (meant := suggestion(text.strip(), [CLOSED])) else ""
        raise ValueError(f'\'{text.strip()}\' are no hours; write for example "08:30-18:00" or "22:00-06:00"{hint}')
    return Span(start, end if end > start else end + 1440)


def _days(text: str) -> tuple[int, ...]:
    """The weekdays of ``mon``, ``mon-fri``, ``mon, wed`` or ``daily``."""
    if text.strip() == "daily":
        return tuple(range(7))
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        for word in (first, last) if dash else (first,):
            if word not in DAYS:
                raise ValueError(f"'{word}' is not a weekday; write {', '.join(DAYS)}, mon-fri or daily")
        start, end = DAYS.index(first), DAYS.index(last if dash else first)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return tuple(found)


def _once(week: dict[str, Any]) -> dict[str, Any]:
    seen: dict[int, str] = {}
    for written in week:
        for day in _days(written):
            if day in seen:
                raise ValueError(f"{DAYS[day]} stands in '{seen[day]}' and in '{written}'")
            seen[day] = written
    return week


def _date(text: object) -> object:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"'{text}' is not a date; write for example 2026-12-31") from None


def _weekday(text: str) -> str:
    _days(text)
    return text


Hours = Annotated[tuple[Span, ...], BeforeValidator(_spans, json_schema_input_type=str)]
Week = Annotated[dict[Annotated[str, AfterValidator(_weekday)], Hours], Field(min_length=1), AfterValidator(_once)]


class Entry(Written):
    """One calendar."""

    zone: Annotated[str, AfterValidator(_zone)]
    """The time zone in which the hours are meant, such as Asia/Shanghai."""
    open: Week
    """The weekdays (`mon`, `mon-fri`, `daily`) and their hours: `"08:30-12:00, 13:30-18:00"`, or `closed`."""
    holidays: Annotated[str, AfterValidator(_country)] = ""
    """A country (CN, HK, GB), or country and region (DE-BY), whose public holidays are days off."""
    exceptions: Mapping[Annotated[date, BeforeValidator(_date)], Hours] = Field(default_factory=dict)
    """Single days that are otherwise, written 2026-12-31: hours of their own, or `closed`."""

    def calendar(self, name: str) -> Calendar:
        week: list[tuple[Span, ...]] = [()] * 7
        for written, spans in self.open.items():
            for day in _days(written):
                week[day] = spans
        return Calendar(name, ZoneInfo(self.zone), tuple(week), self.holidays, dict(self.exceptions))


CalendarFile = dict[str, Entry]


@cache
def _holidays(country: str) -> Any:
    """The holidays of a country; years are worked out when a day of theirs is asked for."""
    code, _, region = country.partition("-")
    return calendar_of_holidays.country_holidays(code, subdiv=region or None)
