"""A synthesiser without an engine: for simulations and tests, where what is said counts and not how it sounds."""

from __future__ import annotations

import gevent
import numpy as np

from speech import audio, words
from speech.port import RATE, CannotSpeak, Voice

_PACE = {"cmn": 0.25, "yue": 0.25, "en": 0.07}  # seconds for each character


class Simulated:
    """Hums for as long as the text would take, at once. Remembers what it spoke; refuses what it is told to."""

    def __init__(self) -> None:
        self.spoken: list[tuple[str, str]] = []  # language and text
        self.refuses: set[str] = set()

    def voice(self, language: str) -> Voice:
        if language not in words.languages():
            raise CannotSpeak(f"there is no simulated voice for '{language}'")
        return Voice("simulated", "hum", "1")

    def speak(self, text: str, language: str) -> bytes:
        gevent.sleep(0)  # others run meanwhile, as with a real one
        if text in self.refuses:
            raise CannotSpeak("refused")
        self.spoken.append((language, text))
        t = np.arange(round(max(0.1, len(text) * _PACE[language]) * RATE)) / RATE
        return audio.to_pcm(audio.evened(np.sin(2 * np.pi * 220 * t)))
