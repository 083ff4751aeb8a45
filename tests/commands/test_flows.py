"""Editions on the command line: listed, compared and put back."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands import main
from runtime.history import History, texts_of
from tests.installation import CHECKOUT, PROGRAM, install

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
            "     1  2026-11-24 18:00:00 Asia/Shanghai  flows/small.yaml, prompts/catalogue.yaml",
            "     2  2026-11-24 18:01:00 Asia/Shanghai  flows/small.yaml",
            "     3  2026-11-24 18:02:00 Asia/Shanghai  flows/small.yaml  the same as 1",
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


def test_a_rollback_needs_an_edition_and_no_files(flows, capsys):
    with pytest.raises(SystemExit):
        flows("rollback")
    assert capsys.readouterr().err.endswith("the following arguments are required: EDITION\n")


def test_a_query_that_the_crm_cannot_run_by_now_is_not_put_back(flows, tmp_path):
    """One that is there now as well holds nothing up."""
    query = "order:\n  sql: select {} from orders where number = :number\n  returns: [number]\n"
    (tmp_path / "flows" / "queries.yaml").write_text(query.format("nr as number"))
    taken(tmp_path)
    (tmp_path / "flows" / "queries.yaml").write_text(query.format("number"))
    taken(tmp_path, FLOW.replace("Hello", "Good day"), 1)
    with sqlite3.connect(tmp_path / "var" / "crm.db") as crm:
        crm.execute("create table orders (number text)")
    code, lines, _ = flows("rollback", "1")
    assert (code, lines) == (
        1,
        ["flows/queries.yaml:2:8: order.sql: no column 'nr' in the CRM. There are: number"],
    )
    assert (tmp_path / "flows" / "queries.yaml").read_text() == query.format("number")
    with sqlite3.connect(tmp_path / "var" / "crm.db") as crm:
        crm.execute("drop table orders")
    assert flows("rollback", "1", "flows/small.yaml")[0] == 0


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


@contextmanager
def running(command, log):
    """The real appliance, from ready to its end."""
    with log.open("w") as written:
        appliance = subprocess.Popen([*command, "run"], stdout=subprocess.PIPE, stderr=written, text=True)
    try:
        assert appliance.stdout.readline() == "ready\n", log.read_text()
        yield
    finally:
        appliance.send_signal(signal.SIGTERM)
        appliance.communicate(timeout=300)


def test_a_running_appliance_takes_what_is_put_back_at_once(flows, tmp_path):
    """The command may not hold the files any more when it asks the appliance to read them."""
    config = install(tmp_path)
    config.write_text(config.read_text().replace(str(CHECKOUT), str(tmp_path)))
    taken(tmp_path)
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace("Hello", "Good day"))
    command = [sys.executable, PROGRAM, "--config", str(config)]
    with running(command, tmp_path / "log"):
        done = subprocess.run(
            [*command, "flows", "rollback", "1"], capture_output=True, text=True, timeout=300, check=False
        )
    assert done.stdout.splitlines()[1:] == ["the running appliance has taken them"], done.stderr
    assert flows("list")[1][-1].endswith("flows/small.yaml  the same as 1")


def test_a_start_with_a_slip_in_the_files_serves_the_last_edition_and_says_so(flows, tmp_path):
    config = install(tmp_path)
    config.write_text(config.read_text().replace(str(CHECKOUT), str(tmp_path)))
    taken(tmp_path)
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace("next: end", "next: ned"))
    (tmp_path / "prompts" / "catalogue.yaml").write_text("time-is-up: [\n")
    command = [sys.executable, PROGRAM, "--config", str(config)]
    with running(command, tmp_path / "log"):
        done = subprocess.run([*command, "status", "--json"], capture_output=True, text=True, timeout=300, check=True)
    status = json.loads(done.stdout)
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if '"flows: the' in line]
    assert status["edition"] == 1
    assert [trouble for trouble in status["troubles"] if "Did you mean 'end'?" in trouble]
    assert [line["problem"] for line in told[:-1]] == [
        trouble.removeprefix("flows not taken: ") for trouble in status["troubles"] if trouble.startswith("flows not")
    ]
    assert told[-1]["edition"] == 1
