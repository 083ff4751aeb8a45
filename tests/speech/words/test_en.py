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
    -1_234_567: "minus one million two hundred and thirty-four thousand five hundred and sixty-seven",
    300: "three hundred",
    1900: "one thousand nine hundred",
    "3/4": "three quarters",
    "1/2": "one half",
    "3/2": "one and a half",
    "2 1/2": "two and a half",
    "2 3/4": "two and three quarters",
    "1/3": "one third",
    "2/3": "two thirds",
    "5/16": "five sixteenths",
    "1/100": "one hundredth",
    "5/22": "five over twenty-two",
    "-1/4": "minus one quarter",
    "50%": "fifty per cent",
    "12.5%": "twelve point five per cent",
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
        ("-0.50", "USD", "minus fifty cents"),
        ("1", "HKD", "one Hong Kong dollar"),
        ("0.01", "HKD", "one cent"),
        ("1000000", "USD", "one million dollars"),
        ("1234.56", "USD", "one thousand two hundred and thirty-four dollars and fifty-six cents"),
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


@pytest.mark.parametrize(
    ("value", "said"),
    {
        1: "first",
        2: "second",
        3: "third",
        5: "fifth",
        8: "eighth",
        9: "ninth",
        11: "eleventh",
        12: "twelfth",
        13: "thirteenth",
        20: "twentieth",
        21: "twenty-first",
        40: "fortieth",
        42: "forty-second",
        99: "ninety-ninth",
        100: "one hundredth",
        101: "one hundred and first",
        112: "one hundred and twelfth",
        1000: "one thousandth",
        1_000_000: "one millionth",
        2026: "two thousand and twenty-sixth",
    }.items(),
)
def test_ordinals(value, said):
    assert join(words.ordinal(value, "en")) == said
