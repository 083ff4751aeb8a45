"""Text that others wrote, on its way into Asterisk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.asterisk import causes, encoding
from switch.port import Cause

SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")


@given(st.dictionaries(st.from_regex("[a-z_]{1,40}", fullmatch=True), st.text()))
def test_whatever_is_remembered_comes_back_and_means_nothing_meanwhile(values):
    stored = encoding.memory(values)
    assert encoding.remembered(stored) == values
    assert set(stored) <= SAFE


@given(st.text())
def test_a_variable_that_holds_something_else_remembers_nothing(text):
    assert isinstance(encoding.remembered(text), dict)


@given(st.text(), st.text())
def test_a_shown_name_has_no_signs_of_a_meaning(number, name):
    shown = encoding.caller_id(number, name)
    assert shown.count('"') == 2
    assert (shown.count("<"), shown.count(">")) == (1, 1)
    assert not set("${}()\\\r\n;,|&") & set(shown)


@given(st.text())
def test_only_accounts_and_numbers_are_dialled(address):
    endpoint = encoding.endpoint(address)
    assert endpoint is None or not set(endpoint) - set("PJSIP/@+*#_.-") - set(address)
    if endpoint is not None:
        assert endpoint.isascii()
        assert "," not in endpoint
        assert "&" not in endpoint


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("1001", "PJSIP/1001"),
        ("+8613800000001@trunk", "PJSIP/+8613800000001@trunk"),
        ("138@trunk-b", "PJSIP/138@trunk-b"),
        ("138@elsewhere.example", None),
        ("1001&1002", None),
        ("PJSIP/1001", None),
        ("", None),
    ],
)
def test_addresses(address, endpoint):
    assert encoding.endpoint(address) == endpoint


def test_a_sound_is_a_wav_file():
    assert encoding.sound(Path("/prompts/en/welcome.wav")) == "sound:/prompts/en/welcome"
    assert encoding.sound(Path("/prompts/en/welcome.mp3")) is None


def test_unknown_music_is_the_default_music():
    assert encoding.music("calm") == "calm"
    assert encoding.music("../calm") == "default"


@pytest.mark.parametrize("cause", [Cause.NORMAL, Cause.BUSY, Cause.NO_ANSWER, Cause.REJECTED, Cause.UNREACHABLE])
def test_a_cause_that_we_give_means_the_same_when_it_comes_back(cause):
    assert causes.meaning(int(causes.code(cause))) is cause


def test_a_cause_nobody_knows_is_a_failure_and_none_at_all_is_a_hang_up():
    assert causes.meaning(999) is Cause.FAILED
    assert causes.meaning(None) is Cause.NORMAL
