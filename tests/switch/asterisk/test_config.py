"""asterisk-conf/ and what `config.write` adds to it: complete, safe, and what switch/asterisk/ expects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from switch.asterisk import config, switch
from switch.asterisk.config import Trunk

CONFIGURATION = Path(__file__).resolve().parents[3] / "asterisk-conf"
AGENTS = {"1001": "first", "1002": "sec;ond"}


def write(directory, **changes):
    music = {"default": directory / "music"}
    config.write(directory, **{"password": "ari's own", "agents": AGENTS, "music": music, **changes})
    return {file.name: file.read_text() for file in directory.iterdir() if file.is_file()}


def hand_written():
    return {file.name: file.read_text() for file in CONFIGURATION.glob("*.conf")}


def sections(text):
    """Every section's settings, by `name` and by `name(template)`."""
    found, current = {}, {}
    for line in re.sub(r"(?<!\\);.*", "", text).splitlines():
        if head := re.fullmatch(r"\[([^]]+)\](?:\((.*)\))?\s*", line):
            current = found.setdefault((head[1], head[2] or ""), {})
        elif setting := re.fullmatch(r"(\S+)\s*=>?\s*(.*?)\s*", line):
            current.setdefault(setting[1], setting[2])
    return found


# --- the two parts fit ------------------------------------------------------------------------------


def test_every_included_file_is_written(tmp_path):
    included = {name for text in hand_written().values() for name in re.findall(r"^#include hotline/(\S+)", text, re.M)}
    assert included == set(write(tmp_path))


def test_the_application_and_the_names_are_those_of_the_switch(tmp_path):
    files, written = hand_written(), write(tmp_path)
    assert f"HOTLINE_APP = {config.APPLICATION}" in written["globals.conf"]
    assert "Stasis(${HOTLINE_APP},call,${HOTLINE_DIALLED},${HOTLINE_ACCOUNT})" in files["extensions.conf"]
    assert f"[{config.TRANSFER}]" in files["extensions.conf"]
    shown = sections(files["ari.conf"])["general", ""]["channelvars"].split(",")
    assert shown == [config.MEMORY, "HOTLINE_DIALLED", "HOTLINE_ACCOUNT"]


def test_every_kind_of_channel_is_a_template_that_exists(tmp_path):
    known = {name for name, template in sections(hand_written()["pjsip.conf"]) if template == "!"}
    used = {template for _, template in sections(write(tmp_path)["pjsip.conf"]) if template}
    assert used == known


def test_every_context_that_is_gone_to_exists(tmp_path):
    text = hand_written()["extensions.conf"] + write(tmp_path)["extensions.conf"]
    contexts = set(re.findall(r"^\[([a-z-]+)\]", text, re.M))
    wanted = set(re.findall(r"^include => (\S+)", text, re.M)) | set(re.findall(r"Goto\(([a-z-]+),", text))
    pjsip = hand_written()["pjsip.conf"]
    assert wanted | set(re.findall(r"^context = (\S+)", pjsip, re.M)) <= contexts


def test_what_the_requests_need_is_loaded():
    modules = set(re.findall(r"^require = (\S+)\.so", hand_written()["modules.conf"], re.M))
    rooms = {"applications", "asterisk", "bridges", "channels", "endpoints", "events", "playbacks", "recordings"}
    assert {f"res_ari_{room}" for room in rooms} <= modules
    assert {"app_stasis", "res_stasis_answer", "res_stasis_playback", "res_stasis_recording"} <= modules
    assert {"func_talkdetect", "func_timeout", "func_strings", "res_musiconhold", "chan_pjsip"} <= modules
    assert "bridge_native_rtp" not in modules
    assert sections(hand_written()["modules.conf"])["modules", ""]["autoload"] == "no"


def test_every_function_and_application_of_the_dialplan_is_loaded():
    text = re.sub(r";.*", "", hand_written()["extensions.conf"])
    modules = hand_written()["modules.conf"]
    homes = {
        "Stasis": "app_stasis", "Dial": "app_dial", "Playback": "app_playback", "MusicOnHold": "res_musiconhold",
        "FILTER": "func_strings", "CHANNEL": "func_channel", "TIMEOUT": "func_timeout",
    }  # fmt: skip
    built_in = {"Set", "Goto", "GotoIf", "Answer", "Hangup"}
    used = set(re.findall(r"\b([A-Z][A-Za-z]+)\(", text))
    assert used <= set(homes) | built_in
    for name in used - built_in:
        assert f"require = {homes[name]}.so" in modules


# --- nobody hears dead air ----------------------------------------------------------------------------


