"""pyttsx3 (the optional extra 'pyttsx3'), which on Linux drives espeak-ng: one process, one text at a time.

With several texts under way in a process, audio landed in other callers' files; with a longer text it returned
before the file was there. So there is one worker, and it waits for the end that pyttsx3 announces. The
library is that of the wheel espeakng-loader, as for the vendor espeak: the system's may read Mandarin as letters.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from speech import audio, riff
from speech.port import RATE, CannotHear, CannotSpeak, Manner, Voice
from speech.vendors.espeak import chosen, phrased

MOST_WORKERS = 1
TRIES = 4  # now and then espeak, driven so, ends a text without a sample; asked again it speaks


def voices(manners: Mapping[str, Manner]) -> Mapping[str, Voice]:
    try:
        release = f"{version('pyttsx3')} with {version('espeakng-loader')}"
    except PackageNotFoundError as missing:
        raise CannotSpeak(f"the package {missing.name} is not installed; it is the optional extra 'pyttsx3'") from None
    return {
        language: Voice("pyttsx3", f"{manner.voice}@{manner.pace}", release)
        for language, manner in chosen(manners).items()
    }


def open(manners: Mapping[str, Manner]) -> Pyttsx3:
    voices(manners)
    return Pyttsx3(chosen(manners))


class Pyttsx3:
    """The engine; it lives as long as its process, for its driver cannot be initialised twice."""

    def __init__(self, manners: Mapping[str, Manner]) -> None:
        import espeakng_loader  # noqa: PLC0415 - only worker processes need it

        os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
        try:
            self._library = ctypes.CDLL(espeakng_loader.get_library_path(), ctypes.RTLD_GLOBAL)
            import pyttsx3  # noqa: PLC0415 - its driver takes the library that is loaded already

            self._engine: Any = pyttsx3.init("espeak")
            self._engine.connect("finished-utterance", self._finished)
        except (ImportError, OSError, RuntimeError) as error:
            raise CannotSpeak(f"pyttsx3 cannot be started: {error}") from error
        self._manners = manners
        self._done = threading.Event()

    def speak(self, text: str, language: str) -> tuple[bytes, int]:
        manner = self._manners.get(language)
        if manner is None:
            raise CannotSpeak(f"pyttsx3 has no voice for '{language}'")
        try:
            for _ in range(TRIES - 1):
                with suppress(CannotHear):
                    return self._spoken(phrased(text, language), manner)
            return self._spoken(phrased(text, language), manner)
        except (OSError, ValueError, RuntimeError, CannotHear) as error:
            raise CannotSpeak(f"pyttsx3: {error}") from error

    def _spoken(self, text: str, manner: Manner) -> tuple[bytes, int]:
        """Raises CannotHear where espeak said that it had spoken, and had not."""
        with tempfile.TemporaryDirectory(prefix="hotline-speech-") as folder:
            file = Path(folder) / "spoken.wav"
            self._library.espeak_Synchronize()  # its thread may not have done with the text before
            self._engine.setProperty("voice", manner.voice)
            self._engine.setProperty("rate", manner.pace)
            self._library.espeak_Synchronize()
            self._engine.save_to_file(text, str(file))
            self._done.clear()
            self._engine.runAndWait()
            self._done.wait()  # it returns while the driver's own thread still speaks; the worker has a deadline
            return audio.to_pcm(audio.samples(riff.read(file.read_bytes()))), RATE

    def _finished(self, name: object, completed: bool) -> None:  # noqa: ARG002 - pyttsx3 passes them by name
        self._done.set()
