"""The command line as people use it: simulated calls over the shipped flow, the demo, and clear words for mistakes."""

import gc
import json
import shutil
import sqlite3
import wave
from pathlib import Path

import pytest

from commands import main
from provision import music

CHECKOUT = Path(__file__).resolve().parents[2]
OPEN = "2026-11-24 10:00"
ORDER = ["--caller", "13800000001", "--keys", "1 202611# 1", "--at", OPEN, "--json"]


class House:
    """A set-up appliance in a folder of its own, with the shipped flow and prompts."""

    def __init__(self, home):
        self.home = home
        shutil.copytree(CHECKOUT / "flows", home / "flows")
        (home / "appliance.yaml").write_text(f"prompts-dir: {CHECKOUT / 'prompts'}\n")

    def run(self, *arguments):
        return main(["--config", str(self.home / "appliance.yaml"), *arguments], CHECKOUT)

    def change_crm(self, statement):
        with sqlite3.connect(self.home / "var" / "crm.db") as crm:
            crm.execute(statement)
        crm.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    assert house.run("db", "init") == 0
    music.make(house.home / "var" / "sounds")
    return house


@pytest.fixture
def house(made, tmp_path):
    """The same house, with a CRM that the test may change."""
    kept = tmp_path / "crm.db"
    shutil.copy(made.home / "var" / "crm.db", kept)
    yield made
    shutil.copy(kept, made.home / "var" / "crm.db")


@pytest.fixture
def ask(house, capsys):
    """Runs a command and returns its JSON."""

    def run(*arguments):
        capsys.readouterr()
        assert house.run(*arguments) == 0
        return json.loads(capsys.readouterr().out)

    return run


def exits(call):
    return {step["step"]: step["exit"] for step in call["steps"]}


def test_the_caller_is_told_what_stands_in_the_database(ask, house):
    call = ask("call", "1000", *ORDER)
    assert any("二零二六一一,已发货" in text for text in call["heard"])
    house.change_crm("update orders set status_text = '在海关' where number = '202611'")
    assert any("二零二六一一,在海关" in text for text in ask("call", "1000", *ORDER)["heard"])


def test_without_its_table_the_lookup_fails_and_a_person_helps(ask, house):
    house.change_crm("alter table orders rename to elsewhere")
    call = ask("call", "1000", *ORDER)
    assert exits(call)["find-order"] == "failed"
    assert call["queues"] == ["service"]
    assert call["agent"]


def test_a_silent_caller_reaches_an_agent(ask):
    call = ask("call", "1000", "--at", OPEN, "--json", "--patience", "3m")
    assert call["queues"] == ["service"]
    assert "(music: calm)" in call["heard"]
    assert call["outcome"] == "flow ended"


def test_with_nobody_logged_on_the_caller_is_offered_a_message(ask):
    call = ask("call", "1000", "--at", OPEN, "--no-agents", "--json", "--patience", "2m")
    assert exits(call)["queue-service"] == "overflowed"
    assert not call["agent"]


def test_a_gold_customer_and_a_stranger_are_both_served(ask):
    for caller in ("13800000001", "", "anonymous", '"; drop table orders; --', "x" * 4096, "\u2028%0A"):
        assert ask("call", "1000", "--caller", caller, "--keys", "9", "--at", OPEN, "--json")["heard"]


def test_what_was_heard_is_written_as_audio(house, tmp_path):
    heard = tmp_path / "heard.wav"
    assert house.run("call", "1000", "--keys", "8", "--at", OPEN, "--patience", "20s", "--audio", str(heard)) == 0
    with wave.open(str(heard)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() / 8000 > 20


def test_a_number_without_a_flow_is_refused(ask, house, capsys):
    assert house.run("call", "5555", "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["outcome"] == "no flow for the dialled number"
    assert said.err == ""


def test_whoever_calls_a_number_without_a_flow_is_told_the_numbers_that_there_are(house, capsys):
    assert house.run("call", "5555") == 1
    assert capsys.readouterr().out == "no flow answers 5555; dial *97, *98, 1000 or 4008001234\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("call", "1000", "--keys", "1 2x"), "'x' is not a key; there are 0 to 9, * and #"),
        (("call", "1000", "--patience", "soon"), "--patience: 'soon' is not a duration"),
        (("call", "1000", "--at", "noon"), "--at: 'noon' is not a time"),
        (("status",), "no appliance is running here"),
        (("agents", "state", "1001", "ready"), "no appliance is running here"),
        (("agents", "add", "1005", "Li", "--skill", "cmn"), "'cmn' is not a skill; write NAME=LEVEL"),
        (("agents", "add", "1005", "Li", "--skill", "a b=3"), "'a b' cannot be a skill's name, which is one word"),
        (("agents", "add", "1001", "Li"), "agent 1001 or its phone 1001 is there already"),
        (("agents", "add", "1005", "Li", "--queue", "servce"), "there is no queue 'servce'"),
        (("agents", "add", "a b", "Li"), "'a b' cannot be an agent's id"),
        (("call", "1000", "--patience", "1s", "--audio", "/proc/none/heard.wav"), "/proc/none: No such file"),
        (("call", "1000", "--patience", "1s", "--audio", "/tmp"), "/tmp: Is a directory"),
        (("switch-config",), "the simulated switch needs no configuration"),
    ],
)
def test_a_mistake_is_one_clear_line(house, capsys, arguments, said):
    assert house.run(*arguments) == 2
    gc.collect()  # what was half made and complains when it goes, complains now
    [error] = capsys.readouterr().err.splitlines()
    assert said in error


