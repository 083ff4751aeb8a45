"""Long flows are checked soon, and those that were made to take long are refused soon."""

import random
from pathlib import Path

import pytest

from config.document import parse
from config.syntax import LONGEST
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from speech import words
from speech.catalogue import load as load_catalogue
from tests.effort import effort

HERE = Path(__file__).parents[3]
FLOW = (HERE / "flows" / "hotline.yaml").read_text(encoding="utf-8")
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


def checked(text):
    """The flow of a text, or its problems."""
    document, problems = parse(text, "flow.yaml")
    drafts = [] if document is None else [read(document)]
    problems = [*problems, *check(drafts, HOUSE)]
    return (None if problems else drafts[0].flow()), problems


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


def test_a_flow_ten_times_as_long_is_ten_times_the_work():
    checked(long_flow(60))  # the models are built when the first flow is checked
    short, long = (effort(lambda steps=steps: checked(long_flow(steps))) for steps in (50, 500))
    assert 8 < long / short < 12


BOMBS = {
    "a thousand aliases": "number: &a [1]\nsteps:\n" + "".join(f"  s{n}: *a\n" for n in range(1000)),
    "a million brackets": FLOW + "  x: " + "[" * 900_000,
    "a ten-megabyte text": FLOW + '  x: {say: {cmn: "' + "长" * 10_000_000 + '"}, next: end}\n',
    "a huge template": FLOW + '  x: {say: {cmn: "{{ ' + "(" * 400_000 + 'a"}, next: end}\n',
    "a slip in every line": long_flow(400, slip=True),
    "steps without end": long_flow(20_000),
    "every step sets a value and may lead anywhere": "number: '1'\nlanguages: [cmn]\nstart: s0\nsteps:\n"
    + "".join(
        f"  s{n}: {{collect: {{say: welcome, into: v{n}}}, next: s{n + 1}, otherwise: s{n * 7919 % 1200}}}\n"
        for n in range(1200)
    ),
    "one circle of all steps": "number: '1'\nlanguages: [cmn]\nstart: s0\nsteps:\n"
    + "".join(f"  s{n}: {{goto: s{(n + 1) % 1500}}}\n" for n in range(1500)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name):
    flow, problems = checked(BOMBS[name])
    assert flow is None
    assert problems


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_about_as_much_work_as_a_flow_that_is_as_long(name):
    flow, bomb = long_flow(500), BOMBS[name]
    checked(long_flow(60))
    usual = effort(lambda: checked(flow)) * max(1, min(len(bomb), LONGEST) / len(flow))
    assert effort(lambda: checked(bomb)) < 4 * usual
