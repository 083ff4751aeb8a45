"""What a speech synthesiser is: a text and a language in, telephone audio out. No I/O.

Two protocols, because a synthesiser may hold its process for as long as it likes: an `Engine` is one
vendor inside a worker process; a `Synthesiser` is what the rest of the house talks to, cooperative and
with deadlines. The exceptions of this port::

    SpeechError
    ├── CannotSpeak          the text could not be spoken (in time); the text says why
    │   └── UnknownPrompt    neither a recording nor a text exists for that prompt id and language
    └── CannotHear           a file is no WAV that can be read; the text says why
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

RATE = 8000  # samples per second of everything that callers hear
LONGEST = 2000  # characters of one text: two to four minutes of speech


class SpeechError(Exception):
    """Root of everything that speech can raise."""


class CannotSpeak(SpeechError):
    """A text could not be spoken, or not in time."""


class UnknownPrompt(CannotSpeak):
    """Neither a recording nor a text exists for that prompt id and language."""


class CannotHear(SpeechError):
    """A file is no WAV that can be read."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Everything besides text and language that shapes the audio: the same voice says the same text the same way."""

    vendor: str
    name: str
    version: str


class Engine(Protocol):
    """One vendor's synthesiser, opened once in a worker process of its own. May block."""

    def speak(self, text: str, language: str) -> tuple[bytes, int]:
        """Mono 16-bit little-endian samples and their rate. Raises CannotSpeak."""
        ...


class Vendor(Protocol):
    """What a module in `speech.vendors` offers. `voices` is cheap and loads no engine."""

    def voices(self) -> Mapping[str, Voice]:
        """The voice for each language. Raises CannotSpeak when the vendor is not installed."""
        ...

    def open(self) -> Engine:
        """Loads the engine into this process. Raises CannotSpeak when it cannot be had."""
        ...


class Synthesiser(Protocol):
    """Texts into telephone audio, cooperatively."""

    def voice(self, language: str) -> Voice:
        """The voice that `speak` uses. Raises CannotSpeak for a language without one."""
        ...

    def speak(self, text: str, language: str) -> bytes:
        """Samples at 8 kHz, mono, 16 bit, evened in loudness. Raises CannotSpeak, after the deadline at the latest."""
        ...