def test_a_missing_configuration_is_named(capsys, tmp_path):
    assert main(["--config", str(tmp_path / "none.yaml"), "status"], CHECKOUT) == 2
    assert "no such configuration file" in capsys.readouterr().err


def test_a_wrong_configuration_names_every_place(capsys, tmp_path):
    config = tmp_path / "appliance.yaml"
    config.write_text(
        "switch:\n  kind: freeswich\n  asterisk: {url: here}\ntime-zone: Asia/Peking\nlimits: {calls: 0}\n"
    )
    assert main(["--config", str(config), "status"], CHECKOUT) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix(f"{config}:").split(":")[0] for line in lines] == ["2", "3", "4", "5"]
    assert "freeswitch" in lines[0]


def test_agents_are_listed_with_their_skills(ask):
    agents = {agent["id"]: agent for agent in ask("agents", "--json")}
    assert sorted(agents) == ["1001", "1002", "1003", "1004"]
    assert agents["1004"]["skills"]["en"] == 5
    assert agents["1001"]["state"] == "LoggedOff"


def test_an_agent_can_be_added(ask, house):
    assert house.run("agents", "add", "1009", "Zhao", "--queue", "service", "--skill", "cmn=3") == 0
    [added] = [agent for agent in ask("agents", "list", "--json") if agent["id"] == "1009"]
    assert (added["queues"], added["skills"], added["phone"]) == (["service"], {"cmn": 3}, "1009")


def test_an_agents_order_is_kept_and_must_be_one(ask, house, capsys):
    assert house.run("agents", "add", "1011", "Sun", "--queue", "service", "--order", "3") == 0
    assert {agent["id"]: agent["order"] for agent in ask("agents", "--json")}["1011"] == 3
    assert house.run("agents", "add", "1012", "Li", "--order", "-1") == 2
    assert "--order -1: write a number from 0" in capsys.readouterr().err


def test_an_agent_can_be_removed_and_one_that_there_is_not_cannot(ask, house, capsys):
    assert house.run("agents", "add", "1010", "Qian", "--queue", "service") == 0
    assert house.run("agents", "remove", "1010") == 0
    assert "1010" not in {agent["id"] for agent in ask("agents", "--json")}
    assert house.run("agents", "remove", "1010") == 2
    assert "there is no agent 1010." in capsys.readouterr().err


@pytest.fixture
def nobody_there(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stdin", (tmp_path / "stdin").open("w+"))


def test_the_demo_without_a_terminal_plays_a_sample_call(house, capsys, nobody_there):
    assert house.run("demo") == 0
    shown = capsys.readouterr().out
    assert "您的订单二零二六一一" in shown
    assert "(talking to" in shown
    assert "agent: 10" in shown


@pytest.mark.parametrize(
    "broken",
    ["alter table orders rename to elsewhere", "update orders set number = '0' where number = '202611'"],
)
def test_a_sample_call_that_is_not_told_its_order_is_a_failure(house, capsys, nobody_there, broken):
    house.change_crm(broken)
    assert house.run("demo") == 1
    assert "It did not go as it should" in capsys.readouterr().out


def test_a_sample_call_that_no_agent_answers_is_a_failure(house, capsys, nobody_there, monkeypatch):
    (house.home / "appliance.yaml").rename(house.home / "usual.yaml")
    settings = (house.home / "usual.yaml").read_text()
    (house.home / "appliance.yaml").write_text(settings + "switch: {simulated: {agent-answers-after: 10m}}\n")
    try:
        assert house.run("demo") == 1
    finally:
        (house.home / "usual.yaml").rename(house.home / "appliance.yaml")
    assert "agent: none" in capsys.readouterr().out


def test_doctor_tells_what_is_missing_and_how_to_mend_it(house, capsys):
    assert house.run("doctor") == 1
    report = capsys.readouterr().out
    assert "fallback-sorry.wav" in report
    assert "mend it: make music and spoken prompts: ./appliance.py prompts build" in report
    assert "ok       crm: answers, callers can be recognised" in report


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("hotline.yaml", "box: service", "box: servise"),
        ("hotline.yaml", "skills: [", "skills: [cooking, "),
        ("hotline.test.yaml", "hear:", "heer:"),
    ],
    ids=["a mailbox that there is not", "a skill that nobody has", "a word that no scenario knows"],
)
def test_doctor_finds_what_check_finds(house, capsys, file, before, after):
    flow = house.home / "flows" / file
    right = flow.read_text(encoding="utf-8")
    assert before in right
    flow.write_text(right.replace(before, after, 1), encoding="utf-8")
    try:
        assert house.run("check", "--no-scenarios") == 1
        problems = len(capsys.readouterr().out.splitlines())
        assert house.run("doctor") == 1
    finally:
        flow.write_text(right, encoding="utf-8")
    told = capsys.readouterr().out
    assert f"PROBLEM  flows: {problems} problems in {flow.parent}\n         mend it: see them: ./app" in told


