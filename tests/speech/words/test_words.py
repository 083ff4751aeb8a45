"""What holds in every language: what is refused, how segments are joined, which parts can be recorded."""

import contextlib
import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech import words
from speech.words import CannotRead, Segment, join

LANGUAGES = words.languages()
READINGS = [words.digits, words.number, words.ordinal, words.money, words.date, words.time, words.duration]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("value", [None, "", "!?", True, False, [], {}, b"12", "²", "١٢٣", "1" * 100, object()])
def test_what_cannot_be_read_is_refused_in_every_way(reading, value):
    with pytest.raises(CannotRead):
        reading(value, "cmn")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("1E+999999999"), 10**16, "1e5", "--5"]
)
def test_what_is_no_sensible_number_is_refused(value):
    with pytest.raises(CannotRead):
        words.number(value, "en")


@pytest.mark.parametrize("value", ["2026-13-01", "2026-02-30", "20260230", "14:30", 7, datetime.time(1)])
def test_what_is_no_date_is_refused(value):
    with pytest.raises(CannotRead):
        words.date(value, "cmn")


@pytest.mark.parametrize("value", ["24:00", "12:60", "2560", "2026-11-25", 7, datetime.date(2026, 1, 1), "noon"])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(CannotRead):
        words.time(value, "cmn")


@pytest.mark.parametrize("value", [-1, 10**9, datetime.timedelta(seconds=-1), "3x"])
def test_what_is_no_duration_is_refused(value):
    with pytest.raises(CannotRead):
        words.duration(value, "cmn")


@pytest.mark.parametrize("value", [0, -1, 1.5, "2.5", "second", "1/2"])
def test_what_is_no_place_in_a_row_is_refused(value):
    with pytest.raises(CannotRead):
        words.ordinal(value, "en")


@pytest.mark.parametrize("value", ["1/0", "1/", "/2", "1/2/3", "1/10000000", "a/b", "%", "x%", "1/2%"])
def test_what_is_no_fraction_or_percentage_is_refused(value):
    with pytest.raises(CannotRead):
        words.number(value, "cmn")


@pytest.mark.parametrize("value", [-5, 1.5, "-5", "12;drop", "1\n2", Decimal("0.5")])
def test_what_is_not_keyed_is_refused(value):
    with pytest.raises(CannotRead):
        words.digits(value, "cmn")


@pytest.mark.parametrize("reading", READINGS)
def test_an_unknown_language_is_named_with_those_that_there_are(reading):
    with pytest.raises(CannotRead, match=r"'fr'.*cmn, yue, en"):
        reading(1, "fr")


def test_an_unknown_currency_is_named_with_those_that_there_are():
    with pytest.raises(CannotRead, match=r"'XXX'.*CNY, HKD"):
        words.money(1, "cmn", currency="XXX")


def test_a_refusal_does_not_repeat_a_huge_value():
    with pytest.raises(CannotRead) as refused:
        words.number("9" * 10_000, "cmn")
    assert len(str(refused.value)) < 100


@given(st.integers(min_value=-(10**16) + 1, max_value=10**16 - 1), st.sampled_from(LANGUAGES))
def test_every_whole_number_has_words_without_figures(value, language):
    said = join(words.number(value, language))
    assert said
    assert not any(sign.isascii() and sign.isdigit() for sign in said)


_FIGURES = {figure: value for value, figure in enumerate("零一二三四五六七八九")} | {"两": 2}
_SIZES = {"十": 10, "百": 100, "千": 1000}


def _counted_back(said: str) -> int:
    """The number that Mandarin words mean, read the other way: an oracle that shares no code with the reader."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        high, found, low = said.rpartition(name)
        if found:
            return _counted_back(high) * size + (_counted_back(low) if low else 0)
    total, figure = 0, 0
    for sign in said:
        if sign in _SIZES:
            total += (figure or 1) * _SIZES[sign]
            figure = 0
        else:
            figure = _FIGURES[sign]
    return total + figure


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_mandarin_words_mean_the_number_that_was_read(value):
    said = join(words.number(value, "cmn"))
    assert _counted_back(said) == value
    assert "零零" not in said
    assert value == 0 or not said.endswith("零")


@given(st.integers(min_value=-(10**16) + 1, max_value=10**16 - 1), st.sampled_from(["cmn", "yue"]))
def test_contractions_that_no_hotline_uses_are_never_said(value, language):
    assert not set(join(words.number(value, language))) & set("廿卅卌")


@given(st.integers(1, 10**15), st.sampled_from(LANGUAGES))
def test_every_place_in_a_row_has_words(value, language):
    assert words.ordinal(value, language)


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(LANGUAGES))
def test_every_amount_has_words(value, language):
    assert words.money(value, language)


@given(st.dates(), st.times(), st.sampled_from(LANGUAGES))
def test_every_date_and_time_has_words(day, clock, language):
    assert words.date(day, language)
    assert words.date(day.isoformat(), language) == words.date(day, language)
    assert words.time(clock.isoformat(), language) == words.time(clock, language)


@given(st.integers(0, 10**9 - 1), st.sampled_from(LANGUAGES))
def test_every_duration_has_words(seconds, language):
    assert words.duration(seconds, language)


@given(st.text(max_size=80))
def test_keyed_text_is_read_or_refused_never_anything_else(text):
    for reading in READINGS:
        with contextlib.suppress(CannotRead):
            assert reading(text, "yue")


def test_digits_that_must_not_stand_in_one_file_stand_alone():
    assert all(segment.alone for segment in words.digits("4711", "en", apart=True))
    assert not any(segment.alone for segment in words.digits("4711", "en"))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (["Order ", "two", "zero", " is due."], "Order two zero is due."),
        (["Order", "two", "."], "Order two."),
        (["twenty-", "two"], "twenty-two"),
        (["您的订单", "二", "零", "，已发货"], "您的订单二零，已发货"),
        (["A", "B", "一"], "A B一"),
        (["来自", "service", "的来电"], "来自service的来电"),
        (["(", "two", ")"], "(two)"),
        ([], ""),
        (["", "two"], "two"),
    ],
)
def test_segments_are_joined_as_they_are_written(said, text):
    assert join([Segment(piece) for piece in said]) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_every_reading_could_be_recorded(language):
    segments = [
        *words.digits("+0123456789*#", language, yao=True),
        *words.number("-1234567890123456.5", language),
        *words.number("12%", language),
        *(part for bottom in range(2, 23) for part in words.number(f"-2 1/{bottom}", language)),
        *(part for place in (*range(1, 32), 40, 100, 10**3, 10**6, 10**9) for part in words.ordinal(place, language)),
        *(
            part
            for money in ("12.34", "1.01")
            for code in words.CURRENCIES
            for part in words.money(money, language, currency=code)
        ),
        *(part for month in range(1, 13) for part in words.date(f"1905-{month:02}-{month + 16}", language)),
        *(part for hour in range(24) for part in words.time(f"{hour:02}:05", language)),
        *(part for seconds in (90061, 86400 * 2 + 7322) for part in words.duration(seconds, language)),
    ]
    recordable = words.parts(language)
    for segment in segments:
        assert segment.recording in recordable, segment
        assert recordable[segment.recording] == segment.text.rstrip("-,")


def test_one_id_never_names_two_words():
    for language in LANGUAGES:
        spoken = {}
        for recording, word in words._LANGUAGES[language].parts.items():
            spoken.setdefault(word, set()).add(recording.rstrip("-"))
        assert all(len(variants) == 1 for variants in spoken.values())
