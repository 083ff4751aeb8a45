"""pocketsphinx and its English model, on words that the house's own synthesiser says through a telephone's band."""

import numpy as np
import pytest

from speech import audio, recognisers
from speech.port import CannotRecognise
from speech.recognisers import pocketsphinx
from speech.vendors import espeak

PHRASES = ["track my order", "leave a message", "make a complaint", "opening hours"]


@pytest.fixture(scope="module")
def ear():
    return pocketsphinx.open("en", "")


@pytest.fixture(scope="module")
def say():
    engine = espeak.open({})
    return lambda text: audio.from_pcm(audio.spoken(*engine.speak(text, "en")))


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_understood(ear, say, phrase):
    assert ear.recognise(say(phrase), PHRASES).phrase == phrase


@pytest.mark.parametrize("words", ["wednesday", "seven", "what is the weather"])
def test_other_words_are_none_of_them(ear, say, words):
    assert ear.recognise(say(words), PHRASES).phrase == ""


def test_noise_is_none_of_them(ear):
    assert ear.recognise(np.random.default_rng(1).normal(0, 0.1, 8000), PHRASES).phrase == ""


def test_a_word_that_the_model_lacks_is_told_and_the_other_phrases_work(ear, say):
    heard = ear.recognise(say("opening hours"), ["opening hours", "xqzzt help"])
    assert (heard.phrase, heard.unknown) == ("opening hours", ("xqzzt",))
    assert ear.recognise(say("opening hours"), ["xqzzt"]).phrase == ""


def test_it_is_asked_for_what_it_is_not(ear):
    with pytest.raises(CannotRecognise, match="no model for 'cmn'; it understands en"):
        pocketsphinx.check("cmn", "")
    with pytest.raises(CannotRecognise, match="leave 'model' out"):
        pocketsphinx.check("en", "/models/en")
    with pytest.raises(CannotRecognise, match="known are pocketsphinx, vosk"):
        recognisers.find("siri")
