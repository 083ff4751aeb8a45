"""flows/reasons.yaml: what is written becomes reasons with their keys; what is wrong is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.reasons import USUAL, load_reasons

FLOWS = Path(__file__).resolve().parents[2] / "flows"


def problems(text: str) -> list[str]:
    reasons, found = load_reasons(text, "reasons.yaml")
    assert reasons is None
    return [str(problem) for problem in found]


def test_what_is_shipped_are_the_usual_ones():
    assert load_reasons((FLOWS / "reasons.yaml").read_text(encoding="utf-8"), "f") == (USUAL, [])


@pytest.mark.parametrize("text", ["", "{}", "# none yet\n"])
def test_without_any_the_usual_ones_are_meant(text):
    assert load_reasons(text, "f") == (USUAL, [])


def test_a_key_says_its_reason_and_no_key_or_another_one_the_first():
    reasons, found = load_reasons('round: {key: 7}\nhandover: {key: "#"}\npaperwork: {}\n', "f")
    assert found == []
    assert [reasons.by_key(digit) for digit in ("7", "#", "1", "")] == ["round", "handover", "round", "round"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("break: {kee: 1}", "reasons.yaml:1:9: break.kee: 'kee' is not known here. Did you mean 'key'?"),
        ("break: {key: 1}\nmeal: {key: 1}\n", "reasons.yaml:2:13: meal.key: the key 1 means 'break' already"),
        ("break: {key: 12}", "reasons.yaml:1:14: break.key: "),
        ("no answer: {key: 1}", "reasons.yaml:1:1: "),
        ("- break", "reasons.yaml:1:1: "),
    ],
)
def test_slips_are_told_with_their_places(text, told):
    (problem,) = problems(text)
    assert problem.startswith(told)


def test_a_name_and_a_key_that_cannot_be_are_told_what_can_in_words():
    assert [one.message for one in load_reasons("the meal: {key: 12}\n", "reasons.yaml")[1]] == [
        "the meal: the key 'the meal' is not possible here; write letters, digits, _ and - without spaces, "
        "for example after-sales",
        "the meal.key: '12' is not possible here; write one key of a telephone, 0 to 9, * or #, for example 1",
    ]
