"""Synthesisers in worker processes: one pool for a vendor, and which vendor speaks which language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import structlog

from config.appliance import Speech, VoiceSection
from speech import vendors, words
from speech.port import LONGEST, CannotSpeak, Manner, Voice
from speech.workers import Refused, TooLate, Workers

log = structlog.get_logger(__name__)

_AS_IT_COMES: Mapping[str, Manner] = MappingProxyType({})


class Pool(Workers):
    """One vendor, in at most `size` processes; fewer where the vendor bears fewer."""

    def __init__(
        self,
        vendor: str = "espeak",
        manners: Mapping[str, Manner] = _AS_IT_COMES,
        *,
        size: int = 2,
        within: float = 10.0,
    ) -> None:
        written = json.dumps({language: asdict(manner) for language, manner in manners.items()})
        super().__init__(["speak", vendor, written], size=min(size, vendors.most_workers(vendor)), within=within)
        self._vendor = vendor
        self._manners = manners
        self._voices: Mapping[str, Voice] | None = None

    def voice(self, language: str) -> Voice:
        if self._voices is None:
            self._voices = vendors.find(self._vendor).voices(self._manners)
        if language not in self._voices:
            raise CannotSpeak(f"{self._vendor} has no voice for '{language}'")
        return self._voices[language]

    def speak(self, text: str, language: str) -> bytes:
        """Samples at 8 kHz, mono, 16 bit. Raises CannotSpeak."""
        if len(text) > LONGEST:
            raise CannotSpeak(f"a text of {len(text)} characters is too long to speak; {LONGEST} is the most")
        try:
            return self.ask({"text": text, "language": language})[1]
        except Refused as refused:
            raise CannotSpeak(str(refused)) from refused
        except TooLate as late:
            raise CannotSpeak(f"{self._vendor} could not speak within {self.within:g} s: {late}") from late


class Voices:
    """All languages, each by the vendor that appliance.yaml names for it."""

    def __init__(self, section: Speech) -> None:
        own: Mapping[str, VoiceSection] = {str(language): one for language, one in section.voices.items()}
        vendor = {
            language: (own[language].vendor if language in own else "") or section.vendor
            for language in words.languages()
        }
        manners = {language: Manner(one.voice, one.pace, one.program, one.version) for language, one in own.items()}
        self._pools = {
            name: Pool(
                name,
                {language: manner for language, manner in manners.items() if vendor[language] == name},
                size=section.workers,
                within=section.within,
            )
            for name in dict.fromkeys(vendor.values())
        }
        self._of_language = {language: self._pools[name] for language, name in vendor.items()}

    def voice(self, language: str) -> Voice:
        return self._pool(language).voice(language)

    def speak(self, text: str, language: str) -> bytes:
        return self._pool(language).speak(text, language)

    def start(self) -> None:
        """Starts all workers now and waits for none of them, so that the first caller finds them ready.

        A language that has no voice is logged and no reason not to start: recordings go on, and other languages.
        """
        for language, pool in self._of_language.items():
            try:
                pool.voice(language)
            except CannotSpeak as error:
                log.error(
                    "a language cannot be spoken; only its recordings can be heard", language=language, why=str(error)
                )
            else:
                pool.start()

    def close(self) -> None:
        """Ends all workers; whoever waits for one gets CannotSpeak."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, language: str) -> Pool:
        if language not in self._of_language:
            raise CannotSpeak(f"there is no voice for '{language}'")
        return self._of_language[language]
