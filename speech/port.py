"""What a speech synthesiser is: a text and a language in, telephone audio out; and a recogniser. No I/O.

Two protocols, because a synthesiser may hold its process for as long as it likes: an `Engine` is one
vendor inside a worker process; a `Synthesiser` is what the rest of the house talks to, cooperative and
with deadlines. A recogniser is divided alike: an `Ear` inside a worker, `speech.ears.Ears` around it.
The exceptions of this port::

    SpeechError
    ├── CannotSpeak          the text could not be spoken (in time); the text says why
    │   └── UnknownPrompt    neither a recording nor a text exists for that prompt id and language
    ├── CannotHear           a file is no WAV that can be read; the text says why
    └── CannotRecognise      what was said could not be looked into (in time); the text says why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a start does without them
    import numpy as np
    from numpy.typing import NDArray

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


class CannotRecognise(SpeechError):
    """What was said could not be looked into, or not in time."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a language is to be spoken, as appliance.yaml has it; what is empty is the vendor's to choose."""

    voice: str = ""  # the vendor's name for it
    pace: int = 0  # words per minute
    program: tuple[str, ...] = ()  # for vendors that run one: its path and arguments
    version: str = ""  # told by whoever changes a program so that it speaks otherwise


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
    """What a module in `speech.vendors` offers. `voices` is cheap and loads no engine.

    A vendor that bears only so many processes says so in a constant MOST_WORKERS.
    """

    def voices(self, manners: Mapping[str, Manner]) -> Mapping[str, Voice]:
        """The voice for each language. Raises CannotSpeak when the vendor is not installed or a manner is wrong."""
        ...

    def open(self, manners: Mapping[str, Manner]) -> Engine:
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


@dataclass(frozen=True, slots=True)
class Understood:
    """The phrase of those asked for that an utterance is, "" for none; and words that the model does not have."""

    phrase: str
    unknown: tuple[str, ...] = ()


class Ear(Protocol):
    """One vendor's recogniser, opened once in a worker process of its own. May block."""

    def recognise(self, said: NDArray[np.float64], phrases: Sequence[str]) -> Understood:
        """Which of the phrases was said; samples at 8 kHz, full scale 1.0. Raises CannotRecognise."""
        ...


class RecogniserVendor(Protocol):
    """What a module in `speech.recognisers` offers. `check` is cheap and loads no model."""

    def check(self, language: str, model: str) -> None:
        """Raises CannotRecognise when the vendor is not installed or the model directory is none of its own."""
        ...

    def open(self, language: str, model: str) -> Ear:
        """Loads the model into this process. Raises CannotRecognise when it cannot be had."""
        ...
