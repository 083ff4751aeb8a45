"""How well phrases are understood: the right one, a wrong one or none, and how often foreign words are taken for one.

Two sets of speakers, both in English, for which the recogniser pocketsphinx brings its model:

- the eight voices of espeak-ng, through a telephone's band, without and with noise 20 dB below the speech;
- a person: the words of Asterisk's own English prompts (digits, weekdays, months), GSM-coded, out of the
  private Asterisk under var/, where sox can decode them.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from speech import audio, riff
from speech.audio import Samples
from speech.port import RATE, Manner
from speech.recognisers import pocketsphinx
from speech.vendors import espeak

RECORDED = Path(__file__).parents[1] / "var/asterisk/root/usr/share/asterisk/sounds/en_US_f_Allison/digits"
VOICES = ("en-us", "en", "en-gb-scotland", "en-us+f2", "en-us+m3", "en+f4", "en-gb-x-rp+m7", "en-029")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DIGITS = _words("zero one two three four five six seven eight nine")
DAYS = _words("sunday monday tuesday wednesday thursday friday saturday")
MONTHS = _words("january february march april may june july august september october november december")
HOTLINE = (
    *("track my order", "leave a message", "make a complaint", "speak to an agent", "billing", "opening hours"),
    *("cancel my order", "change my address", "technical support", "repeat"),
)
YES_NO = ("yes", "yes please", "that is right", "no", "no thank you", "that is wrong")

Said = Sequence[tuple[str, Samples]]


def measure() -> dict[str, object]:
    ear = pocketsphinx.open("en", "")
    found: dict[str, object] = {}
    for name, said in (("espeak, 8 voices", _espoken(None)), ("espeak, 8 voices, noise at -20 dB", _espoken(20.0))):
        found[f"{name}: ten phrases of a hotline"] = _understood(ear, said(HOTLINE), HOTLINE)
        found[f"{name}: yes and no"] = _understood(ear, said(YES_NO), YES_NO)
        found[f"{name}: foreign words, ten phrases"] = _taken(ear, said(DAYS), HOTLINE)
        found[f"{name}: foreign words, yes and no"] = _taken(ear, said(DIGITS), YES_NO)
    if RECORDED.is_dir() and shutil.which("sox"):
        person = {
            words: list(_recorded(words, stem)) for words, stem in ((DIGITS, ""), (DAYS, "day-"), (MONTHS, "mon-"))
        }
        for what, words in (("ten digits", DIGITS), ("seven weekdays", DAYS), ("twelve months", MONTHS)):
            found[f"a person's recordings: {what}"] = _understood(ear, person[words], words)
            found[f"a person's recordings: {what} as foreign words, ten phrases"] = _taken(ear, person[words], HOTLINE)
            found[f"a person's recordings: {what} as foreign words, yes and no"] = _taken(ear, person[words], YES_NO)
    else:
        found["a person's recordings"] = "not measured: make switches and the program sox are needed"
    return found


def _understood(ear: pocketsphinx.Pocketsphinx, said: Said, phrases: Sequence[str]) -> dict[str, object]:
    times, answers = [], []
    for text, heard in said:
        started = time.perf_counter()
        answers.append((text, ear.recognise(heard, phrases).phrase))
        times.append(time.perf_counter() - started)
    right = sum(text == answer for text, answer in answers)
    refused = sum(not answer for _, answer in answers)
    return {
        "utterances": len(answers),
        "right": right,
        "refused": refused,
        "wrong": len(answers) - right - refused,
        "ms, median": round(statistics.median(times) * 1000),
    }


def _taken(ear: pocketsphinx.Pocketsphinx, said: Said, phrases: Sequence[str]) -> dict[str, object]:
    taken = sum(bool(ear.recognise(heard, phrases).phrase) for _, heard in said)
    return {"utterances": len(said), "taken for a phrase": taken}


def _espoken(noise: float | None) -> Callable[[Iterable[str]], Said]:
    """Says words with every voice; `noise` is how many dB it lies below the speech."""
    engines = [espeak.open({"en": Manner(voice=voice)}) for voice in VOICES]
    random = np.random.default_rng(1)

    def said(words: Iterable[str]) -> Said:
        return [(word, _line(engine.speak(word, "en"), noise, random)) for engine in engines for word in words]

    return said


def _line(spoken: tuple[bytes, int], noise: float | None, random: np.random.Generator) -> Samples:
    heard = audio.evened(audio.trimmed(audio.resampled(audio.from_pcm(spoken[0]), spoken[1])))
    spectrum = np.fft.rfft(heard)
    hertz = np.fft.rfftfreq(heard.size, 1 / RATE)
    heard = np.fft.irfft(np.where((hertz > 300) & (hertz < 3400), spectrum, 0), heard.size)
    level = 0.0 if noise is None else 10 ** ((audio.level(heard) - noise) / 20)
    return np.asarray(heard + random.normal(0, level, heard.size), dtype=np.float64)


def _recorded(words: Sequence[str], stem: str) -> Iterator[tuple[str, Samples]]:
    for number, word in enumerate(words):
        decoded = subprocess.run(
            ["sox", str(RECORDED / f"{stem}{number}.gsm"), "-t", "wav", "-b", "16", "-e", "signed", "-"],
            capture_output=True,
            check=True,
        )
        yield word, audio.samples(riff.read(decoded.stdout))
