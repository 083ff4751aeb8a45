"""Every command where data-dir cannot be written: it does without, or says so in one clear line."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from commands import command_line, main

CHECKOUT = Path(__file__).resolve().parents[2]
NOWHERE = "/proc/none"

NEEDLESS = [  # data-dir is not theirs
    ("agents", "list"),
    ("completion", "bash"),
    ("db", "init"),
    ("db", "status"),
    ("db", "upgrade"),
    ("db", "demo", "--customers", "1", "--orders", "1"),
    ("graph", str(CHECKOUT / "flows/hotline.yaml")),
    ("mailboxes", "list"),
    ("recordings",),
    ("schema",),
    ("simulate", str(CHECKOUT / "examples/what-if.yaml"), "--replications", "1"),
    ("staffing", "--calls", "20", "--handling", "3m"),
]
WITHOUT = [  # they look at it, and there is nothing
    ("check", "--no-scenarios"),
    ("doctor",),
    ("flows", "diff"),
    ("flows", "list"),
    ("flows", "rollback", "1"),
    ("journal", "verify"),
    ("prompts", "list"),
    ("report",),
]
REFUSED = [
    ("call", "1000"),
    ("check",),
    ("closure",),
    ("closure", "set", "office"),
    ("demo",),
    ("demo", "--switch", "asterisk"),
    ("drain",),
    ("prompts", "build"),
    ("run",),
    ("say", "1", "--out", "/dev/null"),
    ("status",),
    ("switch-config",),
    ("why", "1"),
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("house")
    shutil.copytree(CHECKOUT / "flows", home / "flows")
    written = home / "appliance.yaml"
    written.write_text(f"prompts-dir: {CHECKOUT / 'prompts'}\nswitch: {{kind: asterisk}}\n")
    assert main(["--config", str(written), "db", "init"], CHECKOUT) == 0
    written.write_text(written.read_text() + f"data-dir: {NOWHERE}\n")
    return written


def commands_of(parser, before=()):
    """The words that lead to each command, groups of commands gone through."""
    if parser.get_default("command"):
        return {before}
    [choices] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return {name for word, below in choices.choices.items() for name in commands_of(below, (*before, word))}


def test_no_command_is_left_out():
    tried = {arguments[:words] for arguments in (*NEEDLESS, *WITHOUT, *REFUSED) for words in (1, 2)}
    assert commands_of(command_line()) - tried == {("db", "downgrade")}  # it takes away what the others need


@pytest.mark.parametrize("arguments", NEEDLESS, ids=" ".join)
def test_what_does_not_need_it_goes_on(settings, capfd, arguments):
    assert main([*arguments, "--config", str(settings)], CHECKOUT) == 0
    assert NOWHERE not in capfd.readouterr().err


@pytest.mark.parametrize("arguments", WITHOUT, ids=" ".join)
def test_what_only_reads_it_finds_nothing(settings, capfd, arguments):
    assert main([*arguments, "--config", str(settings)], CHECKOUT) in (0, 1, 2)
    assert len(capfd.readouterr().err.splitlines()) <= 1


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_needs_it_says_so_in_one_line(settings, capfd, arguments):
    assert main([*arguments, "--config", str(settings)], CHECKOUT) == 2
    said = capfd.readouterr()
    [line] = said.err.splitlines()
    assert NOWHERE in line
    assert said.out == ""
