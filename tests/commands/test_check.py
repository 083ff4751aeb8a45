"""`check` prints every problem with its place, and nothing else."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from commands import main
from commands.check import watched
from provision import music

HOME = Path(__file__).parents[2]
FLOW = """\
number: "1000"
languages: [en]
start: greet
steps:
  greet: {say: hello, next: main}
  main:
    menu: {say: ask, options: {"1": greet}, timeout: 5s, tries: 2}
    otherwise: end
  end: {hangup: {}}
"""
CATALOGUE = """\
hello: {en: "Hello."}
ask: {en: "Press one."}
not-an-option: {en: "No."}
sorry-technical: {en: "Sorry."}
time-is-up: {en: "Time is up."}
"""
SCENARIOS = """\
- name: one says it again
  steps: [{hear: ask}, {press: "1"}, {hear: hello}, {hear: ask}, {silence: 60s}, {ended: flow}]
- name: two is no option
  steps: [{hear: ask}, {press: "2"}, {hear: hello}]
"""


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Runs `check` in a folder with a small flow; its exit code, output and errors."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "appliance.yaml").write_text("")
    (tmp_path / "flows" / "small.yaml").write_text(FLOW)
    (tmp_path / "prompts" / "catalogue.yaml").write_text(CATALOGUE)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["--config", str(tmp_path / "appliance.yaml"), "check", *words], HOME)
        shown = capsys.readouterr()
        return code, shown.out.splitlines(), shown.err.splitlines()

    return run


def test_nothing_wrong_is_silence(check):
    assert check() == (0, [], [])


def test_nothing_is_said_of_the_shipped_flows_but_that_all_went_as_written(tmp_path, capfd):
    settings = tmp_path / "appliance.yaml"
    settings.write_text(f"flows-dir: {HOME / 'flows'}\nprompts-dir: {HOME / 'prompts'}\n")
    assert main(["--config", str(settings), "db", "init"], HOME) == 0
    music.make(tmp_path / "var" / "sounds")
    capfd.readouterr()
    assert main(["--config", str(settings), "check"], HOME) == 0
    said = capfd.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    assert re.fullmatch(r"(\d+) of \1 scenarios went as written", line)


def test_problems_are_printed_one_a_line_and_are_exit_code_one(check, tmp_path):
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace("next: main", "next: man").replace("5s", "5"))
    (tmp_path / "flows" / "small.test.yaml").write_text("- {name: x, steps: [{haer: ask}]}\n")
    assert check() == (
        1,
        [
            "flows/small.test.yaml:1:22: x: no word 'haer'. Did you mean 'hear'?",
            "flows/small.yaml:5:29: greet.next: no step 'man'. Did you mean 'main'?",
            "flows/small.yaml:7:54: main.timeout: '5' is not a duration; write for example 500ms, 5s, 2m or 1h",
        ],
        [],
    )


def test_phrases_that_nobody_understands_are_a_note_and_no_mistake(check, tmp_path):
    flow = FLOW.replace('"1": greet}', '"1": greet}, phrases: {en: {"1": hello}}')
    (tmp_path / "flows" / "small.yaml").write_text(flow)
    with (tmp_path / "prompts" / "catalogue.yaml").open("a") as catalogue:
        catalogue.write('did-you-say: {en: "Did you say {{ said }}?"}\nnot-understood: {en: "What?"}\n')
    code, out, (note,) = check()
    assert (code, out) == (0, [])
    assert note.startswith("note: flows/small.yaml:7:")
    assert "these phrases are not used: speech.recognition in appliance.yaml has no model for en. Keys work" in note
    (tmp_path / "appliance.yaml").write_text("speech: {recognition: {en: {vendor: pocketsphinx}}}\n")
    assert check() == (0, [], [])


def test_a_single_file_is_checked_in_its_surroundings(check, tmp_path):
    (tmp_path / "flows" / "other.yaml").write_text("nonsense\n")
    assert check("flows/small.yaml")[0] == 0
    (tmp_path / "draft.yaml").write_text(FLOW.replace("say: hello", "say: helo"))
    assert check("draft.yaml") == (1, ["draft.yaml:5:16: greet: no prompt 'helo'. Did you mean 'hello'?"], [])


def test_a_file_that_is_not_there_is_a_mistake_of_the_command(check):
    assert check("flows/smal.yaml") == (2, [], ["flows/smal.yaml: there is no such file"])


def test_scenarios_are_played_and_told_where_they_differ(check, tmp_path):
    (tmp_path / "flows" / "small.test.yaml").write_text(SCENARIOS)
    code, out, err = check()
    assert code == 1
    assert len(out) == 1
    assert out[0].startswith("flows/small.test.yaml:4:38: two is no option: 'hello' was not heard; heard instead: No.")
    assert err[-1] == "1 of 2 scenarios went as written"
    assert check("--no-scenarios") == (0, [], [])


def test_a_scenario_that_fails_says_what_went_wrong_with_the_call(check, tmp_path):
    flow = FLOW.replace(
        "  end:",
        "  ask-crm:\n    lookup: {query: order, with: {number: '1'}, into: order}\n"
        "    found: end\n    missing: end\n    failed: broken\n"
        '  broken: {set: {much: "{{ -caller.name }}"}, next: end}\n  end:',
    ).replace('"1": greet', '"1": ask-crm')
    (tmp_path / "flows" / "small.yaml").write_text(flow)
    (tmp_path / "flows" / "queries.yaml").write_text("order:\n  sql: select :number as x\n  returns: [x]\n")
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var" / "crm.db").touch()
    (tmp_path / "flows" / "small.test.yaml").write_text(
        '- {name: a lookup, steps: [{database: down}, {hear: ask}, {press: "1"}, {hear: hello}]}\n'
    )
    code, (line,), _ = check()
    assert code == 1
    assert line.startswith(
        "flows/small.test.yaml:1:73: a lookup: 'hello' was not heard; heard instead: Sorry.; the call had ended;"
    )
    assert line.endswith(
        "; the CRM is down, as the scenario says; the step broken failed: only a number can be negative"
    )


def test_a_scenario_with_a_wrong_name_says_which_is_meant_and_where(check, tmp_path):
    (tmp_path / "flows" / "small.test.yaml").write_text(
        "- {name: a prompt, steps: [{hear: hallo}]}\n"
        "- {name: a queue, steps: [{hear: ask}, {queued: service}]}\n"
        "- {name: an agent, steps: [{hear: ask}, {agent-answers: '1099'}]}\n"
        "- {name: a calendar, steps: [{hear: ask}, {closure: office}]}\n"
    )
    (tmp_path / "flows" / "queues.yaml").write_text("servce: {}\n")
    code, out, _ = check()
    assert code == 1
    assert out[0].startswith("flows/small.test.yaml:1:28: a prompt: 'hallo' was not heard, and there is no such prompt")
    assert "(did you mean 'hello'?)" in out[0]
    assert out[1] == "flows/small.test.yaml:2:40: a queue: there is no queue service. Did you mean 'servce'?"
    assert out[2].startswith("flows/small.test.yaml:3:41: an agent: there is no agent 1099; there are 1001,")
    assert out[3] == "flows/small.test.yaml:4:43: a calendar: there is no calendar office"


def test_scenarios_wait_for_what_set_up_makes(check, tmp_path):
    """Nobody blames the flows for a CRM or a tone that was never made."""
    (tmp_path / "flows" / "small.test.yaml").write_text(SCENARIOS)
    (tmp_path / "flows" / "queries.yaml").write_text("order:\n  sql: select :number as x\n  returns: [x]\n")
    code, out, err = check()
    assert (code, out) == (2, [])
    assert err[-1] == f"the scenarios are not played: {tmp_path}/var/crm.db is not there yet; run: make setup"


def test_queries_are_tried_where_the_crm_answers(check, tmp_path):
    (tmp_path / "flows" / "queries.yaml").write_text(
        "order:\n  sql: select numbr from orders where number = :number\n  returns: [number]\n"
    )
    code, out, (note,) = check("--no-scenarios")
    assert (code, out) == (0, [])
    assert note.startswith("note: the queries could not be tried, for the CRM does not answer: ")

    (tmp_path / "var").mkdir(exist_ok=True)
    with sqlite3.connect(tmp_path / "var" / "crm.db") as crm:
        crm.execute("create table orders (number text)")
    assert check("--no-scenarios") == (
        1,
        ["flows/queries.yaml:2:8: order.sql: no column 'numbr' in the CRM. Did you mean 'number'?"],
        [],
    )


def test_watching_checks_at_once_and_after_every_change_that_has_settled():
    looks = iter(["a", "a", "b", "c", "c", "c", "c", "d", "d"])
    pauses = []
    codes = iter([1, 0, 0])
    found = watched(lambda: next(codes), lambda: next(looks), pauses.append)
    assert next(found) == 1
    assert pauses == []
    assert next(found) == 0  # b was still being written, c was not
    assert len(pauses) == 3
    assert next(found) == 0
    assert len(pauses) == 6
    assert next(looks, None) is None


def test_watching_tells_each_check(check, tmp_path, monkeypatch, capsys):
    small = tmp_path / "flows" / "small.yaml"
    edits = iter([FLOW.replace("next: main", "next: man"), FLOW])

    def saved_meanwhile(_):
        text = next(edits, None)
        if text is None:
            raise KeyboardInterrupt
        small.write_text(text)

    monkeypatch.setattr("commands.check.time.sleep", saved_meanwhile)
    code, out, _ = check("--watch")
    assert code == 130
    assert [line.split("  ")[-1] for line in out] == [
        "nothing is wrong; waiting for a change",
        "flows/small.yaml:5:29: greet.next: no step 'man'. Did you mean 'main'?",
        "see above; waiting for a change",
        "nothing is wrong; waiting for a change",
    ]


def test_the_schema_can_be_asked_for_here_too(check):
    code, out, _ = check("--schema")
    assert code == 0
    assert (
        "hello"
        in json.loads("\n".join(out))["definitions"]["step-say"]["properties"]["say"]["oneOf"][0]["anyOf"][0]["enum"]
    )
