"""The measured menus: flows that the checker takes, and dialplans beside the shipped ones."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from bench import _ears, _menu
from speech import audio, riff

ROOT = Path(__file__).parents[2]
SOUNDS = _menu.Sounds(*(Path("/sounds") / f"{name}.wav" for name in ("ask", "tell", "low", "high")))


def test_every_flow_answers_a_number_of_its_own():
    answered = [number for flow in _menu.FLOWS.values() for number in yaml.safe_load(flow)["number"]]
    assert len(set(answered)) == len(answered) == len(_menu.FLOWS)
    assert set(answered) <= set(dataclasses.asdict(_menu.NUMBERS).values())


def test_freeswitch_meets_the_menus_before_it_hands_a_call_to_us():
    shipped = (ROOT / "freeswitch-conf" / "dialplan.xml").read_text()
    extended = ElementTree.fromstring(_menu.freeswitch_dialplan(shipped, SOUNDS, 9))
    context = extended.find("context[@name='hotline']")
    numbers = [extension.find("condition").get("expression") for extension in context.findall("extension")[:3]]
    ours = (_menu.NUMBERS.order_by_dialplan, _menu.NUMBERS.order_by_bare_controller, _menu.NUMBERS.tones_by_dialplan)
    assert numbers == [f"^{number}$" for number in ours]
    kept = [extension.get("name") for extension in ElementTree.fromstring(shipped).iter("extension")]
    assert [extension.get("name") for extension in extended.iter("extension")][3:] == kept


def test_both_dialplans_play_the_same_sounds():
    freeswitch = _menu.freeswitch_dialplan((ROOT / "freeswitch-conf" / "dialplan.xml").read_text(), SOUNDS, 9)
    asterisk = _menu.asterisk_dialplan((ROOT / "asterisk-conf" / "extensions.conf").read_text(), SOUNDS)
    for file in dataclasses.astuple(SOUNDS):
        assert str(file) in freeswitch
        assert f"({file.with_suffix('')})" in asterisk


def test_asterisk_reaches_the_menus_from_the_trunk():
    text = _menu.asterisk_dialplan((ROOT / "asterisk-conf" / "extensions.conf").read_text(), SOUNDS)
    trunk = text.partition("[from-trunk]")[2].partition("\n[")[0]
    for number, context in (
        (_menu.NUMBERS.order_by_dialplan, "bench-order"),
        (_menu.NUMBERS.tones_by_dialplan, "bench-low"),
    ):
        assert f"exten => {number},1,Goto({context},s,1)" in trunk
        assert f"[{context}]" in text


@pytest.mark.parametrize("frequency", [_menu.LOW, _menu.HIGH])
def test_a_tone_is_one_from_its_first_packet_on(tmp_path, frequency):
    file = tmp_path / "tone.wav"
    _menu.write_tone(file, frequency)
    samples = audio.samples(riff.read(file.read_bytes())) * 32768
    assert _menu.seconds(file) == pytest.approx(_menu.TONE_SECONDS)
    other = _menu.HIGH if frequency == _menu.LOW else _menu.LOW
    for begin in range(0, len(samples), _ears.PACKET):
        assert _ears.is_tone(samples[begin : begin + _ears.PACKET], frequency)
        assert not _ears.is_tone(samples[begin : begin + _ears.PACKET], other)
