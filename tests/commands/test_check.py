"""`check` prints every problem with its place, and nothing else."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from commands import main
from commands.check import watched
from config.values import UserError
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


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("prompts/catalogue.yaml", "this is no flow but the prompts' texts, which are checked together with the flows"),
        ("appliance.yaml", "this is no flow but the configuration, which every command checks as it begins"),
        ("drafts", "this is a folder; name its files, or leave it out to check "),
    ],
)
def test_what_is_no_flow_is_told_with_the_way_to_check_it(check, tmp_path, file, said):
    (tmp_path / "drafts").mkdir()
    code, out, (line,) = check(file)
    assert (code, out) == (2, [])
    assert line.startswith(f"{file}: {said}")


def test_the_folder_of_the_flows_is_checked_as_without_a_name(check, tmp_path):
    assert check("flows") == (0, [], [])
    (tmp_path / "flows" / "small.yaml").write_text(FLOW.replace("next: main", "next: man"))
    assert check("flows") == check()


def test_a_catalogue_that_is_missing_is_told_once(check, tmp_path):
    (tmp_path / "prompts" / "catalogue.yaml").unlink()
    assert check() == (
        1, ["prompts/catalogue.yaml:1:1: there is no such file; the prompts' texts stand in it"], []
    )  # fmt: skip
    (tmp_path / "prompts").rmdir()
    assert check() == (
        1, ["prompts:1:1: there is no such folder; name that of the prompts by prompts-dir"], []
    )  # fmt: skip


def test_a_folder_of_flows_that_is_missing_is_told_as_that(check, tmp_path):
    shutil.rmtree(tmp_path / "flows")
    code, out, (line,) = check()
    assert (code, out) == (2, [])
    assert line.startswith(f"flows-dir: {tmp_path}/flows: there is no such folder")


def test_a_queue_without_a_file_of_queues_says_that_the_file_is_missing(check, tmp_path):
    flow = FLOW.replace("end: {hangup: {}}", "end: {queue: {name: service}, otherwise: over}\n  over: {hangup: {}}")
    (tmp_path / "flows" / "small.yaml").write_text(flow)
    out = "\n".join(check()[1])
    assert "no queue 'service'. There is none: queues.yaml beside the flows is missing or empty" in out


@pytest.mark.parametrize("name", ["more.yml", "more.YAML", "more.yaml.txt"])
def test_a_file_that_nobody_reads_for_its_name_is_told(check, tmp_path, name):
    (tmp_path / "flows" / name).write_text(FLOW)
    (tmp_path / "flows" / ".more.yml").write_text("an editor's")
    told = f"flows/{name}:1:1: this file is not read; name it more.yaml, or move it away"
    assert check() == (1, [told], [])


def test_scenarios_are_played_and_told_where_they_differ(check, tmp_path):
    (tmp_path / "flows" / "small.test.yaml").write_text(SCENARIOS)
    code, out, err = check()
    assert code == 1
    assert len(out) == 1
    assert out[0].startswith("flows/small.test.yaml:4:38: two is no option: 'hello' was not heard; heard instead: No.")
    assert err[-1] == "1 of 2 scenarios went as written"
    assert check("--no-scenarios") == (0, [], [])


def test_a_scenario_that_dials_a_number_without_a_flow_says_which_numbers_there_are(check, tmp_path):
    scenario = '- {name: elsewhere, dialled: "9999", steps: [{hear: hello}]}\n'
    (tmp_path / "flows" / "small.test.yaml").write_text(scenario)
    assert check()[1] == ["flows/small.test.yaml:1:46: elsewhere: no flow answers 9999; dial 1000"]


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


MAILBOX = """\
number: "*97"
languages: [en]
start: box
steps:
  box: {mailbox: {}, next: end}
  end: {hangup: {}}
