"""Whatever is written into a flow, its author gets answers with positions and never a traceback."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.document import parse
from ivr.language.calendars import load_calendars
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.scenarios import load_scenarios
from speech import words
from speech.catalogue import load as load_catalogue

HERE = Path(__file__).parents[3]
FLOW = (HERE / "flows" / "hotline.yaml").read_text(encoding="utf-8")
CALENDARS = (HERE / "flows" / "calendars.yaml").read_text(encoding="utf-8")
SCENARIOS = (HERE / "flows" / "hotline.test.yaml").read_text(encoding="utf-8")
CATALOGUE, _ = load_catalogue(HERE / "prompts")
HOUSE = House(
    prompts={name: dict.fromkeys(texts) for name, texts in CATALOGUE.texts.items()}
    | {"beep": dict.fromkeys(words.languages())},
    languages=words.languages(),
    queues=["service"],
    queries={"order_by_number": QueryFacts(frozenset({"number", "eta", "status_text"}), frozenset({"number"}))},
    calendars=["office"],
    skills=["cmn", "yue", "en"],
    boxes=["service", "complaints"],
)
JUNK = [
    "", " ", ":", "- ", "#", "{", "}", "[", "]", '"', "'", "{{", "}}", "|", ">", "&a", "*a", "!x", "%", "@", "`", "\t",
    "\n", "\n  ", "\n      ", "null", "~", "yes", "0x1F", "1e999", "-1", "9" * 400, "steps", "say", "menu", "next",
    "collect", "into", "{{ order.eta | date }}", "{{ a.b.c }}", "\u2028", "\x00", "\ufeff", "😀", "é", ": ", "? ",
    "- - -", "{}", "[]", "{x: {y: {z: 1}}}", "options: {}", "repeat", "<<: *a",
]  # fmt: skip


def checked(text):
    """The flow of a text, or its problems."""
    document, problems = parse(text, "flow.yaml")
    drafts = [] if document is None else [read(document)]
    problems = [*problems, *check(drafts, HOUSE)]
    return (None if problems else drafts[0].flow()), problems


@st.composite
def slips(draw, text):
    """A valid file with a few slips in it: something inserted, removed, exchanged or doubled."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        match draw(st.sampled_from(["insert", "remove", "replace", "move", "line"])):
            case "insert":
                text = text[:at] + draw(st.sampled_from(JUNK)) + text[at:]
            case "remove":
                text = text[:at] + text[at + length :]
            case "replace":
                text = text[:at] + draw(st.sampled_from(JUNK)) + text[at + length :]
            case "move":
                to = draw(st.integers(0, len(text)))
                text = text[:at] + text[to : to + length] + text[at:]
            case "line":
                lines = text.split("\n")
                number = draw(st.integers(0, len(lines) - 1))
                text = "\n".join([*lines[:number], *lines[number + 1 :]])
    return text


def placed(text, problems):
    lines = text.count("\n") + text.count("\r") + text.count("\u2028") + text.count("\x85") + text.count("\u2029") + 1
    return all(1 <= problem.line <= lines and problem.column >= 1 and problem.message for problem in problems)


EXAMPLES = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@EXAMPLES
@given(slips(FLOW))
def test_a_flow_with_slips_is_a_flow_or_told_with_positions(text):
    flow, problems = checked(text)
    assert placed(text, problems)
    if flow is not None:
        assert flow.start in flow.steps
        assert all(
            target in flow.steps or target == "" for step in flow.steps.values() for target in step.targets.values()
        )


@settings(EXAMPLES, max_examples=150)
@given(slips(CALENDARS))
def test_calendars_with_slips_are_told_with_positions(text):
    calendars, problems = load_calendars(text, "calendars.yaml")
    assert placed(text, problems)
    assert not (calendars and problems)


@settings(EXAMPLES, max_examples=150)
@given(slips(SCENARIOS))
def test_scenarios_with_slips_are_told_with_positions(text):
    scenarios, problems = load_scenarios(text, "hotline.test.yaml")
    assert placed(text, problems)
    assert not (scenarios and problems)


def long_flow(steps, *, slip=False):
    """A chain of menus and texts, every option of which leads somewhere; with a slip in every name."""
    order = random.Random(7)
    lines = ['number: "1"', "languages: [cmn, en]", "start: s0", "steps:"]
    for n in range(steps):
        far = f"s{order.randrange(steps)}" + ("x" if slip else "")
        lines += [
            f"  s{n}:",
            f'    menu: {{say: main-menu, options: {{"1": s{n + 1}, "2": {far}, "3": {far}}}, timeout: 4s}}',
            f"    otherwise: s{n + 1}",
        ]
    return "\n".join([*lines, f"  s{steps}: {{hangup: {{}}}}", ""])


def test_a_long_flow_is_right():
    flow, problems = checked(long_flow(500))
    assert problems == []
    assert len(flow.steps) == 501


BOMBS = {
    "a thousand aliases": "number: &a [1]\nsteps:\n" + "".join(f"  s{n}: *a\n" for n in range(1000)),
    "a million brackets": FLOW + "  x: " + "[" * 900_000,
    "a ten-megabyte text": FLOW + '  x: {say: {cmn: "' + "长" * 10_000_000 + '"}, next: end}\n',
    "a huge template": FLOW + '  x: {say: {cmn: "{{ ' + "(" * 400_000 + 'a"}, next: end}\n',
    "a slip in every line": long_flow(400, slip=True),
    "steps without end": long_flow(20_000),
    "one circle of all steps": "number: '1'\nlanguages: [cmn]\nstart: s0\nsteps:\n"
    + "".join(f"  s{n}: {{goto: s{(n + 1) % 1500}}}\n" for n in range(1500)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name):
    flow, problems = checked(BOMBS[name])
    assert flow is None
    assert problems
