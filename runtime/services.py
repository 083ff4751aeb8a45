"""What flows are given of the house: each port of `ivr.services` over the part that does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from ivr.services import CannotSpeak
from journal.writer import Journal
from runtime.house_prompts import BUILT_IN_SOUNDS
from speech.library import Library
from speech.port import CannotSpeak as SpeechFailed
from speech.words import Segment
from switch.port import CallId, Media, Sound
from switch.shared.clock import Clock

T = TypeVar("T")

# The record of what follows from these is waited for: of what is said, of a deed on the world, of the end.
WITHOUT_EFFECT = frozenset({"KeyPressed", "StepEntered", "StepLeft"})


class LibraryVoice:
    """`ivr.services.Voice` over the prompt library, and the sounds that are the same in every language."""

    def __init__(self, library: Library, sounds: Path) -> None:
        self._library = library
        self._sounds = sounds

    def prompt(self, name: str, language: str) -> Sequence[Media]:
        if name in BUILT_IN_SOUNDS and not self._library.knows(name, language):
            return [Sound(self._sounds / f"{name}.wav")]
        return _spoken(lambda: self._library.prompt(name, language))

    def text(self, segments: Sequence[Segment], language: str) -> Sequence[Media]:
        return _spoken(lambda: self._library.text(segments, language))

    def catalogue_text(self, name: str, language: str) -> str:
        return self._library.catalogue_text(name, language)


def _spoken(speak: Callable[[], T]) -> T:
    try:
        return speak()
    except SpeechFailed as error:
        raise CannotSpeak(str(error)) from error


class CallJournal:
    """`ivr.services.Journal`: the house's journal, for one call."""

    def __init__(self, journal: Journal, call: CallId) -> None:
        self._journal = journal
        self._call = call

    def note(self, type: str, **facts: object) -> None:
        if type in WITHOUT_EFFECT:
            self._journal.jot(type, self._call, **facts)
        else:
            self._journal.append(type, self._call, **facts)


class ZonedClock:
    """`ivr.services.WallClock`: the clock's time of day in the appliance's zone."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        self._clock = clock
        self._zone = zone

    def seconds(self) -> float:
        return self._clock.now() / 1000

    def now(self) -> datetime:
        return self._clock.wall().astimezone(self._zone)