@pytest.mark.parametrize(
    ("url", "wrong", "mend"),
    [
        ("nonsense", "this is not a database URL; write for", "set database.url in appliance.yaml to such a URL"),
        ("mysql://h/x", "'mysql' is not supported; write for", "set database.url in appliance.yaml to such a URL"),
        (
            "sqlite://var/h.db",
            "database.url has two slashes",
            'write in appliance.yaml: database: {url: "sqlite:///var/',
        ),
        ("sqlite:///nowhere/h.db", "unable to open", "make or upgrade the tables: ./appliance.py db init"),
        (
            "sqlite:///appliance.yaml",
            "file is not a database",
            "let the user that the appliance runs as read and write",
        ),
        ("postgresql://hotline@127.0.0.1:1/hotline", "connection failed", "start the database server, and see that"),
    ],
    ids=["no URL", "another product", "two slashes", "no file yet", "another file", "no server there"],
)
def test_doctor_mends_each_fault_of_the_database_in_its_own_way(tmp_path, capsys, url, wrong, mend):
    settings = tmp_path / "appliance.yaml"
    settings.write_text(f'prompts-dir: {CHECKOUT / "prompts"}\ndatabase: {{url: "{url}"}}\n')
    assert main(["--config", str(settings), "doctor"], CHECKOUT) == 1
    told = capsys.readouterr().out
    assert f"PROBLEM  database: {wrong}" in told
    assert f"mend it: {mend}" in told.partition("PROBLEM  database:")[2].splitlines()[1]


def test_doctor_misses_no_queries_where_there_are_none(tmp_path, capsys):
    """A house without a CRM has no queries.yaml, and may have one that does not ask who is calling."""
    (tmp_path / "appliance.yaml").write_text(f"prompts-dir: {CHECKOUT / 'prompts'}\n")
    (tmp_path / "flows").mkdir()
    for queries in (None, "order:\n  sql: select state from orders where number = :number\n  returns: [state]\n"):
        if queries:
            (tmp_path / "flows" / "queries.yaml").write_text(queries)
        main(["--config", str(tmp_path / "appliance.yaml"), "doctor"], CHECKOUT)
        assert "ok       crm: no query caller_by_number in" in capsys.readouterr().out


def test_doctor_tells_of_a_data_folder_that_cannot_be_written(house, capsys):
    """Nobody can make a file there, root included."""
    settings = house.home / "elsewhere.yaml"
    settings.write_text((house.home / "appliance.yaml").read_text() + "data-dir: /proc/self\n")
    assert main(["--config", str(settings), "doctor"], CHECKOUT) == 1
    told = capsys.readouterr().out
    assert "PROBLEM  disk: data-dir /proc/self cannot be written: " in told
    assert "mend it: let the user that the appliance runs as write there, or set data-dir" in told


def test_journal_verify_prints_its_counts(house, capsys):
    assert house.run("journal", "verify") == 0
    assert capsys.readouterr().out == "calls=0 ended=0 open=0 holes=0 doubles=0\n"


def test_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        main(["call", "--help"], CHECKOUT)
    assert './appliance.py call 1000 --caller 13800000001 --keys "1 202611# 1"' in capsys.readouterr().out


def test_a_group_without_its_command_shows_what_there_is(capsys):
    assert main(["journal"], CHECKOUT) == 2
    assert "./appliance.py journal verify" in capsys.readouterr().out


def test_the_configuration_may_be_named_before_the_command_and_after_it(capsys, tmp_path):
    for arguments in (["--config", str(tmp_path / "none"), "status"], ["status", "--config", str(tmp_path / "none")]):
        assert main(arguments, CHECKOUT) == 2
        assert f"{tmp_path / 'none'}: no such configuration file" in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_named(capsys, tmp_path):
    config = tmp_path / "appliance.yaml"
    config.write_text(f"data-dir: /proc/none\nflows-dir: {CHECKOUT / 'flows'}\nprompts-dir: {CHECKOUT / 'prompts'}\n")
    assert main(["run", "--config", str(config)], CHECKOUT) == 2
    assert capsys.readouterr().err == "data-dir: /proc/none cannot be written: No such file or directory\n"
    assert main(["doctor", "--config", str(config)], CHECKOUT) == 1
    assert "PROBLEM  disk: data-dir /proc/none cannot be written: No such file or directory" in capsys.readouterr().out


def test_an_error_of_the_program_is_one_line_and_its_details_are_kept(house, capsys, monkeypatch):
    monkeypatch.setattr("journal.reader.verify", lambda _: 1 / 0)
    assert house.run("journal", "verify") == 70
    error = capsys.readouterr().err
    assert error.startswith("an error of the program itself: ZeroDivisionError; details")
    details = Path(error.rpartition(": ")[2].strip())
    assert "Traceback" in details.read_text()
    details.unlink()
