"""The guide for administrators: after each of its ten steps the hotline is right, and its calls go as written."""

import io
import re
import shlex

import pytest

from commands import main
from runtime.flowbook import Flowbook
from tests.docs.generated import HERE
from tests.docs.pages import Site, sections

ENGLISH = sections("guide/en.md")
LAST = list(ENGLISH)[-1]


def test_the_guide_has_ten_steps_and_each_builds_something():
    assert [heading.split(".")[0] for heading in ENGLISH] == [str(number) for number in range(1, 11)]
    assert all(ENGLISH.values())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The hotline of the guide, which grows from test to test as it does from step to step."""
    return Site(tmp_path_factory.mktemp("guide"))


@pytest.mark.parametrize("step", ENGLISH)
def test_a_step_leaves_a_hotline_that_works(site, step):
    assert site.run(ENGLISH[step], everything=step == LAST) > 0


COMMAND = re.compile(r"(?:^    |`)\./appliance\.py (.+?)(?:`| {3,}.*$|$)", re.MULTILINE)
UNFINISHED = "mailboxes add"  # the page names it without its words
WAITING = "check --watch"  # until Ctrl-C: tests/commands/test_check.py


def commands(page):
    """What the page has its reader type, as the words of a shell."""
    text = (HERE / "docs" / page).read_text(encoding="utf-8")
    found = [line.partition(" > ")[0] for line in COMMAND.findall(text)]
    return [line for line in found if line not in {UNFINISHED, WAITING}]


@pytest.fixture
def house(tmp_path, monkeypatch):
    """The hotline of the guide as it is at the end, set up: with tables and editions, of which one has the number 7."""
    site = Site(tmp_path)
    for block in (block for blocks in ENGLISH.values() for block in blocks if block.said is None):
        site.write(block)
    config = site.home / "appliance.yaml"
    config.write_text("")
    monkeypatch.chdir(site.home)
    assert main(["--config", str(config), "db", "init"], HERE) == 0
    flow = site.config.flows_dir / "parcels.yaml"
    for number in range(8):
        flow.write_text(f"{flow.read_text(encoding='utf-8')}# {number}\n", encoding="utf-8")
        Flowbook(site.config, boxes=["service", "complaints"])
    return config


@pytest.mark.parametrize("page", ["guide/en.md", "guide/zh.md"])
def test_every_command_of_the_guide_does_what_it_says(house, page, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("2580\n"))  # the PIN that is asked for
    for line in commands(page):
        code = main(["--config", str(house), *shlex.split(line)], HERE)
        assert (line, code) == (line, 1 if line.startswith("flows diff") else 0), capsys.readouterr()  # as of diff
    assert len(commands(page)) > 8


def test_the_chinese_guide_builds_the_same_hotline_by_the_same_steps():
    chinese = sections("guide/zh.md")
    assert list(chinese.values()) == list(ENGLISH.values())
