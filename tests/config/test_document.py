"""What a person who writes YAML is told, and where."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from config.document import SpokenText, Written, load, load_file, parse
from config.values import Diagnostic, Duration


class Announce(Written):
    first: Duration = 15.0
    only_if_better: bool = False


class Queue(Written):
    strategy: Literal["longest-idle", "most-idle"] = "longest-idle"
    weight: Annotated[int, Field(ge=1)] = 1
    announce: Announce = Announce()
    keys: Mapping[str, str] = Field(default_factory=dict)
    skills: list[str] = Field(default_factory=list)
    text: SpokenText = ""


class Strict(Written):
    number: str
    queue: Queue = Queue()


def told(text: str, kind: object = dict[str, Queue]) -> list[str]:
    value, problems = load(kind, text, "q.yaml")
    assert (value is None) == bool(problems)
    return [str(problem) for problem in problems]


def test_a_text_becomes_a_model():
    value, problems = load(
        dict[str, Queue], "service:\n  weight: 3\n  announce: {first: 2m, only-if-better: yes}\n", "q.yaml"
    )
    assert problems == []
    assert value == {"service": Queue(weight=3, announce=Announce(**{"first": 120.0, "only-if-better": True}))}


@pytest.mark.parametrize("written", ["010", "no", "17:30:00", "+44 20 7946", "1e3", "0x1F", "null", "~", "2026-01-01"])
def test_every_scalar_is_the_text_that_it_looks_like(written):
    value, _ = load(dict[str, str], f"a: {written}\n", "x.yaml")
    assert value == {"a": written}


def test_all_problems_are_told_at_once_by_position():
    text = """\
service:
  stratgey: longest-idle
  weight: many
  announce:
    first: soon
    only-if-beter: true
experts:
  strategy: longest-idel
  weight: 0
  skills: cmn
