"""Cantonese, in the characters and words of a Hong Kong hotline."""

from datetime import date

import pytest

from speech import words
from speech.words import join

NUMBERS = {
    0: "零",
    2: "二",
    10: "十",
    12: "十二",
    20: "二十",
    22: "二十二",
    100: "一百",
    101: "一百零一",
    110: "一百一十",
    20_300: "兩萬零三百",
    105_000: "十萬五千",
    1_020_304: "一百零二萬零三百零四",
    100_000_001: "一億零一",
    9999: "九千九百九十九",
    21: "二十一",
    32: "三十二",
    200: "二百",
    1001: "一千零一",
    1010: "一千零一十",
    2000: "兩千",
    10_000: "一萬",
    10_203: "一萬零二百零三",
    20_000: "兩萬",
    22_000: "兩萬二千",
    100_000: "十萬",
    10**8: "一億",
    2 * 10**8: "兩億",
    -5: "負五",
    "42.10": "四十二點一零",
    "0.5": "零點五",
    "3/4": "四分之三",
    "2 1/2": "二又二分之一",
    "12.5%": "百分之十二點五",
    "-3%": "負百分之三",
}


@pytest.mark.parametrize(("value", "said"), NUMBERS.items())
def test_numbers(value, said):
    assert join(words.number(value, "yue")) == said


def test_two_before_a_measure_word():
    assert join(words.number(2, "yue", counted=True)) == "兩"


@pytest.mark.parametrize(
    ("value", "said"),
    {"202611": "二零二六一一", "+852 2345 6789": "加八五二二三四五六七八九", "1*2#": "一星號二井號"}.items(),
)
def test_digits(value, said):
    assert join(words.digits(value, "yue", yao=True)) == said  # 幺 is not Cantonese


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        ("42.10", "CNY", "四十二元一角"),
        ("42.05", "CNY", "四十二元零五分"),
        (2, "CNY", "兩元"),
        ("42.10", "HKD", "四十二港元一毫"),
        ("42.15", "HKD", "四十二港元一毫五仙"),
        ("0.5", "HKD", "五毫"),
        ("42.10", "USD", "四十二美元十美仙"),
        ("2", "GBP", "兩英鎊"),
        ("-3", "EUR", "負三歐元"),
        ("-0.5", "HKD", "負五毫"),
        ("0.2", "HKD", "兩毫"),
        ("2.02", "USD", "兩美元兩美仙"),
        ("2.22", "HKD", "兩港元二毫二仙"),
        ("100.05", "HKD", "一百港元零五仙"),
        ("10203", "HKD", "一萬零二百零三港元"),
        ("200000000", "CNY", "兩億元"),
        ("0.01", "USD", "一美仙"),
    ],
)
def test_money(value, currency, said):
    assert join(words.money(value, "yue", currency=currency)) == said


def test_dates():
    assert join(words.date("2026-11-25", "yue")) == "二零二六年十一月二十五日"
    assert join(words.date(date(2026, 2, 2), "yue", year=False)) == "二月二日"


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "00:05": "凌晨十二點零五分",
        "06:00": "朝早六點",
        "08:30": "朝早八點三十分",
        "11:59": "朝早十一點五十九分",
        "12:00": "中午十二點",
        "12:30": "中午十二點三十分",
        "13:00": "晏晝一點",
        "14:00": "晏晝兩點",
        "17:59": "晏晝五點五十九分",
        "18:00": "夜晚六點",
        "22:45": "夜晚十點四十五分",
    }.items(),
)
def test_times(value, said):
    assert join(words.time(value, "yue")) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        30: "三十秒",
        60: "一分鐘",
        90: "一分三十秒",
        120: "兩分鐘",
        3605: "一個鐘零五秒",
        5400: "一個鐘三十分鐘",
        7200: "兩個鐘",
        86_400: "一日",
        172_800: "兩日",
        90_061: "一日一個鐘一分一秒",
    }.items(),
)
def test_durations(value, said):
    assert join(words.duration(value, "yue")) == said


@pytest.mark.parametrize(
    ("value", "said"), {1: "第一", 2: "第二", 12: "第十二", 20: "第二十", "102": "第一百零二"}.items()
)
def test_ordinals(value, said):
    assert join(words.ordinal(value, "yue")) == said
