"""`say` and `prompts` as a person at the terminal uses them."""

import json

import numpy as np
import pytest

from commands import main
from speech import audio, riff


@pytest.fixture
def house(tmp_path, request):
    """An appliance in a folder of its own, with the shipped prompts."""
    (tmp_path / "appliance.yaml").write_text(f"prompts-dir: {request.config.rootpath / 'prompts'}\n")

    def run(*arguments):
        return main(["--config", str(tmp_path / "appliance.yaml"), *arguments], tmp_path)

    run.folder = tmp_path
    return run


@pytest.mark.parametrize(("text", "language"), [("您好", "cmn"), ("你好", "yue"), ("Hello", "en")])
def test_say_writes_what_a_caller_would_hear(house, capsys, text, language):
    out = house.folder / "said.wav"
    assert house("say", text, "--language", language, "--out", str(out)) == 0
    assert capsys.readouterr().out.endswith(f" s: {text}\n")
    wav = riff.read(out.read_bytes())
    assert wav.for_telephones
    assert audio.level(audio.samples(wav)) == pytest.approx(audio.SPEECH_LEVEL, abs=1.5)


def test_say_fills_in_values_as_a_flow_does(house, capsys):
    out = str(house.folder / "said.wav")
    assert house("say", "您的订单{{ '202611' | digits }}", "--out", out) == 0
    assert "您的订单二零二六一一" in capsys.readouterr().out


def test_say_speaks_a_prompt(house, capsys):
    assert house("say", "--prompt", "goodbye", "--language", "yue", "--out", str(house.folder / "said.wav")) == 0
    assert "多謝你嘅來電" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bonjour", "--language", "fr"], "no voice for 'fr'"),
        (["--prompt", "nothing"], "prompt 'nothing'"),
        (["--prompt", "your-position"], "variable parts"),
        (["{{ 'x' | money }}"], "money"),
        (["{{ 1 + "], "{{"),
        (["。"], "nothing to say"),
    ],
)
def test_a_mistake_is_one_clear_line(house, capsys, arguments, message):
    out = house.folder / "said.wav"
    assert house("say", *arguments, "--out", str(out)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_named(house, capsys):
    assert house("say", "您好", "--out", "/nowhere/said.wav") == 2
    assert "/nowhere/said.wav: No such file or directory" in capsys.readouterr().err


def test_prompts_are_built_once_and_then_at_hand(house, capsys):
    assert house("prompts", "build") == 0
    first = capsys.readouterr().out
    assert " 0 at hand already" not in first.split(",")[0]
    sounds = house.folder / "var" / "sounds"
    assert {file.name for file in sounds.iterdir()} == {"calm.wav", "beep.wav", "fallback-sorry.wav"}
    sorry = riff.read((sounds / "fallback-sorry.wav").read_bytes())
    assert sorry.for_telephones
    assert 10 < sorry.seconds < 40
    assert house("prompts", "build") == 0
    assert "prompts: 0 spoken now" in capsys.readouterr().out


def test_what_flows_say_in_words_of_their_own_is_made_ahead_too(house, capsys):
    assert house("prompts", "build") == 0
    capsys.readouterr()
    flows = house.folder / "flows"
    flows.mkdir()
    (flows / "hotline.yaml").write_text(
        "number: '1000'\nlanguages: [en]\nstart: hello\nsteps:\n"
        "  hello: {say: {en: 'Hello there.'}, next: now}\n"
        "  now: {say: {en: 'It is {{ now | time }}.'}, next: end}\n"
        "  end: {hangup: {}}\n"
    )
    assert house("prompts", "build") == 0
    assert "prompts: 1 spoken now" in capsys.readouterr().out


def test_prompts_are_listed(house, capsys):
    assert house("prompts", "list", "--language", "en") == 0
    listed = capsys.readouterr().out
    assert "welcome" in listed
    assert "spoken" in listed
    assert "cmn" not in listed


@pytest.fixture
def own_prompts(house):
    """A house with a small catalogue of its own."""
    folder = house.folder / "prompts"
    folder.mkdir()
    (folder / "catalogue.yaml").write_text(
        "welcome: {en: 'Hello.', cmn: '您好。'}\ngoodbye: {en: 'Bye.'}\nplace: {en: 'Number {{ n | number }}.'}\n"
    )
    (house.folder / "appliance.yaml").write_text("prompts-dir: prompts\n")
    return folder


def delivered(folder, name, seconds=1.0):
    t = np.arange(round(seconds * 16_000)) / 16_000
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(riff.written(audio.to_pcm(0.2 * np.sin(2 * np.pi * 300 * t) * (np.sin(20 * t) > -0.3))))


def test_a_delivery_is_taken_but_for_what_is_bad_in_it(house, own_prompts, capsys):
    delivery = house.folder / "delivery"
    delivered(delivery, "en/welcome.wav")
    delivered(delivery, "cmn/words/3.wav")
    delivered(delivery, "en/welcom.wav")
    (delivery / "en" / "goodbye.mp3").write_bytes(b"ID3" + b"\0" * 100)
    assert house("prompts", "import", str(delivery), "--check") == 1
    assert not (own_prompts / "en").exists()
    capsys.readouterr()
    assert house("prompts", "import", str(delivery)) == 1
    shown = capsys.readouterr()
    assert sorted(line.split(":")[0] for line in shown.out.splitlines()) == [
        "imported",
        "imported",
        "refused",
        "refused",
    ]
    assert "no prompt 'welcom'. Did you mean 'welcome'?" in shown.out
    assert "it is an MP3; export it as WAV" in shown.out
    assert "2 of 4 recordings are good and in place" in shown.err
    assert (own_prompts / "en" / "welcome.wav").exists()
    assert (own_prompts / "cmn" / "words" / "3.wav").exists()


def test_what_is_missing_is_what_has_no_recording(house, own_prompts, capsys):
    delivered(own_prompts, "en/welcome.wav")
    assert house("prompts", "missing", "--language", "en", "--json") == 0
    assert [row["prompt"] for row in json.loads(capsys.readouterr().out)] == ["goodbye", "place"]
    assert house("prompts", "missing", "--language", "cmn", "--json") == 1
    missing = {row["prompt"]: row["text"] for row in json.loads(capsys.readouterr().out)}
    assert missing == {"welcome": "您好。", "goodbye": "", "place": ""}
    assert house("prompts", "missing", "--language", "en", "--words") == 0
    assert "words/hundred" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import"], "prompts import FOLDER"),
        (["list", "somewhere"], "no other action takes a folder"),
        (["import", "/nowhere"], "/nowhere: there is no such folder"),
        (["import", "/proc/self/fdinfo"], "there are no recordings in its folders cmn, yue and en"),
    ],
)
def test_an_import_that_cannot_be_meant_is_one_clear_line(house, own_prompts, capsys, arguments, message):
    assert house("prompts", *arguments) == 2
    assert message in capsys.readouterr().err
