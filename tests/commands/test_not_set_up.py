"""Commands in a house that is not set up yet: one line that says how to mend it."""

from pathlib import Path

import pytest

from commands import main

HOME = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a command in a house without tables; its exit code and errors."""

    def run(*words, settings=""):
        (tmp_path / "appliance.yaml").write_text(settings)
        code = main(["--config", str(tmp_path / "appliance.yaml"), *words], HOME)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("words", [(), ("list",), ("add", "1005", "Li Wei"), ("remove", "1005")])
def test_before_the_tables_are_made_it_is_said_how_to_make_them(run, words):
    code, said = run("agents", *words)
    assert code == 2
    assert said.startswith("database.url: ")
    assert said.endswith("make or upgrade the tables with: ./appliance.py db init\n")


def test_a_database_of_another_kind_is_no_error_of_the_program(run):
    code, said = run("agents", settings='database: {url: "mysq://x"}\n')
    assert (code, said.partition(" is not")[0]) == (2, "database.url: 'mysq'")


def test_the_switch_gets_no_accounts_without_tables_and_says_why(run):
    code, said = run("switch-config", settings="switch: {kind: freeswitch}\n")
    assert code == 2
    assert said.startswith("database.url: ")


def test_why_before_the_first_run_says_that_nothing_is_recorded_yet(run):
    code, said = run("why", "c1")
    assert code == 2
    assert said.startswith("nothing is recorded yet")
