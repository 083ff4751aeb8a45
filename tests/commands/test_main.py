"""What is said where the program itself is wrong."""

import tempfile
from pathlib import Path

import pytest

import commands

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wrong(monkeypatch):
    def read(_):
        raise ZeroDivisionError("an error of ours")

    monkeypatch.setattr(commands, "read", read)


def test_an_error_of_the_program_itself_is_kept_in_a_file(wrong, capsys):
    assert commands.main(["status"], CHECKOUT) == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    file = Path(said.rpartition(": ")[2].strip())
    assert "an error of ours" in file.read_text()
    file.unlink()


def test_where_no_file_can_be_written_it_is_said_in_full(wrong, capsys, monkeypatch):
    def full(*_, **__):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    assert commands.main(["status"], CHECKOUT) == 70
    said = capsys.readouterr().err
    assert "an error of ours" in said
    assert "No usable temporary directory found" in said
