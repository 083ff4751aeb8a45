"""When the hotline says that it is open."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ivr.language.calendars import DAYS, OpeningHours, load_calendars

CHECKOUT = Path(__file__).resolve().parents[3]
OFFICE = """\
office:
  zone: Asia/Shanghai
  open: {mon-fri: "08:30-12:00, 13:30-18:00", sat: "09:00-12:00"}
  holidays: CN
  exceptions: {"2026-10-10": "08:30-18:00", "2026-12-31": closed, "2026-10-01": "10:00-11:00"}
night:
  zone: Europe/London
  open: {daily: "22:00-06:00"}
  exceptions: {"2026-03-28": closed}
always: {zone: UTC, open: {fri-mon: "00:00-24:00", "tue, wed": "00:00-24:00", thu: "00:00-24:00"}}
"""


def hours():
    calendars, problems = load_calendars(OFFICE, "c.yaml")
    assert problems == []
    return OpeningHours(calendars)


def shanghai(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-23 08:29", "closed"),
        ("2026-11-23 08:30", "open"),
        ("2026-11-23 11:59", "open"),
        ("2026-11-23 12:00", "closed"),
        ("2026-11-23 13:30", "open"),
        ("2026-11-23 18:00", "closed"),
        ("2026-11-28 09:00", "open"),  # Saturday
        ("2026-11-28 12:00", "closed"),
        ("2026-11-29 10:00", "closed"),  # Sunday
        ("2026-10-02 10:00", "holiday"),  # National Day week
        ("2026-10-10 17:00", "open"),  # a Saturday that is worked
        ("2026-12-31 10:00", "holiday"),  # closed by an exception
        ("2026-10-01 10:30", "open"),  # a holiday with hours of its own
        ("2026-10-01 12:30", "closed"),
    ],
)
def test_the_office_is_open_by_week_holidays_and_exceptions(at, state):
    assert hours().state("office", shanghai(at)) == state


@pytest.mark.parametrize("calendar", ["office", "night", "always"])
@pytest.mark.parametrize("since", ["2026-10-01 10:30", "2026-03-26 00:00"])  # with holidays, and a change of the clocks
def test_its_changes_are_those_that_a_look_at_every_minute_finds(calendar, since):
    found = load_calendars(OFFICE, "c.yaml")[0][calendar]
    begin = shanghai(since).astimezone(UTC)
    minutes = [begin + timedelta(minutes=number) for number in range(12 * 1440)]
    states = [found.state(at) for at in minutes]
    expected = [
        (at, state) for at, state, before in zip(minutes, states, ["", *states], strict=False) if state != before
    ]
    assert list(found.changes(begin, begin + timedelta(days=12))) == expected


def test_the_time_is_meant_in_the_calendars_own_zone():
    assert hours().state("office", datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) == "open"
    assert hours().state("office", datetime(2026, 11, 23, 11, 0, tzinfo=UTC)) == "closed"


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-23 21:59", "closed"),
        ("2026-11-23 22:00", "open"),
        ("2026-11-24 05:59", "open"),
        ("2026-11-24 06:00", "closed"),
        ("2026-03-28 05:59", "open"),  # Friday's night still
        ("2026-03-28 23:00", "holiday"),
        ("2026-03-29 05:00", "closed"),  # no night began on the 28th
        ("2026-03-29 22:30", "open"),  # the clocks went forward at one
    ],
)
def test_a_night_lasts_into_the_next_day(at, state):
    london = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Europe/London"))
    assert hours().state("night", london) == state


@pytest.mark.parametrize("day", range(7))
def test_a_range_of_days_may_pass_the_week_end(day):
    assert hours().state("always", datetime(2026, 11, 23 + day, 3, 0, tzinfo=UTC)) == "open"
    assert date(2026, 11, 23 + day).strftime("%a").lower() == DAYS[day]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (
            "a: {zone: Asia/Shangai, open: {daily: '1:00-2:00'}}",
            "c.yaml:1:11: a.zone: 'Asia/Shangai' is not a time zone. Did you mean 'Asia/Shanghai'?",
        ),
        (
            "a: {zone: UTC, open: {mo-fri: '1:00-2:00'}}",
            "c.yaml:1:23: a.open.mo-fri: the key 'mo' is not a weekday;"
            " write mon, tue, wed, thu, fri, sat, sun, mon-fri or daily",
        ),
        (
            "a: {zone: UTC, open: {mon-fri: '1:00-2:00', fri: '3:00-4:00'}}",
            "c.yaml:1:22: a.open: fri stands in 'mon-fri' and in 'fri'",
        ),
        (
            "a: {zone: UTC, open: {daily: 8-18}}",
            'c.yaml:1:30: a.open.daily: \'8-18\' are no hours; write for example "08:30-18:00" or "22:00-06:00"',
        ),
        (
            "a: {zone: UTC, open: {daily: '25:00-26:00'}}",
            'c.yaml:1:30: a.open.daily: \'25:00-26:00\' are no hours; write for example "08:30-18:00" or "22:00-06:00"',
        ),
        (
            "a: {zone: UTC, open: {daily: '1:00-2:00'}, holidays: XX}",
            "c.yaml:1:54: a.holidays: no holidays are known for 'XX'; write a country's two letters, such as CN, HK or GB",  # noqa: E501
        ),
        (
            "a: {zone: UTC, open: {daily: '1:00-2:00'}, holidays: GB-XX}",
            "c.yaml:1:54: a.holidays: no region 'XX' of GB is known; there are ENG, NIR, SCT, WLS",
        ),
        (
            "a: {zone: UTC, open: {daily: '1:00-2:00'}, exceptions: {2026-13-01: closed}}",
            "c.yaml:1:57: a.exceptions.2026-13-01: the key '2026-13-01' is not a date; write for example 2026-12-31",
        ),
        ("a: {zone: UTC}", "c.yaml:1:1: a: 'open' is missing"),
    ],
)
def test_mistakes_are_told_where_they_stand(written, problem):
    calendars, problems = load_calendars(written, "c.yaml")
    assert calendars == {}
    assert [str(found) for found in problems] == [problem]


def test_reading_a_calendar_does_not_read_the_holidays_of_all_the_world():
    """Every command reads the calendars, and hardly any looks up a holiday."""
    reading = f"from ivr.language.calendars import load_calendars; load_calendars({OFFICE!r}, 'c.yaml')"
    check = "import sys; assert 'holidays.countries' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"{reading}; {check}"], cwd=CHECKOUT, check=True, timeout=60)


@pytest.mark.parametrize("zone", ["GMT+8", "UTC+8", "UTC+08:00", "+8", "CST", "cst", "BJT"])
def test_for_an_offset_or_an_abbreviation_a_place_is_asked_for_and_no_zone_of_another_offset_named(zone):
    _, (problem,) = load_calendars(f"a: {{zone: '{zone}', open: {{daily: '1:00-2:00'}}}}", "c.yaml")
    assert problem.message == (
        f"a.zone: '{zone}' is not a time zone. "
        "Name a place that has this time, for example Asia/Shanghai, Asia/Hong_Kong or Europe/London"
    )


def test_a_zone_that_is_written_small_is_meant_as_it_is():
    _, (problem,) = load_calendars("a: {zone: utc, open: {daily: '1:00-2:00'}}", "c.yaml")
    assert problem.message.endswith("Did you mean 'UTC'?")


def test_hours_with_a_semicolon_of_another_keyboard_between_them_get_a_remedy_that_is_taken():
    hours = "08:30-12:00；13:30-18:00"
    _, (problem,) = load_calendars(f"a: {{zone: UTC, open: {{daily: '{hours}'}}}}", "c.yaml")
    assert problem.message.endswith("'；' at character 12 is of another keyboard; write ,")
    assert load_calendars(f"a: {{zone: UTC, open: {{daily: '{hours.replace('；', ',')}'}}}}", "c.yaml")[1] == []
