"""Text that others wrote, on its way into a FreeSWITCH command."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.freeswitch import causes, dialling, encoding
from switch.port import CallId, Cause

MEANING = set("${}[]()<>,;:|'\"\\!@%&=\n\r\0\u2028`~^*#/?")


@given(st.text(max_size=5000))
def test_a_name_is_shown_without_any_sign_that_means_something(text):
    shown = encoding.display(text)
    assert not MEANING & set(shown)
    assert len(shown) <= 60


def test_a_name_stays_readable():
    assert encoding.display("  李 O'Neil,  José-María\n") == "李 O Neil José-María"


@given(st.text(max_size=500))
def test_what_is_remembered_comes_back_as_it_was(text):
    stored = encoding.value(text)
    assert not set("${}'\" ,;\n\r\0") & set(stored)
    assert encoding.remembered({"x": stored}) == {"x": text}


@given(st.text(max_size=200), st.text(max_size=200))
def test_an_originate_has_the_shape_that_we_wrote_whoever_calls(caller, name):
    endpoint = dialling.endpoint("1001", "")
    command = dialling.originate(endpoint, call_id=CallId("leg-1"), caller=caller, caller_name=name, ring_for=15.2)
    value = r"(?:[^\W_]|[.+-])+|'(?:[^\W_]|[ .+-])+'"
    listed, _, rest = command.removeprefix("originate {").partition("}")
    assert all(re.fullmatch(rf"\w+=(?:{value})", variable) for variable in listed.split(","))
    assert {"origination_uuid=leg-1", "originate_timeout=17", "hotline=dialled"} <= set(listed.split(","))
    assert rest == "sofia/agents/1001%hotline hotline-dialled XML hotline"


@pytest.mark.parametrize(
    ("caller", "name", "shown"),
    [
        ("+8613800000001", "", ("+8613800000001", None)),
        ("13800000001", "13800000001", ("13800000001", None)),
        ("13800000001", "Zhang Wei", ("13800000001", "'Zhang Wei'")),
        ("13800000001", "张伟", ("13800000001", "张伟")),
        ("", "", ("anonymous", "anonymous")),
        ("${}", "\n", ("anonymous", "anonymous")),
    ],
)
def test_a_telephone_is_told_the_name_where_it_is_not_the_number(caller, name, shown):
    command = dialling.originate("x", call_id=CallId("leg-1"), caller=caller, caller_name=name, ring_for=15)
    told = dict(variable.split("=") for variable in command.partition("{")[2].partition("}")[0].split(","))
    assert tuple(told.get(f"origination_caller_id_{what}") for what in ("number", "name")) == shown


NO_ADDRESSES = ["", "1001 1002", "1001,1002", "${system(x)}", "1001\n", "a" * 41, "1001|1002", "../x", "[x]1"]
NO_PATHS = ["/a!b.wav", "/${x}.wav", "/a@@9.wav", "/{x=1}a.wav", "/a'b.wav", "/a\nb.wav", "/a b.wav"]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_not_dialled(address):
    assert encoding.address(address) is None
    with pytest.raises(ValueError, match="address"):
        dialling.endpoint(address, "")


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("tel:+8613800138000", "sofia/gateway/trunk/+8613800138000"),
        ("tel:(138) 0013-8000", "sofia/gateway/trunk/13800138000"),
        ("tel:1${system(x)}'2\n3", "sofia/gateway/trunk/123"),
    ],
)
def test_a_telephone_number_goes_by_the_trunk(address, endpoint):
    assert dialling.endpoint(address, "sofia/gateway/trunk/$1") == endpoint


@pytest.mark.parametrize("file", NO_PATHS)
def test_a_path_with_signs_of_a_meaning_is_not_passed_on(file):
    assert encoding.path(Path(file)) is None


def test_a_path_in_any_script_is_passed_on():
    assert encoding.path(Path("/提示音/主菜单-1.wav")) == "/提示音/主菜单-1.wav"


@pytest.mark.parametrize(
    ("freeswitch", "expected"),
    [
        ("USER_BUSY", Cause.BUSY),
        ("NO_ANSWER", Cause.NO_ANSWER),
        ("CALL_REJECTED", Cause.REJECTED),
        ("USER_NOT_REGISTERED", Cause.UNREACHABLE),
        ("ORIGINATOR_CANCEL", Cause.CANCELLED),
        ("NORMAL_CIRCUIT_CONGESTION", Cause.CONGESTION),
        ("SOMETHING_NEW", Cause.FAILED),
        ("", Cause.FAILED),
    ],
)
def test_causes(freeswitch, expected):
    assert causes.cause(freeswitch) is expected


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_can_be_hung_up_with(cause):
    command, leg, *told = causes.kill("leg", cause).split(" ")
    assert (command, leg) == ("uuid_kill", "leg")
    assert all(word.isupper() for word in told)
    assert bool(told) is (cause is not Cause.NORMAL)
