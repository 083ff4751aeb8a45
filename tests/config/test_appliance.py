"""appliance.yaml: what its sections mean."""

import pytest

from config.appliance import read
from config.values import UserError


def test_the_speech_section_has_a_voice_and_a_recogniser_for_each_language(tmp_path):
    (tmp_path / "appliance.yaml").write_text(
        "speech:\n  voices:\n    cmn: {vendor: command, program: [piper, --model, zh.onnx]}\n    en: {pace: 140}\n"
        "  recognition:\n    en: {vendor: pocketsphinx}\n    cmn: {vendor: vosk, model: models/small-cn}\n"
    )
    speech = read(tmp_path / "appliance.yaml").speech
    assert speech.voices["cmn"].program == ("piper", "--model", "zh.onnx")
    assert speech.recognition["cmn"].model == tmp_path / "models" / "small-cn"
    assert speech.recognition["en"].model is None


def test_a_language_that_the_house_does_not_speak_is_named_with_its_place(tmp_path):
    (tmp_path / "appliance.yaml").write_text("speech:\n  voices:\n    fr: {voice: fr}\n")
    with pytest.raises(UserError, match=r"appliance\.yaml:3:5: speech\.voices\.fr"):
        read(tmp_path / "appliance.yaml")


@pytest.mark.parametrize(
    ("sip", "problem"),
    [
        (
            "sip: {listen: 300.1.1.1}",
            "2:17: switch.sip.listen: '300.1.1.1' is not an IP address; write one of this mach",
        ),
        (
            "sip: {agents-port: 5090, trunk-port: 5090}",
            "2:40: switch.sip.trunk-port: agents-port and trunk-port are both",
        ),
        ("sip: {agents-port: 5080}", "2:8: switch.sip: agents-port and trunk-port are both 5080; write two different"),
        (
            "trunks: {a: {peers: [sip.example.org]}}",
            "2:24: switch.trunks.a.peers.0: 'sip.example.org' is not an IP addr",
        ),
        (
            "trunks: {my trunk: {}}",
            "2:12: switch.trunks.my trunk: the key 'my trunk' cannot be a trunk's name; write up",
        ),
    ],
)
def test_what_no_switch_can_be_told_is_refused_with_its_place_and_how_to_mend_it(tmp_path, sip, problem):
    (tmp_path / "appliance.yaml").write_text(f"switch:\n  {sip}\n")
    with pytest.raises(UserError) as refused:
        read(tmp_path / "appliance.yaml")
    assert str(refused.value).startswith(f"{tmp_path / 'appliance.yaml'}:{problem}")


def test_a_peer_is_an_address_or_a_network_even_with_bits_of_a_host(tmp_path):
    (tmp_path / "appliance.yaml").write_text(
        "switch:\n  trunks: {pbx: {peers: [192.0.2.7, 192.0.2.7/24, '2001:db8::1']}}\n"
    )
    assert read(tmp_path / "appliance.yaml").switch.trunks["pbx"].peers == ("192.0.2.7", "192.0.2.7/24", "2001:db8::1")


def test_an_offset_is_no_time_zone_and_a_place_is_asked_for(tmp_path):
    (tmp_path / "appliance.yaml").write_text("time-zone: UTC+8\n")
    with pytest.raises(UserError, match=r"'UTC\+8' is not a time zone\. Name a place .* Asia/Shanghai"):
        read(tmp_path / "appliance.yaml")


def test_a_file_in_another_encoding_is_told_as_flows_are(tmp_path):
    (tmp_path / "appliance.yaml").write_bytes("country: CN\n# 中文\n".encode("gbk"))
    with pytest.raises(UserError, match=r"appliance\.yaml:2:3: not UTF-8 text; save the file with the encoding UTF-8$"):
        read(tmp_path / "appliance.yaml")