"""
    assert told(text) == [
        "q.yaml:2:3: service.stratgey: 'stratgey' is not known here. Did you mean 'strategy'?",
        "q.yaml:3:11: service.weight: 'many' stands here; a whole number is expected here",
        "q.yaml:5:12: service.announce.first: 'soon' is not a duration; write for example 500ms, 5s, 2m or 1h",
        "q.yaml:6:5: service.announce.only-if-beter: 'only-if-beter' is not known here. Did you mean 'only-if-better'?",
        "q.yaml:8:13: experts.strategy: 'longest-idel' is not possible here; write longest-idle or most-idle."
        " Did you mean 'longest-idle'?",
        "q.yaml:9:11: experts.weight: '0' is out of range: it must be at least 1",
        "q.yaml:10:11: experts.skills: 'cmn' stands here; a list such as [a, b] is expected here",
    ]


def test_something_missing_is_told_where_it_should_stand():
    assert told("queue: {}\n", Strict) == ["q.yaml:1:1: 'number' is missing"]
    assert told("a:\n  queue: {}\n", dict[str, Strict]) == ["q.yaml:1:1: a: 'number' is missing"]


def test_everything_that_is_missing_is_told():
    class Pair(Written):
        left: str
        right: str

    assert told("- {}\n- {left: a}\n", list[Pair]) == [
        "q.yaml:1:3: 0: 'left' is missing",
        "q.yaml:1:3: 0: 'right' is missing",
        "q.yaml:2:3: 1: 'right' is missing",
    ]


def test_an_empty_file_has_every_default():
    assert load(Queue, "", "q.yaml") == load(Queue, "# weight: 3\n", "q.yaml") == (Queue(), [])
    assert told("# number: 1000\n", Strict) == ["q.yaml:1:1: 'number' is missing"]


def test_nothing_written_is_not_an_empty_text():
    assert told("number:\n", Strict) == ["q.yaml:1:8: number: nothing is written here; one text is expected here"]
    assert told('number: ""\n', Strict) == []


def test_a_name_that_resembles_nothing_lists_what_is_possible():
    assert told("a:\n  zzz: 1\n") == [
        "q.yaml:2:3: a.zzz: 'zzz' is not known here. Write announce, keys, skills, strategy, text or weight"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: 1\n  b: 2\n", "3:3: the key 'b' stands here twice; first in line 2"),
        ("a: {{ x }}\n", '1:4: a text that begins with {{ must stand in quotes: "{{ ... }}"'),
        ("a: {{ 'b' if c else d }}\n", '1:4: a text that begins with {{ must stand in quotes: "{{ ... }}"'),
        ("a: {{ x }} and more\n", '1:4: a text that begins with {{ must stand in quotes: "{{ ... }}"'),
        ("a: {b: {{ x | digits }} }\n", '1:8: a text that begins with {{ must stand in quotes: "{{ ... }}"'),
        ("keys: {*: repeat}\n", '1:8: the key * must stand in quotes: "*"'),
        ("keys:\n  *: repeat\n", '2:3: the key * must stand in quotes: "*"'),
        ("a: *b\n", "1:4: a text cannot begin with * (YAML takes it for an alias); put it in quotes"),
        ("a: &b c\n", "1:4: a text cannot begin with & (YAML takes it for an anchor); put it in quotes"),
        ("a: !important\n", "1:4: a text cannot begin with ! (YAML takes it for a tag); put it in quotes"),
        (
            "keys:\n  #: agent\n",
            '2:3: the key # must stand in quotes: "#"; without them the rest of the line is a comment',
        ),
        (
            "keys: {1: a, #: b}\nc: d\n",
            '1:14: the key # must stand in quotes: "#"; without them the rest of the line is a comment',
        ),
        ("a:\n\tb: c\n", "2:1: a tab stands here; indent with spaces only"),
        ("a:\tb\n- c", "2:1: this does not fit what stands above: check its indentation, quotes and brackets"),
        ("a: b: c\n", "1:5: a second ': ' in this line; a text that contains ': ' must stand in quotes"),
        ("a:b\nc: d\n", "1:2: a space is missing after ':'"),
        ("a: 1\n   b: 2\n", "2:4: this line is indented too far, or the line above not far enough or without its ':'"),
        ("a: 'x\nb: c\n", "1:4: the quote that opens here is never closed"),
        ('a: "\\d"\n', "1:5: a backslash inside \"...\" begins an escape; write '...' instead, or two backslashes"),
        ("a: @x\n", "1:4: a text cannot begin with @; put it in quotes"),
        (
            "a: [1, 2\nb: c\n",
            "2:2: a comma, or the closing ] is missing before this; it was opened in line 1, column 4",
        ),
        (
            "a: it's\nb: 'it's'\n",
            "2:8: this does not fit what stands above: check its indentation, quotes and brackets",
        ),
        ("a: b\n---\nc: d\n", "2:1: '---' begins a second document; only one is read"),
        ("a: b\nc: d\x00\n", "2:5: a character that no editor shows (U+0000); remove it"),
        ("? [a]\n: b\n", "1:3: a key must be a word, not a list or a mapping"),
        ("a: > b\n", "1:4: a text that begins with | or > must stand in quotes"),
    ],
)
def test_what_is_not_yaml_is_explained(text, problem):
    assert told(text, dict[str, object]) == [f"q.yaml:{problem}"]


def test_a_spoken_text_cut_short_by_a_hash_is_found_and_a_comment_elsewhere_is_not():
    text = "a:\n  strategy: longest-idle # ours\n  text: Press 1 or # to finish\n"
    assert told(text) == [
        "q.yaml:3:9: a.text: the text ends before ' #', which begins a comment; put the whole text in quotes"
    ]


def test_columns_count_characters_not_bytes():
    assert told('"你好": {weight: 两}\n') == [
        "q.yaml:1:16: 你好.weight: '两' stands here; a whole number is expected here"
    ]


def test_positions_stay_for_later_checks():
    document, _ = parse("steps:\n  main:\n    next: trak\n", "f.yaml")
    path = ("steps", "main", "next")
    assert document.at(path) == (3, 11)
    assert document.at(path, key=True) == (3, 5)
    assert document.at(("steps", "main", "otherwise")) == (2, 3)
    assert str(document.problem(path, "no step 'trak'", show="main.next")) == "f.yaml:3:11: main.next: no step 'trak'"


def test_of_very_many_problems_the_first_are_told():
    found = told("".join(f"q{n}: {{wieght: 1}}\n" for n in range(400)))
    assert len(found) == 100
    assert found[-1] == "q.yaml:100:7: and 301 more problems from here on"


BOMBS = {
    "aliases": "a: &a [x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20)),
    "open brackets": "a: " + "[" * 400_000,
    "open braces": "a: " + "{" * 400_000,
    "deep indentation": "".join(" " * n + "a:\n" for n in range(900)),
    "deep lists": "- " * 300_000 + "a\n",
    "ten megabytes": "a: " + "x" * 10_000_000,
    "one huge scalar": "a: " + "x" * 900_000,
    "many values": "".join(f"k{n}: v\n" for n in range(90_000)),
    "many keys again": "k: v\n" * 100_000,
    "question marks": "? " * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name):
    value, problems = load(dict[str, Queue], BOMBS[name], "q.yaml")
    assert value is None
    assert problems


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path):
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: b\ngrüße: c\n".encode("latin-1"))
    assert [str(p) for p in load_file(dict[str, str], latin)[1]] == [
        f"{latin}:2:3: not UTF-8 text; save the file with the encoding UTF-8"
    ]
    gone = tmp_path / "gone.yaml"
    assert [str(p) for p in load_file(dict[str, str], gone)[1]] == [
        f"{gone}:1:1: cannot be read: No such file or directory"
    ]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab:-#*&!|>{}[],'\"?%@`~ \n\t\r\\é\u2028\x85\ufeff\x00{}")), max_size=60))
def test_whatever_is_written_is_read_or_explained_at_a_position_of_the_text(text):
    value, problems = load(dict[str, Queue], text, "q.yaml")
    assert (value is None) == bool(problems)
    for problem in problems:
        assert 1 <= problem.line <= len(text.splitlines()) + 1
        assert problem.column >= 1


class TestChanged:
    """What a document would be with another value somewhere: other problems there, the same places elsewhere."""

    TEXT = "agents:\n  experts: {count: 2}\nnames: [a, b]\n"

    def document(self):
        document, problems = parse(self.TEXT, "plan.yaml")
        assert document is not None
        assert not problems
        return document

    def blame(self, message):
        return Diagnostic("variants", 7, 3, message)

    def test_the_value_is_another_one_and_the_document_itself_is_not(self):
        document = self.document()
        changed = document.changed(("agents", "experts", "count"), "5", self.blame).changed(
            ("names", 1), "c", self.blame
        )
        assert changed.data == {"agents": {"experts": {"count": "5"}}, "names": ["a", "c"]}
        assert document.data == {"agents": {"experts": {"count": "2"}}, "names": ["a", "b"]}

    def test_a_problem_in_what_was_changed_is_told_where_it_was_said(self):
        changed = self.document().changed(("agents", "experts", "count"), "x", self.blame)
        _, problems = changed.validate(dict[str, dict[str, int]], ("agents",))
        assert problems == [Diagnostic("variants", 7, 3, problems[0].message)]
        assert problems[0].message.startswith("agents.experts.count: ")

    def test_a_problem_elsewhere_keeps_its_place(self):
        changed = self.document().changed(("names", 0), "c", self.blame)
        _, problems = changed.validate(dict[str, dict[str, list[str]]], ("agents",))
        assert [(problem.path, problem.line, problem.column) for problem in problems] == [("plan.yaml", 2, 20)]

    @pytest.mark.parametrize("path", [("nobody", "count"), ("names", "first", "x"), ("names", 9)])
    def test_what_is_on_the_way_must_be_there(self, path):
        with pytest.raises(KeyError):
            self.document().changed(path, "1", self.blame)

    def test_a_part_has_its_problems_in_the_whole(self):
        part = self.document().part(("agents",))
        assert part.data == {"experts": {"count": "2"}}
        _, problems = part.validate(dict[str, dict[str, list[str]]])
        assert [(problem.path, problem.line, problem.column) for problem in problems] == [("plan.yaml", 2, 20)]
        assert (
            part.changed(("experts", "count"), "x", self.blame).problem(("experts", "count"), "no").path == "variants"
        )


class Bounded(Written):
    word: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    some: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('word: "a"', "word: at least 2 characters are needed here"),
        ('word: "abcd"', "word: at most 3 characters are possible here"),
        ("some: []", "some: at least one entry is needed here"),
        ("some: [a, b, c]", "some: at most 2 entries are possible here"),
    ],
)
def test_what_is_too_short_or_too_long_is_told_with_its_bound(text, message):
    _, problems = load(Bounded, text, "f.yaml")
    assert [problem.message for problem in problems] == [message]


def test_what_is_missing_at_the_very_end_is_told_in_the_last_line():
    _, problems = load(Mapping[str, Queue], "a: {}\n? ", "f.yaml")
    assert [(problem.line, problem.message) for problem in problems] == [
        (2, "nothing is written here; 'name: value' lines are expected here")
    ]


MOVED = """\
start: main
steps:
  main:
    menu: {say: ask}
    otherwise: end
%s
  end: {hangup: {}}
"""


@pytest.mark.parametrize(
    "step",
    ["main-again:\n    say: x\n    next: end", "main-again: {say: x, next: end}", "main-again:\n\n  # why\n    say: x"],
)
def test_a_step_that_was_moved_to_the_edge_is_named_and_not_the_next_one(step):
    _, (problem,) = parse(MOVED % step, "f")
    assert (problem.line, problem.column) == (6, 1)
    assert problem.message == "this line begins with no spaces; with 2 it would fit what stands above"


def test_a_line_that_stands_in_between_is_still_named_itself():
    _, (problem,) = parse('steps:\n  main: {say: x}\nkeys:\n   "1": main\n  "2": main\n', "f")
    assert (problem.line, problem.column) == (5, 3)
