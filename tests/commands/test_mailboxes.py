"""`mailboxes` and `recordings`: every change in one line, every mistake in one line that says how to mend it."""

import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands import main
from store.rows import CallRecording
from store.store import Store
from store.voicemail import Opening
from switch.shared.clock import RealClock

HOME = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "appliance.yaml").write_text(f"prompts-dir: {HOME}/prompts\n\n")
    assert main(["--config", str(home / "appliance.yaml"), "db", "init"], HOME) == 0
    return home


@pytest.fixture
def run(home, capsys, monkeypatch):
    """Runs a command; its exit code, output and errors."""

    def run(*words: str, typed: str = ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        capsys.readouterr()
        code = main(["--config", str(home / "appliance.yaml"), *words], HOME)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def store(home):
    store = Store(f"sqlite:///{home}/var/hotline.db", RealClock(), threads=1)
    yield store
    store.close()


def listed(run, name):
    _, out, _ = run("mailboxes", "--json")
    return next((box for box in json.loads(out) if box["name"] == name), None)


def test_a_box_is_added_changed_and_removed(run):
    code, out, _ = run("mailboxes", "add", "wang", "--phone", "1001", "--email", "wang@example.org", "--keep", "30")
    assert code == 0
    assert "mailboxes pin wang" in out
    assert listed(run, "wang") == {
        "name": "wang", "new": 0, "messages": 0, "limit": 100, "keep_days": 30, "pin": False, "locked_until": None,
        "phones": ["1001"], "email": "wang@example.org", "greeting": "",
    }  # fmt: skip
    assert run("mailboxes", "set", "wang", "--keep", "0", "--limit", "5", "--greeting", "leave-complaint")[0] == 0
    box = listed(run, "wang")
    assert (box["keep_days"], box["limit"], box["greeting"], box["phones"]) == (None, 5, "leave-complaint", ["1001"])
    assert run("mailboxes", "remove", "wang")[0] == 0
    assert listed(run, "wang") is None


def test_a_pin_is_read_from_standard_input_and_kept_as_a_hash(run, store, home):
    assert run("mailboxes", "pin", "service", typed="2580\n")[:2] == (0, "mailbox service has a new PIN\n")
    assert store.voicemail.open("service", "2580", NOW) is Opening.OPEN
    assert b"2580" not in (home / "var/hotline.db").read_bytes()
    assert run("mailboxes", "pin", "service", "--none")[0] == 0
    assert store.voicemail.open("service", "2580", NOW) is Opening.NO_PIN


@pytest.mark.parametrize("pin", ["", "123", "12a4", "1" * 17, "0000", "1234", "4321", "٤٣٢١"])
def test_a_pin_that_is_none_or_too_easy_is_refused(run, pin):
    code, _, err = run("mailboxes", "pin", "service", typed=f"{pin}\n")
    assert code == 2
    assert err.count("\n") == 1


def test_a_locked_box_is_shown_and_unlocked(run, store):
    run("mailboxes", "pin", "service", typed="2580\n")
    for _ in range(5):
        store.voicemail.open("service", "1", datetime.now(UTC))
    assert listed(run, "service")["locked_until"]
    assert "locked" in run("mailboxes")[1]
    assert run("mailboxes", "unlock", "service")[0] == 0
    assert listed(run, "service")["locked_until"] is None


MISTAKES = [
    (("unlock", "servise"), "Did you mean 'service'?"),
    (("add", "service"), "mailboxes set service"),
    (("add", "no spaces"), "cannot be a mailbox's name"),
    (("set", "service"), "nothing to change"),
    (("set", "service", "--email", "nobody"), "wang@example.org"),
    (("set", "service", "--greeting", "leave-mesage"), "Did you mean 'leave-message'?"),
    (("set", "service", "--phone", "10001"), "Did you mean '1001'?"),
    (("set", "service", "--limit", "0"), "from 1 to 10000"),
    (("set", "service", "--keep", "-1"), "number of days"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=lambda each: each[0] if isinstance(each, tuple) else "")
def test_a_mistake_is_one_line_that_says_how_to_mend_it(run, words, said):
    code, _, err = run("mailboxes", *words)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_box_with_messages_is_not_removed(run, store):
    store.keep_message(
        "complaints", path="/m.wav", seconds=3, received=NOW, caller="+8613800000001", call="call-1", visit="1"
    )
    code, _, err = run("mailboxes", "remove", "complaints")
    assert (code, "holds 1 messages" in err) == (2, True)


USES = """
number: "1000"
languages: [en]
start: ask
steps:
  ask: {voicemail: {box: orders, say: leave-message}, next: listen}
  listen: {mailbox: {box: orders}, next: end}
  other: {voicemail: {box: odrers, say: leave-message}, next: end}
  end: {hangup: {}}
"""


def test_a_box_that_a_flow_uses_is_removed_only_where_that_is_meant(run, home):
    """What is wrong in the flow already is told by `check`, not here."""
    (home / "flows").mkdir()
    (home / "flows" / "parcels.yaml").write_text(USES)
    try:
        assert run("mailboxes", "add", "orders")[0] == 0
        code, _, err = run("mailboxes", "remove", "orders")
        assert code == 2
        flow = home / "flows" / "parcels.yaml"
        assert err.startswith(f"mailbox orders is used in {flow}:6 (ask.box), {flow}:7 (listen.box); name another box")
        assert "--used" in err
        assert listed(run, "orders")
        assert run("mailboxes", "remove", "orders", "--used")[:2] == (0, "mailbox orders removed\n")
        assert "no mailbox 'orders'" in run("mailboxes", "remove", "orders")[2]
    finally:
        shutil.rmtree(home / "flows")


def test_recordings_are_listed_with_their_files(run, store):
    assert run("recordings")[:2] == (0, "no recordings\n")
    kept = CallRecording("r1", "call-1", "hotline", "service", "1001", NOW, 61.52, "/recordings/r1.wav", None)
    store.recordings.keep(kept)
    [row] = json.loads(run("recordings", "--json")[1])
    assert (row["call"], row["agent"], row["seconds"], row["started"]) == (
        "call-1",
        "1001",
        61.5,
        "2026-11-23T10:00:00+08:00",
    )
    assert "/recordings/r1.wav" in run("recordings", "--queue", "service")[1]
    assert run("recordings", "--agent", "1002")[1] == "no recordings\n"


@pytest.mark.parametrize(("option", "name"), [("--queue", "nosuch"), ("--agent", "1O01")])
def test_recordings_of_a_queue_or_an_agent_that_there_is_not_are_no_empty_list(run, option, name):
    code, _, err = run("recordings", option, name)
    assert code == 2
    assert err.startswith(f"{option}: there is no {option[2:]} '{name}'")
