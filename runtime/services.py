"""What flows are given of the house: each port of `ivr.services` over the part that does the work."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from gevent.threadpool import ThreadPool

from ivr.services import CannotKeep, CannotSpeak, Message
from journal.writer import Journal
from runtime.flowbook import BUILT_IN_SOUNDS
from speech.library import Library
from speech.port import CannotSpeak as SpeechFailed
from speech.words import Segment
from store.store import MailboxFull, Store, StoreFailed
from switch.port import CallId, Media, Sound
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

T = TypeVar("T")

# The record of what follows from these is waited for: of what is said, of a deed on the world, of the end.
WITHOUT_EFFECT = frozenset({"KeyPressed", "StepEntered", "StepLeft"})
AUDIBLE = 0.003  # of full scale (-50 dBFS): the mean level of a tenth of a second with a voice in it
SHORTEST = 1.0  # seconds; what is shorter is a caller who changed its mind


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


class StoreMailboxes:
    """`ivr.services.Mailboxes` over the store, with the audio in `directory`."""

    def __init__(self, store: Store, directory: Path, clock: Clock, journal: Journal) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._journal = journal
        self._threads = ThreadPool(2)

    def full(self, box: str) -> bool:
        """A box that cannot be looked up is not called full: the message is recorded, and storing it tried."""
        try:
            return self._store.full(box)
        except StoreFailed as error:
            log.warning("mailbox: cannot be looked up", box=box, error=str(error))
            return False

    def file_for(self, box: str, call: CallId, visit: int) -> Path:
        directory = self._directory / box
        directory.mkdir(parents=True, exist_ok=True)
        return directory / f"{call}-{visit}.wav"

    def keep(
        self, box: str, recorded: Path, *, call: CallId, visit: int, caller: str, caller_name: str
    ) -> Message | None:
        with self._clock.working():
            seconds = self._threads.apply(audible_seconds, (recorded,))
        if seconds is None:
            recorded.unlink(missing_ok=True)
            return None
        try:
            kept = self._store.keep_message(
                box,
                path=str(recorded),
                seconds=seconds,
                received=self._clock.wall().astimezone(UTC),
                caller=caller,
                caller_name=caller_name,
                call=call,
                visit=str(visit),
            )
        except MailboxFull as error:
            recorded.unlink(missing_ok=True)
            raise CannotKeep(str(error)) from error
        except StoreFailed as error:
            # The caller's words are worth more than a tidy disk: the journal knows where they are.
            self._journal.append("MessageUnfiled", call, box=box, path=str(recorded), error=str(error))
            raise CannotKeep(str(error)) from error
        self._journal.append("MessageKept", call, box=box, message=kept.id, seconds=seconds)
        return Message(kept.id, box, seconds)


def audible_seconds(path: Path) -> float | None:
    """How long the recording is; None when there is no file, it is too short, or holds only silence."""
    try:
        with wave.open(str(path), "rb") as file:
            rate = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768
    except (OSError, wave.Error, EOFError, ValueError):
        return None
    seconds = len(samples) / rate
    if seconds < SHORTEST:
        return None
    tenth = rate // 10
    levels = np.sqrt(np.mean(samples[: len(samples) // tenth * tenth].reshape(-1, tenth) ** 2, axis=1))
    return seconds if np.any(levels > AUDIBLE) else None


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
