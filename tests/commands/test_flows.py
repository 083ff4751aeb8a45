"""Editions on the command line: listed, compared and put back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands import main
from runtime.history import History, texts_of

HOME = Path(__file__).parents[2]
FLOW = """\
number: "1000"
languages: [en]
start: greet
steps:
  greet: {say: {en: "Hello."}, next: end}
  end: {hangup: {}}
"""
CATALOGUE = 'sorry-technical: {en: "Sorry."}\ntime-is-up: {en: "Time is up."}\n'


@pytest.fixture
def flows(tmp_path, capsys, monkeypatch):
    """Runs `flows ...` in a folder with a small flow; its exit code, output and errors."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "appliance.yaml").write_text("")
    (tmp_path / "flows" / "small.yaml").write_text(FLOW)
    (tmp_path / "prompts" / "catalogue.yaml").write_text(CATALOGUE)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["--config", str(tmp_path / "appliance.yaml"), "flows", *words], HOME)
        shown = capsys.readouterr()
        return code, shown.out.splitlines(), shown.err.splitlines()

    return run


def taken(home, text=None, minute=0):
    """What the appliance does when a change is saved."""
    if text is not None:
        (home / "flows" / "small.yaml").write_text(text)
    texts = texts_of(home / "flows", home / "prompts")
    return History(home / "var" / "flows").keep(texts, datetime(2026, 11, 24, 10, minute, tzinfo=UTC))


def test_before_the_first_start_there_is_nothing(flows):
    assert flows("list") == (0, ["there is no edition yet; the first one is kept when the appliance starts"], [])
    assert flows("diff")[0] == 2
    assert flows("rollback", "1") == (2, [], ["no edition 1; there is none yet; see ./appliance.py flows list"])


def test_editions_are_listed_with_what_they_changed(flows, tmp_path):
    taken(tmp_path)
    taken(tmp_path, FLOW.replace("Hello", "Good day"), 1)
    taken(tmp_path, FLOW, 2)
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace("next: end", "next: ned"))
    assert flows("list") == (
        0,
        [
            "     1  2026-11-24T10:00:00+00:00  flows/small.yaml, prompts/catalogue.yaml",
            "     2  2026-11-24T10:01:00+00:00  flows/small.yaml",
            "     3  2026-11-24T10:02:00+00:00  flows/small.yaml  the same as 1",
            "the files differ from edition 3: see ./appliance.py flows diff and ./appliance.py check",
        ],
        [],
    )
    lines = [json.loads(line) for line in flows("list", "--json")[1]]
    assert [line["edition"] for line in lines] == [1, 2, 3]
    assert lines[1]["changed"] == ["flows/small.yaml"]


def test_editions_are_compared_with_one_another_and_with_the_files(flows, tmp_path):
    taken(tmp_path)
    taken(tmp_path, FLOW.replace("Hello", "Good day"), 1)
    code, lines, _ = flows("diff", "1", "2")
    assert code == 1
    assert lines[0] == "--- flows/small.yaml\tedition 1"
    assert '-  greet: {say: {en: "Hello."}, next: end}' in lines
    assert '+  greet: {say: {en: "Good day."}, next: end}' in lines
    assert flows("diff") == (0, [], [])
    assert flows("diff", "1")[1][1] == "+++ flows/small.yaml\tnow"


def test_an_edition_is_put_back_and_what_was_there_is_kept(flows, tmp_path):
    taken(tmp_path)
    taken(tmp_path, FLOW.replace("Hello", "Good day"), 1)
    (tmp_path / "flows" / "small.yaml").write_text("broken: [\n")

    code, lines, _ = flows("rollback", "1")

    assert (code, lines) == (
        0,
        [
            "put back from edition 1; the files as they were are edition 3",
            "no appliance is running here; its next start uses them",
        ],
    )
    assert (tmp_path / "flows" / "small.yaml").read_text() == FLOW
    assert flows("list")[1][2].endswith("flows/small.yaml  never in force")
    assert flows("diff", "3", "1")[0] == 1
    assert flows("rollback", "1")[1] == ["the files are as they were in edition 1"]


def test_an_edition_that_would_be_wrong_by_now_is_not_put_back(flows, tmp_path):
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace('{en: "Hello."}', "jingle"))
    (tmp_path / "prompts" / "en").mkdir()
    (tmp_path / "prompts" / "en" / "jingle.wav").touch()
    taken(tmp_path)
    taken(tmp_path, FLOW, 1)
    (tmp_path / "prompts" / "en" / "jingle.wav").unlink()
    code, lines, _ = flows("rollback", "1")
    assert code == 1
    assert [line.partition(". ")[0] for line in lines] == ["flows/small.yaml:5:16: greet: no prompt 'jingle'"]
    assert (tmp_path / "flows" / "small.yaml").read_text() == FLOW


def test_one_file_alone_is_put_back(flows, tmp_path):
    taken(tmp_path)
    (tmp_path / "prompts" / "catalogue.yaml").write_text(CATALOGUE.replace("Sorry", "Pardon"))
    taken(tmp_path, FLOW.replace("Hello", "Good day"), 1)
    assert flows("rollback", "1", "flows/small.yaml")[0] == 0
    assert (tmp_path / "flows" / "small.yaml").read_text() == FLOW
    assert "Pardon" in (tmp_path / "prompts" / "catalogue.yaml").read_text()
    assert flows("rollback", "1", "flows/smal.yaml") == (
        2,
        [],
        ["the edition has no file flows/smal.yaml; it has flows/small.yaml, prompts/catalogue.yaml"],
    )