def test_a_caller_without_the_appliance_hears_music_and_a_sorry_and_is_let_go():
    text = hand_written()["extensions.conf"]
    after = text[text.index("n(try),Stasis") :]
    order = [after.index(step) for step in ("STASISSTATUS", "Answer(,i)", "MusicOnHold", "Playback", "?try", "Hangup")]
    assert order == sorted(order)
    assert "Set(TIMEOUT(absolute)=${HOTLINE_LONGEST})" in text


def test_a_caller_is_tried_for_ten_minutes_and_hears_a_sorry_at_first_and_each_minute():
    text = hand_written()["extensions.conf"]
    tries = int(re.search(r"HOTLINE_TRIES = (\d+)", text)[1])
    music = int(re.search(r"MusicOnHold\(default,(\d+)\)", text)[1])
    every = int(re.search(r"HOTLINE_TRY} % (\d+) != 1\]\?again", text)[1])
    assert 540 <= tries * music <= 600  # and the words
    assert 50 <= every * music <= 60


# --- nothing is open ------------------------------------------------------------------------------------


def test_ari_listens_where_it_was_told_only(tmp_path):
    assert write(tmp_path)["http.conf"].splitlines()[1:] == ["bindaddr = 127.0.0.1", "bindport = 8088"]


def test_nobody_else_reads_the_passwords(tmp_path):
    write(tmp_path / "hotline")
    for file in (tmp_path / "hotline").iterdir():
        assert file.stat().st_mode & 0o777 == 0o640


def test_a_semicolon_in_a_password_is_no_comment(tmp_path):
    assert "password = sec\\;ond\n" in write(tmp_path)["pjsip.conf"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "two\nlines"},
        {"password": ""},
        {"agents": {"1001\n[x]": "a"}},
        {"agents": {"10 01": "a"}},
        {"agents": {"trunk": "a"}},
        {"agents": {"1001": "a\nb"}},
        {"agents": {"${X}": "a"}},
        {"numbers": ["1000,1"]},
        {"numbers": ["_X."]},
        {"music": {"a b": Path("/music")}},
        {"music": {"calm": Path("/mu\nsic")}},
        {"sorry": Path("/a,b&c.wav")},
        {"user": "x]"},
        {"listen": "somewhere"},
        {"ari": "localhost.example:8088"},
        {"trunks": [Trunk(peers=["0.0.0.0/0\nmatch"])]},
        {"trunks": [Trunk("a]b")]},
        {"trunks": [Trunk(contact="sip:x;y\n")]},
    ],
)
def test_what_could_change_the_files_meaning_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"\S"):
        write(tmp_path, **wrong)


# --- trunks ---------------------------------------------------------------------------------------------


def test_a_trunk_elsewhere_is_known_by_its_addresses(tmp_path):
    text = write(tmp_path, trunks=[Trunk(peers=["203.0.113.7", "198.51.100.0/24"])])["pjsip.conf"]
    assert sections(text)["trunk-identify", ""]["match"] == "203.0.113.7/32,198.51.100.0/24"
    assert "match_request_uri" not in text


def test_a_trunk_on_this_machine_is_known_by_its_port_and_takes_nobody_else(tmp_path):
    text = write(tmp_path, trunk_port=5099)["pjsip.conf"]
    known = sections(text)["trunk-identify", ""]["match_request_uri"].strip("/")
    assert re.search(known, "sip:1000@127.0.0.1:5099")
    assert re.search(known, "sip:1000@127.0.0.1:5099;transport=udp")
    assert not re.search(known, "sip:1000@127.0.0.1:50990")
    assert sections(text)["trunk", "trunk"]["permit"] == "127.0.0.0/8"


def test_a_trunk_with_an_account_registers_and_authenticates(tmp_path):
    trunk = Trunk("trunk-b", peers=["203.0.113.7"], contact="sip:sip.example:5062", account="me", password="p")
    settings = sections(write(tmp_path, trunks=[trunk])["pjsip.conf"])
    registration = settings["trunk-b-registration", ""]
    assert registration["client_uri"] == "sip:me@sip.example:5062"
    assert registration["outbound_auth"] == settings["trunk-b", "trunk"]["outbound_auth"] == "trunk-b"


def test_a_trunk_is_never_taken_for_an_agent(tmp_path):
    written = write(tmp_path, trunks=[Trunk("provider", peers=["203.0.113.7"])])
    assert "[trunk-provider](trunk)" in written["pjsip.conf"]
    assert "HOTLINE_TRUNK = trunk-provider" in written["globals.conf"]


def test_without_a_trunk_there_is_none(tmp_path):
    assert "[trunk" not in write(tmp_path, trunks=[])["pjsip.conf"].replace("[trunk-udp]", "")


def test_asterisk_can_do_all_that_the_port_asks_for():
    assert switch.Asterisk.capabilities == set(switch.Capability)
