"""freeswitch-conf/ and what `write` adds to it agree with what switch/freeswitch expects of them."""

import re
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from switch.freeswitch import config, dialling, leg, names, private
from switch.freeswitch.config import Ports, Trunk, write
from switch.freeswitch.music import MODULE
from switch.port import CallId

CONF = private.CONF
AGENTS = [("1001", "secret-1", 'Anna "A" <O\'Neil> & 李'), ("1002", "secret-2", "")]


def parsed(file: Path) -> ElementTree.Element:
    return ElementTree.fromstring(file.read_text())


@pytest.fixture
def generated(tmp_path):
    music = tmp_path / "calm.wav"
    music.write_bytes(b"RIFF")
    write(
        tmp_path / "generated",
        password="p4ss-word",
        agents=AGENTS,
        music={"calm": music},
        sorry=tmp_path / "sorry.wav",
        numbers=["1000", "+864008001234"],
        trunks=[Trunk(peers=["198.51.100.0/24", "203.0.113.7"], route="203.0.113.7:5060")],
        ports=Ports(trunk=15080, agents=15060, event_socket=18021, outbound="127.0.0.1:18084", rtp=(20000, 20100)),
    )
    return tmp_path / "generated"


def variables(generated: Path) -> dict[str, str]:
    lines = (element.get("data", "") for element in parsed(generated / "vars.xml"))
    return dict(line.split("=", 1) for line in lines)


def applications() -> list[tuple[str, str]]:
    return [
        (action.get("application", ""), action.get("data", ""))
        for kind in ("action", "anti-action")
        for action in parsed(CONF / "dialplan.xml").iter(kind)
    ]


def profile(name: str) -> dict[str, str]:
    (found,) = (each for each in parsed(CONF / "sofia.conf.xml").iter("profile") if each.get("name") == name)
    return {each.get("name", ""): each.get("value", "") for each in found.iter("param")}


def test_every_file_is_included_and_every_inclusion_is_there(generated):
    included = {
        data for file in CONF.glob("*.xml") for data in re.findall(r'cmd="include" data="([^"]+)"', file.read_text())
    }
    ours = {data for data in included if not data.startswith("$")}
    assert ours == {file.name for file in CONF.glob("*.xml")} - {"freeswitch.xml"}
    for data in included - ours:
        place = data.replace("$${hotline_generated}/", "")
        assert (generated / place).exists() or "*" in place, place


def test_every_variable_that_is_used_is_written(generated):
    used = {name for file in CONF.glob("*.xml") for name in re.findall(r"\$\$\{(hotline_\w+)\}", file.read_text())}
    assert used - {"hotline_generated"} == set(variables(generated))


def test_the_modules_of_all_we_use_are_loaded():
    loads = {each.get("module"): each.get("critical") for each in parsed(CONF / "modules.conf.xml").iter("load")}
    needed = {
        "socket": "mod_event_socket",
        "uuid_bridge": "mod_commands",
        "playback": "mod_dptools",
        "file.wav": "mod_sndfile",
        "file.PCMA": "mod_native_file",
        "silence_stream": "mod_tone_stream",
        "local_stream": "mod_local_stream",
        "sofia": "mod_sofia",
        "XML": "mod_dialplan_xml",
    }
    assert set(needed.values()) <= set(loads)
    assert {module for module, critical in loads.items() if critical != "true"} == {MODULE}


def test_every_call_is_handed_over_in_the_way_that_we_expect():
    sockets = [data for application, data in applications() if application == "socket"]
    assert len(sockets) >= 3
    assert set(sockets) == {"$${hotline_outbound} async full", f"${{{names.CONTROLLER}}} async full"}


def test_after_every_socket_of_a_caller_comes_something_so_that_nobody_stays_in_silence():
    """And nothing that a join could set off: see the top of the dialplan."""
    for extension in parsed(CONF / "dialplan.xml").iter("extension"):
        actions = [(each.get("application"), each.get("data", "")) for each in extension.iter("action")]
        if any(application == "socket" for application, _ in actions):
            after = actions[[application for application, _ in actions].index("socket") + 1 :]
            dialled = any(each.get("expression") == "^dialled$" for each in extension.iter("condition"))
            left = [("execute_extension", f"{names.LEFT} XML {names.CONTEXT}")]
            assert after == ([] if dialled else left), extension.get("name")


