"""A delivery from a studio, good and bad."""

import struct

import numpy as np
import pytest

from speech import audio, riff
from speech.importing import clippings, deliveries, judged, place

KNOWN = {"welcome": "Hello, and welcome to the service line.", "goodbye": ""}
RANDOM = np.random.default_rng(7)


def speech(seconds=2.0, peak=0.3, rate=44_100):
    """Something with the ups and downs of speech: bursts of a tone with pauses, over a quiet room."""
    t = np.arange(round(seconds * rate)) / rate
    return peak * np.sin(2 * np.pi * 300 * t) * (np.sin(2 * np.pi * 2 * t) > -0.3) + RANDOM.normal(
        0, peak / 300, t.size
    )


def studio(samples, rate=44_100, channels=1):
    pcm = (np.repeat(samples, channels).clip(-1, 1) * 32767).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(pcm)) + pcm
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def judge(tmp_path, content, prompt="welcome", **options):
    file = tmp_path / f"{prompt}.wav"
    file.write_bytes(content)
    return judged(file, "en", prompt, KNOWN, **options)


@pytest.mark.parametrize("peak", [0.05, 0.3, 0.9])
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (8000, 1)])
def test_a_good_recording_becomes_what_telephones_play(tmp_path, peak, rate, channels):
    silence = np.zeros(rate)
    whole = np.concatenate([silence, speech(2.0, peak, rate), silence]) + 0.02  # as cheap sound cards do
    verdict = judge(tmp_path, studio(whole, rate, channels))
    assert (verdict.refused, verdict.remarks) == ("", ())
    wav = riff.read(verdict.content)
    assert wav.for_telephones
    assert audio.level(audio.samples(wav)) == pytest.approx(audio.SPEECH_LEVEL, abs=0.5)
    assert verdict.form.startswith(f"{rate / 1000:g} kHz, {'stereo' if channels == 2 else 'mono'}")


def test_silence_at_the_ends_goes(tmp_path):
    whole = np.concatenate([np.zeros(88_200), speech(2.0), np.zeros(88_200)])
    verdict = judge(tmp_path, studio(whole))
    assert 1.9 < verdict.seconds < 2.3


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"ID3\4" + b"\0" * 100, "it is an MP3; export it as WAV"),
        (b"fLaC" + b"\0" * 100, "it is a FLAC file"),
        (b"hello", "it is no WAV file"),
        (studio(speech())[:40], "samples"),
        (studio(np.zeros(88_200)), "nothing is to be heard"),
        (studio(speech(2.0, 0.002)), "too quiet"),
        (studio(speech(0.1)), "of it are sound"),
        (studio(speech(2.0, 1.6)), "clipped in"),
        (studio(speech(2.0, 1.6), channels=2), "clipped in"),
        (studio(speech(2.0, rate=6000), 6000), "less than a telephone's 8000"),
    ],
)
def test_a_bad_recording_is_refused_and_why(tmp_path, content, why):
    verdict = judge(tmp_path, content)
    assert why in verdict.refused
    assert verdict.content == b""


def test_an_unknown_name_is_refused_with_what_was_probably_meant(tmp_path):
    verdict = judge(tmp_path, studio(speech()), "welcom")
    assert verdict.refused == "no prompt 'welcom'. Did you mean 'welcome'?"
    assert judge(tmp_path, studio(speech()), "advert", new=True).refused == ""


def test_noise_and_an_odd_length_are_remarked_upon(tmp_path):
    noisy = judge(tmp_path, studio(speech(2.0) + RANDOM.normal(0, 0.06, 88_200)))
    assert noisy.refused == ""
    assert "dB below the speech" in noisy.remarks[0]
    long = judge(tmp_path, studio(np.tile(speech(2.0), 15)))
    assert "is it the right file?" in long.remarks[0]


def test_one_full_sample_is_no_clipping():
    heard = np.zeros(1000)
    heard[[3, 50, 51, 700]] = 1.0
    assert clippings(heard) == 0
    heard[100:103] = -1.0
    heard[997:] = 1.0
    assert clippings(heard) == 2


def test_a_recording_is_put_in_place_once_and_replaced_only_when_that_is_said(tmp_path):
    prompts = tmp_path / "prompts"
    first = judge(tmp_path, studio(speech(2.0)))
    assert place(first, prompts, replace=False) == "imported"
    assert (prompts / "en" / "welcome.wav").read_bytes() == first.content
    assert (prompts / "en" / "welcome.wav").stat().st_mode & 0o777 == 0o644
    assert place(first, prompts, replace=False) == "unchanged"
    second = judge(tmp_path, studio(speech(3.0)))
    assert "take the new one with --replace" in place(second, prompts, replace=False)
    assert (prompts / "en" / "welcome.wav").read_bytes() == first.content
    assert place(second, prompts, replace=True) == "imported"
    assert [file.name for file in (prompts / "en").iterdir()] == ["welcome.wav"]


def test_a_delivery_is_read_by_its_folders(tmp_path):
    for name in ("cmn/welcome.wav", "cmn/words/3.wav", "en/goodbye.wav", "cmn/.DS_Store", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [(language, prompt) for _, language, prompt in deliveries(tmp_path, None)] == [
        ("cmn", "welcome"),
        ("cmn", "words/3"),
        ("en", "goodbye"),
    ]
    assert [prompt for _, _, prompt in deliveries(tmp_path / "cmn", "yue")] == ["welcome", "words/3"]