"""


def test_a_scenario_calls_from_a_telephone_of_the_house_with_a_mailbox_and_a_pin(check, tmp_path):
    """Its messages lie in an empty copy of the mailbox, in the order in which they were left."""
    shutil.copy(HOME / "prompts" / "catalogue.yaml", tmp_path / "prompts")
    (tmp_path / "flows" / "small.yaml").unlink()
    (tmp_path / "flows" / "box.yaml").write_text(MAILBOX)
    music.make(tmp_path / "var" / "sounds")
    (tmp_path / "flows" / "box.test.yaml").write_text(
        "- name: the owner hears both\n"
        "  phone: '1001'\n"
        "  mailbox: service\n"
        "  pin: '2580'\n"
        "  steps: [{message: '13800000001'}, {message: '13900000002'}, {hear: mailbox-pin}, {press: '2580#'},"
        " {hear: mailbox-count}, {press: '1'}, {hear: mailbox-message}, {hear: message-1}, {press: '3'},"
        " {hear: mailbox-deleted}, {hear: message-2}, {hang-up: }]\n"
        "- {name: a wrong PIN, phone: '1001', mailbox: service, pin: '2580',\n"
        "   steps: [{press: '1#'}, {hear: mailbox-menu}]}\n"
        "- {name: a telephone, phone: '1099', steps: [{hear: mailbox-pin}]}\n"
        "- {name: a mailbox, mailbox: servce, steps: [{hear: mailbox-pin}]}\n"
    )
    code, out, err = check()
    assert code == 1
    assert err[-1] == "1 of 4 scenarios went as written"
    assert out[0].startswith(
        "flows/box.test.yaml:7:27: a wrong PIN: 'mailbox-menu' was not heard; heard instead: Sorry, that"
    )
    assert out[1:] == [
        "flows/box.test.yaml:8:3: a telephone: there is no telephone 1099. There are: 1001, 1002, 1003 or 1004",
        "flows/box.test.yaml:9:3: a mailbox: there is no mailbox servce. Did you mean 'service'?",
    ]


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


def test_mailboxes_that_nobody_could_look_for_are_a_note(check, tmp_path):
    flow = FLOW.replace("end: {hangup: {}}", "end: {voicemail: {box: nosuch}, next: over}\n  over: {hangup: {}}")
    (tmp_path / "flows" / "small.yaml").write_text(flow)
    said = (HOME / "prompts" / "catalogue.yaml").read_text() + 'hello: {en: "Hello."}\nask: {en: "Press one."}\n'
    (tmp_path / "prompts" / "catalogue.yaml").write_text(said)
    code, out, (note,) = check()
    assert (code, out) == (0, [])
    assert note.startswith("note: the names of mailboxes and skills could not be checked: database.url: ")
    assert note.endswith("make or upgrade the tables with: ./appliance.py db init")


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


def test_watching_goes_on_after_a_slip_that_was_saved_during_a_check(check, monkeypatch, tmp_path):
    """The scenarios are played with the files as they are then, and they are refused as at a start."""
    small = tmp_path / "flows" / "small.yaml"

    def saved_meanwhile(*_):
        raise UserError("flows/small.yaml:5:29: greet.next: no step 'man'")

    def looked(_):
        if "welcome" in small.read_text():
            raise KeyboardInterrupt
        monkeypatch.setattr("commands.check._play", lambda *_: 0)
        small.write_text(FLOW + "# welcome\n")

    monkeypatch.setattr("commands.check._play", saved_meanwhile)
    monkeypatch.setattr("commands.check.time.sleep", looked)
    code, out, err = check("--watch")
    assert err == ["flows/small.yaml:5:29: greet.next: no step 'man'"]
    assert [line.split("  ")[-1] for line in out] == [
        "see above; waiting for a change",
        "nothing is wrong; waiting for a change",
    ]
    assert code == 130


def test_the_schema_can_be_asked_for_here_too(check):
    code, out, _ = check("--schema")
    assert code == 0
    assert (
        "hello"
        in json.loads("\n".join(out))["definitions"]["step-say"]["properties"]["say"]["oneOf"][0]["anyOf"][0]["enum"]
    )
