"""Utterances in the house: where they lie, what is left of them, and what flows are told when it goes wrong."""

import numpy as np
import pytest

from config.appliance import RecognitionSection, Speech
from ivr.services import CannotRecognise
from runtime.spoken_phrases import SpokenPhrases
from speech import audio, riff
from speech.ears import Ears
from switch.port import CallId
from switch.shared.clock import RealClock


@pytest.fixture
def phrases(tmp_path):
    made = SpokenPhrases(
        Ears(Speech(recognition={"en": RecognitionSection(vendor="pocketsphinx")})),
        tmp_path / "utterances",
        RealClock(),
    )
    yield made
    made.close()


def test_it_understands_what_has_a_recogniser(phrases):
    assert (phrases.understand("en"), phrases.understand("cmn")) == (True, False)


def test_an_utterance_lies_in_a_folder_that_is_there_and_is_forgotten(phrases, tmp_path):
    file = phrases.file_for(CallId("c-1"), 3)
    assert file.parent == tmp_path / "utterances"
    assert file.parent.stat().st_mode & 0o7777 == 0o2770
    assert "c-1" not in file.name
    file.write_bytes(riff.written(audio.to_pcm(np.zeros(16_000))))
    assert phrases.recognise(file, "en", ["yes"]) is None
    phrases.forget(file)
    phrases.forget(file)
    assert not file.exists()


def test_what_an_earlier_life_left_behind_is_removed_at_the_start(phrases):
    left = phrases.file_for(CallId("c-1"), 1)
    left.write_bytes(b"somebody's words")
    phrases.start()
    assert not left.exists()


def test_flows_are_told_in_their_own_words(phrases, tmp_path):
    with pytest.raises(CannotRecognise, match="cannot be read"):
        phrases.recognise(tmp_path / "none.wav", "en", ["yes"])
    (tmp_path / "file").touch()
    nowhere = SpokenPhrases(Ears(Speech()), tmp_path / "file" / "utterances", RealClock())
    with pytest.raises(CannotRecognise, match="utterances: Not a directory"):
        nowhere.file_for(CallId("c-1"), 1)
    nowhere.close()
