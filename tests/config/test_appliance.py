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