def test_the_names_that_we_send_legs_to_are_in_the_dialplan():
    contexts = {each.get("name"): each for each in parsed(CONF / "dialplan.xml").iter("context")}
    patterns = [each.get("expression", "") for each in contexts[names.CONTEXT].iter("condition")]
    assert names.TRANSFER in contexts
    assert any(re.search(pattern, names.AGAIN) for pattern in patterns if pattern)
    ours = names.AGAIN, names.DIALLED, names.TAKEN_OVER, names.LEFT, names.WAIT
    for name in ours:
        assert any(re.search(pattern, name) for pattern in patterns if pattern), name
    assert all(name.startswith(names.OWN_EXTENSIONS) for name in ours)


def test_our_legs_are_marked_as_ours_and_any_key_stops_a_prompt_until_we_say_otherwise():
    settings = " ".join(data for application, data in applications() if application == "multiset")
    assert f"{names.OURS}=caller" in settings
    assert f"playback_terminators={names.EVERY_KEY}" in settings
    endpoint = dialling.endpoint("1001", "")
    dialled = dialling.originate(endpoint, call_id=CallId("x"), caller="", caller_name="", ring_for=1)
    assert f"{names.OURS}=dialled" in dialled
    assert dialled.endswith(f" {names.DIALLED} XML {names.CONTEXT}")
    assert "playback_terminators=none" in settings
    assert f"sofia/{names.AGENTS}/1001%{names.DOMAIN}" in dialled


def test_every_leg_of_ours_meets_us_again_after_a_talk():
    (context,) = (each for each in parsed(CONF / "dialplan.xml").iter("context") if each.get("name") == names.CONTEXT)
    starts = [
        each
        for each in context.iter("extension")
        if not {"hotline_tries", names.CONTROLLER} & set(re.findall(r"\w+", ElementTree.tostring(each, "unicode")))
        or each.get("name") == "hotline"
    ]
    assert len(starts) >= 3
    for extension in starts:
        actions = [(each.get("application"), each.get("data", "")) for each in extension.iter("action")]
        if any(application == "socket" for application, _ in actions):
            settings = [data for application, data in actions if application == "multiset"]
            assert any(data.endswith(f";{names.COME_BACK}") for data in settings), extension.get("name")


def test_legs_whose_far_end_has_vanished_end_though_nothing_is_said_of_it_when_they_are_dialled():
    everywhere = re.findall(r'cmd="set" data="([^"]+)"', (CONF / "freeswitch.xml").read_text())
    assert {"media_timeout=300000", "media_hold_timeout=1800000"} <= set(everywhere)


def test_agents_authenticate_and_their_account_is_what_the_appliance_sees(generated):
    agents = profile(names.AGENTS)
    assert (agents["auth-calls"], agents["accept-blind-reg"], agents["accept-blind-auth"]) == ("true", "false", "false")
    assert agents["inbound-reg-force-matching-username"] == "true"
    assert agents["force-register-domain"] == agents["force-register-db-domain"] == names.DOMAIN
    assert parsed(CONF / "directory.xml").find("domain").get("name") == names.DOMAIN
    users = {user.get("id"): user for user in parsed(generated / "agents.xml")}
    assert set(users) == {"1001", "1002"}
    known = {each.get("name"): each.get("value") for each in users["1001"].iter("variable")}
    assert known[names.ACCOUNT] == "1001"
    assert known["effective_caller_id_name"] == "Anna A O Neil 李"


def test_the_trunk_registers_nobody_and_lets_in_only_who_is_named(generated):
    trunk = profile(names.TRUNK)
    assert trunk["apply-inbound-acl"] == "trunks"
    assert trunk["context"] == names.CONTEXT
    assert (trunk["disable-register"], trunk["disable-transfer"]) == ("true", "true")
    (access,) = parsed(generated / "acl.xml")
    assert access.get("default") == "deny"
    assert [node.get("cidr") for node in access] == ["198.51.100.0/24", "203.0.113.7/32"]


@pytest.mark.parametrize("name", [names.TRUNK, names.AGENTS])
def test_codecs_and_keys(name):
    found = profile(name)
    assert found["inbound-codec-prefs"] == found["outbound-codec-prefs"] == "PCMA,PCMU"
    assert (found["dtmf-type"], found["liberal-dtmf"]) == ("rfc2833", "true")
    assert ("set", "execute_on_answer=start_dtmf") in applications()


