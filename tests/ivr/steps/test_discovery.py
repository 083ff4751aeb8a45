"""A new verb is one new file."""

import textwrap

import pytest

import ivr.steps
from config.document import parse
from ivr.language.checker import check
from ivr.language.reader import read
from tests.ivr.conftest import HOUSE

SHOUT = '''
"""shout: a verb that a deployer wrote."""

from typing import ClassVar

from ivr.language.phrases import Phrase
from ivr.step import Exit, QueueName, Step


class Shout(Step):
    verb = "shout"
    exits: ClassVar = {"next": Exit(required=True, silent=True), "deaf": Exit(default="next")}

    say: Phrase
    times: int = 2
    near: QueueName = "service"

    def run(self, call):
        for _ in range(self.times):
            call.say(self.say)
        return "next"
'''
FLOW = """
start: loud
steps:
  loud: {shout: {say: hello, times: 3}, next: end}
  end: {hangup: {}}
"""


@pytest.fixture
def shout(tmp_path, monkeypatch):
    """The verb's file in a folder of its own, which the verbs are looked for in."""
    folder = tmp_path / "verbs"
    folder.mkdir()
    (folder / "shout.py").write_text(textwrap.dedent(SHOUT))
    monkeypatch.setattr(ivr.steps, "__path__", [*ivr.steps.__path__, str(folder)])
    ivr.steps.verbs.cache_clear()
    yield
    ivr.steps.verbs.cache_clear()


def test_a_verb_in_a_new_file_is_read_checked_and_walked(house, shout):
    caller = house.ring(FLOW)
    assert caller.is_over().heard == ["你好"] * 3
    assert house.exits == [("loud", "next"), ("end", "ended")]


def test_its_mistakes_are_told_like_those_of_any_verb(shout):
    text = 'number: "1"\nlanguages: [cmn, en]' + FLOW.replace("times: 3", "times: thrice, near: servce").replace(
        "hello", "helo"
    )
    document, _ = parse(text, "f.yaml")
    assert [problem.message for problem in check([read(document)], HOUSE)] == [
        "loud.say: no prompt 'helo'. Did you mean 'hello'?",
        "loud.times: 'thrice' stands here; a whole number is expected here",
        "loud.near: no queue 'servce'. Did you mean 'service'?",
    ]
