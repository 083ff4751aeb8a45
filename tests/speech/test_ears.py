"""From a recorded utterance to a phrase, with real workers and the real English model."""

import os
import signal

import gevent
import numpy as np
import pytest

from config.appliance import RecognitionSection, Speech
from config.values import UserError
from speech import audio, ears, riff, utterance
from speech.port import CannotRecognise
from speech.vendors import espeak

SECTION = Speech(recognition={"en": RecognitionSection(vendor="pocketsphinx")})
PHRASES = ["track my order", "leave a message"]


@pytest.fixture(scope="module")
def listening():
    opened = ears.Ears(SECTION)
    yield opened
    opened.close()


@pytest.fixture
def recorded(tmp_path):
    """Writes what a switch would: somebody who says a text after a second, with the line's noise."""

    def write(text, level=1.0):
        noise = np.random.default_rng(1)
        said = audio.from_pcm(audio.spoken(*espeak.open({}).speak(text, "en"))) * level if text else np.zeros(0)
        whole = np.concatenate([np.zeros(8000), said, np.zeros(8000)])
        file = tmp_path / "said.wav"
        file.write_bytes(riff.written(audio.to_pcm(whole + noise.normal(0, 0.001, whole.size))))
        return file

    return write


def test_a_phrase_is_found_in_a_recording(listening, recorded):
    assert listening.recognise(recorded("Leave a message."), "en", PHRASES) == "leave a message"
    assert listening.recognise(recorded("Wednesday."), "en", PHRASES) == ""


def test_silence_is_nobody_speaking_and_needs_no_recogniser(recorded, tmp_path):
    idle = ears.Ears(SECTION)
    assert idle.recognise(recorded(""), "en", PHRASES) is None
    empty = tmp_path / "empty.wav"
    empty.write_bytes(riff.written(b""))
    assert idle.recognise(empty, "en", PHRASES) is None
    assert idle._workers["en"].pids == []
    idle.close()


def test_steady_noise_and_a_click_are_nobody_speaking():
    noise = np.random.default_rng(2).normal(0, 0.02, 24_000)
    assert utterance.speech_in(noise) is None
    click = np.zeros(24_000)
    click[8000:8200] = 0.5
    assert utterance.speech_in(click) is None
    assert utterance.speech_in(np.zeros(10)) is None


def test_speech_is_cut_out_of_the_silence_around_it():
    heard = np.random.default_rng(2).normal(0, 0.001, 32_000)
    heard[8000:12_000] += 0.2 * np.sin(np.arange(4000) * 0.4)
    found = utterance.speech_in(heard)
    assert found is not None
    assert 4000 <= found.size <= 8000


def test_a_file_that_cannot_be_read_is_said(listening, tmp_path):
    with pytest.raises(CannotRecognise, match="cannot be read: No such file"):
        listening.recognise(tmp_path / "none.wav", "en", PHRASES)
    (tmp_path / "no.wav").write_bytes(b"x" * 100)
    with pytest.raises(CannotRecognise, match="no WAV"):
        listening.recognise(tmp_path / "no.wav", "en", PHRASES)
    with pytest.raises(CannotRecognise, match="no recogniser for 'cmn'"):
        listening.recognise(tmp_path / "no.wav", "cmn", PHRASES)


def test_a_recogniser_that_died_is_replaced(listening, recorded):
    said = recorded("Leave a message.")
    listening.recognise(said, "en", PHRASES)
    for pid in listening._workers["en"].pids:
        os.kill(pid, signal.SIGKILL)
    assert listening.recognise(said, "en", PHRASES) == "leave a message"


def test_the_hub_goes_on_while_a_recogniser_works(listening, recorded):
    said = recorded("Leave a message.")
    listening.recognise(said, "en", PHRASES)
    ticks = []
    ticking = gevent.spawn(lambda: [ticks.append(gevent.sleep(0.002)) for _ in range(1000)])
    listening.recognise(said, "en", PHRASES)
    ticking.kill()
    assert len(ticks) > 20


def test_what_cannot_work_is_said_before_the_first_call(tmp_path):
    section = Speech(
        recognition={
            "cmn": RecognitionSection(vendor="pocketsphinx"),
            "yue": RecognitionSection(vendor="siri"),
        }
    )
    with pytest.raises(UserError) as refused:
        ears.Ears(section)
    assert str(refused.value).splitlines() == [
        "speech.recognition.cmn: pocketsphinx has no model for 'cmn'; it understands en",
        "speech.recognition.yue: no recogniser 'siri'; known are pocketsphinx, vosk",
    ]