def test_the_event_socket_is_for_this_machine_and_a_password_only(generated):
    settings = {each.get("name"): each.get("value") for each in parsed(CONF / "event_socket.conf.xml").iter("param")}
    assert settings["listen-ip"] == "127.0.0.1"
    assert settings["apply-inbound-acl"] == "loopback.auto"
    assert settings["password"] == "$${hotline_event_socket_password}"
    assert variables(generated)["hotline_event_socket_password"] == "p4ss-word"


def test_api_expansion_is_off():
    settings = {each.get("name"): each.get("value") for each in parsed(CONF / "switch.conf.xml").iter("param")}
    assert settings["api-expansion"] == "false"
    text = (CONF / "dialplan.xml").read_text()
    assert not re.search(r"\$\{\w+\(", text)


def test_what_is_written_is_for_owner_and_group_only(generated):
    for file in generated.rglob("*.xml"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640, file


def test_ports_and_addresses_are_those_asked_for(generated):
    written = variables(generated)
    assert written["hotline_outbound"] == "127.0.0.1:18084"
    assert [written[f"hotline_{name}_port"] for name in ("trunk", "agents", "event_socket")] == [
        "15080",
        "15060",
        "18021",
    ]
    assert (written["hotline_rtp_first"], written["hotline_rtp_last"]) == ("20000", "20100")
    assert written["hotline_trunk_route"] == "sofia/trunk/$1@203.0.113.7:5060"
    assert re.fullmatch(written["hotline_numbers"], "+864008001234")
    assert not re.fullmatch(written["hotline_numbers"], "8864008001234")


def test_without_agents_no_number_is_an_agent(tmp_path):
    write(tmp_path, password="p", agents=[], music={})
    written = variables(tmp_path)
    assert not re.search(f"^({written['hotline_agents']})$", "")
    assert written["hotline_music"].startswith("tone_stream://")
    assert written["hotline_trunk_route"] == "error/NO_ROUTE_DESTINATION"


def test_a_trunk_that_registers_is_a_gateway_and_one_that_is_gone_leaves_nothing(tmp_path):
    trunk = Trunk(name="provider", peers=["203.0.113.7"], route="sip.example.org", account="42", password="geheim")
    write(tmp_path, password="p", agents=[], music={}, trunks=[trunk])
    (gateway,) = parsed(tmp_path / "gateways" / "provider.xml")
    assert {each.get("name"): each.get("value") for each in gateway}["password"] == "geheim"
    assert variables(tmp_path)["hotline_trunk_route"] == "sofia/gateway/provider/$1"
    write(tmp_path, password="p", agents=[], music={})
    assert not list((tmp_path / "gateways").glob("*.xml"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": 'x"/><evil/>'},
        {"password": "$${x}"},
        {"agents": [("10 01", "x", "")]},
        {"agents": [("1001", "x y", "")]},
        {"numbers": ["1000|.*"]},
        {"sorry": Path("/a b.wav")},
        {"sorry": Path("/${system(x)}.wav")},
        {"trunks": [Trunk(route="host;fs_path=x")]},
        {"trunks": [Trunk(peers=["everywhere"])]},
        {"music": {"Calm Music": Path("/tmp")}},
    ],
)
def test_what_cannot_stand_in_the_files_is_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"cannot hold|does not appear to be"):
        write(tmp_path, **{"password": "p", "agents": [], "music": {}, **wrong})


def test_the_events_that_a_leg_subscribes_to_are_the_few_that_it_uses():
    source = Path(leg.__file__).read_text()
    for name in leg.EVENTS.split():
        assert f'case "{name}"' in source, name


def test_the_command_line_keeps_every_file_below_its_home(tmp_path):
    argv, environment = private.start_command(Path("/x/freeswitch"), tmp_path / "home", tmp_path / "generated")
    assert argv[:6] == ["/x/freeswitch", "-nc", "-nf", "-np", "-nonat", "-conf"]
    assert argv[6] == str(CONF)
    assert all(place.startswith(str(tmp_path / "home")) for place in argv[8::2])
    assert environment["HOTLINE_SWITCH_DIR"] == str(tmp_path / "generated")
    assert config.RING_BACK
