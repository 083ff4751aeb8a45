"""Patterns of digits: matched whole, refused with a reason, and never slow."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.language.patterns import BadPattern, matches, pattern
from tests.effort import effort


@pytest.mark.parametrize(
    ("written", "fit", "misfit"),
    [
        ("1xxxxxxxxxx", ["13800000001"], ["1380000000", "138000000011", "23800000001"]),
        ("1[3-9]\\d{9}", ["13800000001", "19912345678"], ["12800000001"]),
        (".{6,12}", ["123456", "123456789012"], ["12345", "1234567890123"]),
        ("(4|6)x*", ["4", "61", "4999"], ["5", ""]),
        ("0?[^0]x", ["123"[:2], "012"], ["00", "002", "1"]),
        ("(12)+", ["12", "1212"], ["121", ""]),
        ("7{2,}", ["77", "7777"], ["7"]),
        ("(1|12)(3|23)", ["13", "123", "1223"], ["12", "1233"]),
    ],
)
def test_all_digits_must_fit(written, fit, misfit):
    read = pattern(written)
    assert [digits for digits in fit if not matches(read, digits)] == []
    assert [digits for digits in misfit if matches(read, digits)] == []


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1##", "'#' is not possible in a pattern"),
        ("", "1 to 200 characters"),
        ("1" * 201, "1 to 200 characters"),
        ("(12", "'(' is not closed"),
        ("12)", "')' stands where no bracket is open"),
        ("[12", "'[' needs digits"),
        ("[]", "'[' needs digits"),
        ("[9-1]", "are no digits"),
        ("[a-z]", "are no digits"),
        ("1{3", "is no count"),
        ("1{x}", "is no count"),
        ("1{0}", "is no count"),
        ("1{5,2}", "is no count"),
        ("1{999999999}", "is no count"),
        ("|1", "something is missing"),
        ("()", "something is missing"),
        ("(" * 50 + "1" + ")" * 50, "nested too deeply"),
        ("*1", "'*' is not possible"),
        ("\\w", "is not possible"),
        ("(?=1)", "is not possible"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(written, why):
    with pytest.raises(BadPattern, match=re.escape(why)):
        pattern(written)


PATTERNS = st.recursive(
    st.sampled_from(["1", "2", "[12]", "[^1]", "\\d", "."]),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: f"({a}|{b})", inner, inner),
        st.builds(lambda a, many: f"({a}){many}", inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{2,}"])),
    ),
    max_leaves=6,
)


@given(PATTERNS.filter(lambda text: len(text) <= 200), st.text("123", max_size=8))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_it_agrees_with_the_regular_expressions_that_everybody_knows(written, digits):
    try:
        read = pattern(written)
    except BadPattern:
        return  # nested too deeply
    assert matches(read, digits) == bool(re.fullmatch(written, digits, re.ASCII))


@pytest.mark.parametrize("written", ["((1+)+)+2", "(1*)*2", "(1|1)*2", "(1?){30}1{30}2", "((((1*)*)*)*)*2"])
def test_a_pattern_that_would_take_others_for_ever_takes_no_time(written):
    read = pattern(written)
    assert not matches(read, "1" * 64)
    assert effort(lambda: matches(read, "1" * 64)) < 3 * effort(lambda: matches(read, "1" * 32))
