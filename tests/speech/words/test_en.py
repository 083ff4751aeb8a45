"""English, as most of the world counts: with `and`."""

from datetime import date, datetime

import pytest

from speech import words
from speech.words import join

NUMBERS = {
    0: "zero",
    2: "two",
    10: "ten",
    12: "twelve",
    20: "twenty",
    22: "twenty-two",
    100: "one hundred",
    101: "one hundred and one",
    110: "one hundred and ten",
    200: "two hundred",
    999: "nine hundred and ninety-nine",
    1001: "one thousand and one",
    1010: "one thousand and ten",
    1100: "one thousand one hundred",
    2000: "two thousand",
    10_000: "ten thousand",
    10_203: "ten thousand two hundred and three",
    20_000: "twenty thousand",
    22_022: "twenty-two thousand and twenty-two",
    100_000: "one hundred thousand",
    110_000: "one hundred and ten thousand",
    1_000_001: "one million and one",
    10**8: "one hundred million",
    10**9: "one billion",
    1_234_567: "one million two hundred and thirty-four thousand five hundred and sixty-seven",
    9_999_999_999_999_999: (
        "nine thousand nine hundred and ninety-nine trillion nine hundred and ninety-nine billion "
        "nine hundred and ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine"
    ),
    -5: "minus five",
    "42.10": "forty-two point one zero",
    "0.5": "zero point five",
    0.1 + 0.2: "zero point three",
}


@pytest.mark.parametrize(("value", "said"), NUMBERS.items())
def test_numbers(value, said):
    assert join(words.number(value, "en")) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "202611": "two zero two six one one",
        "007": "zero zero seven",
        "+44 20": "plus four four two zero",
        "1*2#": "one star two hash",
        "ab1": "A B one",
    }.items(),
)
def test_digits(value, said):
    assert join(words.digits(value, "en")) == said


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        ("42.10", "CNY", "forty-two yuan and ten fen"),
        ("42.10", "USD", "forty-two dollars and ten cents"),
        ("42.10", "HKD", "forty-two Hong Kong dollars and ten cents"),
        ("1.01", "USD", "one dollar and one cent"),
        ("1.01", "GBP", "one pound and one penny"),
        ("2", "EUR", "two euros"),
        ("0.99", "GBP", "ninety-nine pence"),
        ("0", "USD", "zero dollars"),
        ("-3", "USD", "minus three dollars"),
    ],
)
def test_money(value, currency, said):
    assert join(words.money(value, "en", currency=currency)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "2026-11-25": "November twenty-fifth, twenty twenty-six",
        "2000-01-01": "January first, two thousand",
        "2005-02-02": "February second, two thousand and five",
        "2010-03-03": "March third, twenty ten",
        "1905-04-12": "April twelfth, nineteen oh five",
        "1900-05-20": "May twentieth, nineteen hundred",
        "1999-06-21": "June twenty-first, nineteen ninety-nine",
        date(2026, 7, 30): "July thirtieth, twenty twenty-six",
        datetime(2026, 8, 31, 1, 2): "August thirty-first, twenty twenty-six",
    }.items(),
)
def test_dates(value, said):
    assert join(words.date(value, "en")) == said


def test_a_date_without_its_year():
    assert join(words.date("2026-11-23", "en", year=False)) == "November twenty-third"


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "00:00": "midnight",
        "00:30": "twelve thirty a.m.",
        "09:05": "nine oh five a.m.",
        "11:00": "eleven a.m.",
        "12:00": "twelve noon",
        "12:30": "twelve thirty p.m.",
        "14:00": "two p.m.",
        "22:45": "ten forty-five p.m.",
    }.items(),
)
def test_times(value, said):
    assert join(words.time(value, "en")) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        0: "zero seconds",
        1: "one second",
        60: "one minute",
        90: "one minute and thirty seconds",
        7200: "two hours",
        90_061: "one day, one hour, one minute and one second",
    }.items(),
)
def test_durations(value, said):
    assert join(words.duration(value, "en")) == said
