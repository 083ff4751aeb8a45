"""pyttsx3 in its one worker: what it got wrong with several texts under way cannot happen here."""

import gevent
import pytest

from speech import audio, words
from speech.pool import Pool
from speech.port import CannotSpeak, Manner
from speech.vendors import pyttsx3


@pytest.fixture(scope="module")
def pool():
    pool = Pool("pyttsx3", size=4, within=30.0)
    yield pool
    pool.close()


def seconds(pcm):
    return len(pcm) / 2 / 8000


def test_it_has_a_voice_for_every_language_and_bears_one_process(pool):
    assert set(pyttsx3.voices({})) == set(words.languages())
    assert pyttsx3.voices({"en": Manner(voice="en-gb", pace=120)})["en"].name == "en-gb@120"
    assert pool.size == 1


def test_callers_at_the_same_time_each_get_their_own_text(pool):
    texts = ["一" * length for length in (2, 9, 4, 7, 3, 8)]
    alone = {text: seconds(pool.speak(text, "cmn")) for text in texts}
    asked = [gevent.spawn(pool.speak, text, "cmn") for text in texts]
    gevent.joinall(asked, raise_error=True)
    together = [seconds(greenlet.value) for greenlet in asked]
    assert together == pytest.approx([alone[text] for text in texts], abs=0.05)
    assert sorted(alone.values()) == [alone[text] for text in sorted(texts, key=len)]
    assert len(pool.pids) == 1


def test_a_long_text_is_whole(pool):
    sentence = "您好，欢迎致电服务热线。"
    once, often = seconds(pool.speak(sentence, "cmn")), seconds(pool.speak(sentence * 20, "cmn"))
    assert often > 18 * once


def test_its_voices_are_as_loud_as_all_others(pool):
    assert audio.level(audio.from_pcm(pool.speak("Hello, and welcome.", "en"))) == pytest.approx(-20, abs=1.5)


def test_a_language_without_a_voice_is_said(pool):
    with pytest.raises(CannotSpeak, match="'fr'"):
        pool.speak("bonjour", "fr")
