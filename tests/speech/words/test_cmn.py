"""Mandarin, as a teacher in Beijing would mark it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from speech import words
from speech.words import join

NUMBERS = {
    0: "零",
    1: "一",
    2: "二",
    9: "九",
    10: "十",
    11: "十一",
    12: "十二",
    19: "十九",
    20: "二十",
    22: "二十二",
    99: "九十九",
    100: "一百",
    101: "一百零一",
    110: "一百一十",
    111: "一百一十一",
    120: "一百二十",
    200: "二百",
    202: "二百零二",
    212: "二百一十二",
    222: "二百二十二",
    1000: "一千",
    1001: "一千零一",
    1010: "一千零一十",
    1012: "一千零一十二",
    1100: "一千一百",
    1234: "一千二百三十四",
    2000: "两千",
    2002: "两千零二",
    2200: "两千二百",
    9999: "九千九百九十九",
    10_000: "一万",
    10_001: "一万零一",
    10_010: "一万零一十",
    10_203: "一万零二百零三",
    11_000: "一万一千",
    12_000: "一万二千",
    20_000: "两万",
    22_000: "两万二千",
    20_300: "两万零三百",
    100_000: "十万",
    100_100: "十万零一百",
    105_000: "十万五千",
    110_000: "十一万",
    120_000: "十二万",
    200_000: "二十万",
    1_000_000: "一百万",
    1_020_304: "一百零二万零三百零四",
    10_001_000: "一千万一千",
    12_003_000: "一千二百万三千",
    20_000_000: "两千万",
    100_000_000: "一亿",
    100_000_001: "一亿零一",
    100_010_000: "一亿零一万",
    200_000_000: "两亿",
    123_456_789: "一亿二千三百四十五万六千七百八十九",
    1_000_000_000: "十亿",
    1_200_000_000: "十二亿",
    10_000_001_000: "一百亿零一千",
    1_000_000_000_000: "一万亿",
    9_999_999_999_999_999: "九千九百九十九万九千九百九十九亿九千九百九十九万九千九百九十九",
    -5: "负五",
    -10: "负十",
    -20_000: "负两万",
    "42.10": "四十二点一零",
    "0.5": "零点五",
    "-0.5": "负零点五",
    "-0": "零",
    "007": "七",
    "1,234.5": "一千二百三十四点五",
    "42": "四十二",
    Decimal("3.14"): "三点一四",
    21: "二十一",  # never 廿一
    32: "三十二",  # nor 卅二
    2_222: "两千二百二十二",
    2_000_002: "二百万零二",
    20_000_000_000: "二百亿",
    1_000_010_000: "十亿零一万",
    -123_456: "负十二万三千四百五十六",
    "3/4": "四分之三",
    "1/2": "二分之一",
    "2 3/4": "二又四分之三",
    "-1/3": "负三分之一",
    "7/4": "一又四分之三",
    "8/4": "二",
    Fraction(5, 6): "六分之五",
    "50%": "百分之五十",
    "12.5 %": "百分之十二点五",
    "100%": "百分之一百",
    "-3%": "负百分之三",
    "0.5%": "百分之零点五",
    0.1 + 0.2: "零点三",
}


@pytest.mark.parametrize(("value", "said"), NUMBERS.items())
def test_numbers(value, said):
    assert join(words.number(value, "cmn")) == said


@pytest.mark.parametrize(
    ("value", "said"), {2: "两", 12: "十二", 22: "二十二", 200: "二百", 2000: "两千", 1: "一"}.items()
)
def test_numbers_before_a_measure_word(value, said):
    assert join(words.number(value, "cmn", counted=True)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "202611": "二零二六一一",
        202611: "二零二六一一",
        "007": "零零七",
        "13800000001": "一三八零零零零零零零一",
        "+86 138-0000-0001": "加八六一三八零零零零零零零一",
        "1*2#": "一星号二井号",
        "A7": "A七",
        "ab": "A B",
        "１２３": "一二三",  # full-width
        "(0755) 8200.1111": "零七五五八二零零一一一一",
    }.items(),
)
def test_digits(value, said):
    assert join(words.digits(value, "cmn")) == said


def test_numbers_of_other_types():
    assert join(words.number(2.0, "cmn")) == "二"
    assert join(words.number(1e8, "cmn")) == "一亿"
    assert join(words.number(Decimal("2.0"), "cmn")) == "二点零"
    assert join(words.number(Decimal("1E+4"), "cmn")) == "一万"


def test_digits_of_a_real_column():
    assert join(words.digits(202611.0, "cmn")) == "二零二六一一"
    assert join(words.digits(Decimal("202611.00"), "cmn")) == "二零二六一一"


def test_the_one_of_telephone_numbers():
    assert join(words.digits("110", "cmn", yao=True)) == "幺幺零"


@pytest.mark.parametrize(
    ("value", "said"),
    {
        0: "零元",
        1: "一元",
        2: "两元",
        12: "十二元",
        100: "一百元",
        200: "二百元",
        2000: "两千元",
        "42.10": "四十二元一角",
        42.1: "四十二元一角",
        "42.01": "四十二元零一分",
        "42.15": "四十二元一角五分",
        "2.22": "两元二角二分",
        "100.05": "一百元零五分",
        "0.50": "五角",
        "0.20": "两角",
        "0.05": "五分",
        "0.02": "两分",
        "0.55": "五角五分",
        "-3.50": "负三元五角",
        "-0.001": "零元",
        "10203": "一万零二百零三元",
        "9.995": "十元",
        Decimal("1234.56"): "一千二百三十四元五角六分",
        "20.20": "二十元二角",
        "2000.02": "两千元零二分",
        "20000": "两万元",
        "100000000": "一亿元",
        "-0.05": "负五分",
        "0.10": "一角",
    }.items(),
)
def test_money(value, said):
    assert join(words.money(value, "cmn")) == said


@pytest.mark.parametrize(
    ("currency", "said"),
    {"HKD": "四十二港元一角", "USD": "四十二美元十美分", "EUR": "四十二欧元十欧分", "GBP": "四十二英镑十便士"}.items(),
)
def test_other_currencies(currency, said):
    assert join(words.money("42.10", "cmn", currency=currency)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "2026-11-25": "二零二六年十一月二十五日",
        "20261125": "二零二六年十一月二十五日",
        20261125: "二零二六年十一月二十五日",
        "2026-02-02 09:05:00": "二零二六年二月二日",
        "2026-11-25T23:59:59+08:00": "二零二六年十一月二十五日",
        date(2000, 1, 10): "二零零零年一月十日",
        datetime(1999, 12, 31, 23, 59): "一九九九年十二月三十一日",
    }.items(),
)
def test_dates(value, said):
    assert join(words.date(value, "cmn")) == said


def test_a_date_without_its_year():
    assert join(words.date("2026-11-25", "cmn", year=False)) == "十一月二十五日"


@pytest.mark.parametrize(
    ("value", "said"),
    {
        "00:00": "凌晨零点",
        "00:30": "凌晨零点三十分",
        "02:00": "凌晨两点",
        "05:59": "凌晨五点五十九分",
        "06:00": "上午六点",
        "08:30": "上午八点三十分",
        "9:05": "上午九点零五分",
        "11:10": "上午十一点十分",
        "12:00": "中午十二点",
        "12:30": "中午十二点三十分",
        "13:00": "下午一点",
        "14:02": "下午两点零二分",
        "17:30:00": "下午五点三十分",
        "18:00": "下午六点",
        "18:59": "下午六点五十九分",
        "19:00": "晚上七点",
        "22:22": "晚上十点二十二分",
        "23:59": "晚上十一点五十九分",
        "1730": "下午五点三十分",
        "2026-11-25 14:30:00.000000": "下午两点三十分",
        datetime(2026, 11, 25, 9, 0, 59): "上午九点",
    }.items(),
)
def test_times(value, said):
    assert join(words.time(value, "cmn")) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        0: "零秒",
        2: "两秒",
        30: "三十秒",
        29.6: "三十秒",
        60: "一分钟",
        90: "一分三十秒",
        120: "两分钟",
        122: "两分两秒",
        720: "十二分钟",
        3600: "一小时",
        3605: "一小时零五秒",
        5400: "一小时三十分钟",
        7200: "两小时",
        86_400: "一天",
        86_700: "一天零五分钟",
        90_061: "一天一小时一分一秒",
        172_800: "两天",
        "90": "一分三十秒",
        timedelta(hours=1): "一小时",
    }.items(),
)
def test_durations(value, said):
    assert join(words.duration(value, "cmn")) == said


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        ("42.05", "HKD", "四十二港元零五分"),
        ("42.05", "USD", "四十二美元五美分"),
        ("0.02", "USD", "两美分"),
        ("2.02", "USD", "两美元两美分"),
        ("2.02", "EUR", "两欧元两欧分"),
        ("2.02", "GBP", "两英镑两便士"),
        ("2.12", "USD", "两美元十二美分"),
        ("2.02", "CNY", "两元零二分"),
        ("0.2", "HKD", "两角"),
        ("2", "USD", "两美元"),
        ("-2.5", "USD", "负两美元五十美分"),
        ("1000000", "USD", "一百万美元"),
    ],
)
def test_jiao_and_fen_or_cents(value, currency, said):
    assert join(words.money(value, "cmn", currency=currency)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    {
        1: "第一",
        2: "第二",  # never 第两
        10: "第十",
        12: "第十二",
        20: "第二十",
        22: "第二十二",
        102: "第一百零二",
        2000: "第两千",
        "3": "第三",
        4.0: "第四",
    }.items(),
)
def test_ordinals(value, said):
    assert join(words.ordinal(value, "cmn")) == said


@pytest.mark.parametrize(
    ("value", "said"), {1: "一位", 2: "两位", 12: "十二位", 20: "二十位", 22: "二十二位", 102: "一百零二位"}.items()
)
def test_two_is_liang_alone_before_a_measure_word(value, said):
    assert join([*words.number(value, "cmn", counted=True), words.Segment("位")]) == said


def test_the_one_of_a_whole_telephone_number():
    assert join(words.digits("13811011121", "cmn", yao=True)) == "幺三八幺幺零幺幺幺二幺"
    assert join(words.digits("13811011121", "cmn")) == "一三八一一零一一一二一"
