"""The command `closure`, while no appliance runs and while one does."""

import io
import json

import pytest

from commands import main
from runtime.closures import FILE


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "calendars.yaml").write_text('office: {zone: Asia/Shanghai, open: {mon-fri: "09:00-18:00"}}')
    (tmp_path / "appliance.yaml").write_text("")

    def closure(*words, keyed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(keyed))
        return main(["--config", str(tmp_path / "appliance.yaml"), "closure", *words], tmp_path)

    closure.file = tmp_path / "var" / FILE
    return closure


def test_a_calendar_is_closed_listed_and_lifted(home, capsys):
    assert home("set", "office", "--reason", "typhoon") == 0
    assert home() == 0
    told = capsys.readouterr().out
    assert "office: closed since 20" in told
    assert "(typhoon)" in told
    assert home("lift", "office") == home("lift", "office") == 0
    assert "office was not closed" in capsys.readouterr().out
    assert home("--json") == 0
    assert json.loads(capsys.readouterr().out) == {"pin": False, "closed": {}}


def test_who_closes_a_closed_calendar_is_told_since_when_and_why_it_was_closed(home, capsys):
    home("set", "office", "--reason", "typhoon")
    facts = json.loads(home.file.read_text())
    facts["closed"]["office"] |= {"since": "2026-11-23T22:30:00+00:00", "by": "wang"}
    home.file.write_text(json.dumps(facts))
    capsys.readouterr()
    assert home() == 0
    since = "since 2026-11-24 06:30:00 Asia/Shanghai, by wang (typhoon)"
    assert f"office: closed {since}\n" in capsys.readouterr().out
    assert home("set", "office", "--reason", "flood") == 0
    assert capsys.readouterr().out.startswith(f"office was closed already, {since}; time and reason are new now\n")
    assert json.loads(home.file.read_text())["closed"]["office"]["reason"] == "flood"


def test_a_calendar_that_is_not_there_is_refused_by_name(home, capsys):
    assert home("set", "ofice") == 2
    assert "there is no calendar ofice. Did you mean 'office'?" in capsys.readouterr().err
    assert not home.file.exists()


@pytest.mark.parametrize("pin", ["", "123", "12a4", "0000", "1234", "9876", "12345678901234567", "１２３９"])
def test_a_pin_that_is_none_is_refused(home, capsys, pin):
    assert home("pin", keyed=f"{pin}\n") == 2
    assert "PIN" in capsys.readouterr().err
    assert not home.file.exists()


def test_a_pin_is_set_and_kept_as_a_hash_only_and_taken_away(home, capsys):
    assert home("pin", keyed="4711\n") == 0
    assert "4711" not in home.file.read_text()
    assert home.file.stat().st_mode & 0o777 == 0o640
    assert home("pin", "--remove") == 0
    home()
    assert "not possible, no PIN is set" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_set_aside(home, capsys):
    home.file.parent.mkdir()
    home.file.write_text("{torn")
    assert home("set", "office") == 0
    assert home.file.with_suffix(".unreadable").read_text() == "{torn"
