"""Whoever writes Chinese types Chinese signs: each is named, with its place and what to write instead."""

import re

import pytest

from config.document import load, parse
from config.signs import explained, hint, in_line
from ivr.language.templates import template


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("start：welcome", (6, "'：' is of another keyboard; write :")),
        ("  main-again：{say: x}", (13, "'：' is of another keyboard; write :")),
        ('  options: {"1"： track}', (16, "'：' is of another keyboard; write :")),
        ("  options: ｛a: track}", (12, "'｛' is of another keyboard; write {")),
        ("  languages: [cmn， yue", (18, "'，' is of another keyboard; write ,")),
        ('  cmn: "您好：{x}"', None),
        ("  cmn: 您好，再见", None),
        ("  a: {b: 'x，y'}  # 注意：", None),
    ],
)
def test_a_sign_that_ends_a_key_or_stands_among_brackets_is_found(line, found):
    assert in_line(line) == found


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("9:00；13:00", ". '；' at character 5 is of another keyboard; write ,"),
        ("08：30", ". '：' at character 3 is of another keyboard; write :"),
        ("２", ". '２' at character 1 is of another keyboard; write 2"),
        ("a\u3000b", ". '\u3000' at character 2 is of another keyboard; write a space"),
        ("plain", ""),
        ("您好，", ""),
        ("{{ x ｜ y }}", ""),
        (5, ""),
    ],
)
def test_words_and_figures_are_told_theirs_and_chinese_keeps_them(word, said):
    assert hint(word) == said


def test_a_value_that_is_wrong_by_such_a_sign_says_so():
    _, (problem,) = load(dict[str, int], "tries: ２３x", "f")
    assert problem.message.endswith(". '２' at character 1 is of another keyboard; write 2")


@pytest.mark.parametrize(
    ("line", "place"), [("main: {say：x, next: end}", 11), ("main: {next：end}", 12), ("{start：welcome}", 7)]
)
def test_a_key_among_brackets_that_ends_in_such_a_colon_is_no_key_of_that_name(line, place):
    _, (problem,) = parse(line, "f")
    assert (problem.line, problem.column) == (1, place)
    assert problem.message == "'：' is of another keyboard; write : and a space behind it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("您好，{{ a ｜ date }}", "'｜' at character 9 is of another keyboard; write |"),
        ("{{ a == ‘x’ }}", "'‘' at character 9 is of another keyboard; write '"),
        ("{{ a && b }}", "'&&' at character 6 is not possible; write and"),
        ("{{ a || b }}", "'||' at character 6 is not possible; write or"),
        ("{{ !a }}", "'!' at character 4 is not possible; write not"),
    ],
)
def test_in_an_expression_the_sign_is_named_with_its_place(text, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        template(text)


def test_in_quotes_within_an_expression_any_sign_may_stand():
    assert template("{{ 'a，b' }}").source
    assert explained("") == ""
