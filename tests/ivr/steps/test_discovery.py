"""A new verb is one new file."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import ivr.steps
from config.document import parse
from ivr.language.checker import check
from ivr.language.reader import read
from tests.ivr.conftest import HOUSE

CHECKOUT = Path(__file__).parents[3]
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


FILES = {
    "appliance.yaml": "",
    "flows/loud.yaml": f'number: "7"\nlanguages: [en]{FLOW}',
    "flows/loud.test.yaml": "- {name: it is loud, steps: [{hear: hello}, {hear: hello}, {hear: hello}, {ended: flow}]}",
    "prompts/catalogue.yaml": 'hello: {en: "Hello."}\nsorry-technical: {en: "Sorry."}\ntime-is-up: {en: "Over."}',
}


def test_one_new_file_in_a_tree_is_all_that_a_verb_needs(tmp_path):
    """The whole program, as an administrator runs it, in a copy of its tree that has one file more."""
    tree, home = tmp_path / "tree", tmp_path / "home"
    tree.mkdir()
    for item in CHECKOUT.iterdir():
        if item.name not in {"ivr", "var", ".git", "appliance.py"}:
            (tree / item.name).symlink_to(item)
    shutil.copy(CHECKOUT / "appliance.py", tree)
    shutil.copytree(CHECKOUT / "ivr", tree / "ivr", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "ivr" / "steps" / "shout.py").write_text(textwrap.dedent(SHOUT))
    for name, text in FILES.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(textwrap.dedent(text))
    (home / "flows" / "queues.yaml").write_text("service: {}")
    (home / "var").mkdir()
    (home / "var" / "crm.db").touch()

    command = [sys.executable, str(tree / "appliance.py"), "--config", str(home / "appliance.yaml"), "check"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    assert "1 of 1 scenarios went as written" in done.stderr
