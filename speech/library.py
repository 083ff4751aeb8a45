"""All that callers can be told: recorded prompts first, else texts spoken by a synthesiser and kept.

    library = open_library(config, clock)
    call.play(library.prompt("welcome", "cmn"))
    call.play(library.text([Segment("您的订单"), *words.digits("202611", "cmn")], "cmn"))

Equal texts are synthesised once, however many calls ask at the same moment, and found on disk ever after.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gevent
import structlog
from gevent.pool import Pool as Greenlets
from gevent.threadpool import ThreadPool

from config.appliance import Config
from speech import cache, catalogue, words
from speech.catalogue import TEMPLATE, Catalogue
from speech.pool import Voices
from speech.port import CannotSpeak, Synthesiser, UnknownPrompt
from speech.recordings import Recordings
from speech.words import Segment
from switch.port import Media, Sound
from switch.shared.clock import Clock

log = structlog.get_logger(__name__)

_UNSPEAKABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]+")
_AT_ONCE = 4  # texts that `fill` has under way


@dataclass(slots=True)
class Filled:
    """What `fill` found and made; `failed` names what has no audio now, and why."""

    recorded: int
    kept: int
    spoken: int
    failed: list[str]


Progress = Callable[[int, int], None]


class Library:
    """The house's voice. Every method may be called from any greenlet; those that speak wait for their text alone."""

    def __init__(
        self,
        prompts_dir: Path,
        cache_dir: Path,
        texts: Catalogue,
        synthesiser: Synthesiser,
        clock: Clock,
        *,
        within: float = 12.0,
        most: int = 512_000_000,
    ) -> None:
        self.catalogue = texts  # replaced as a whole when its file was changed
        self._cache = cache.Cache(cache_dir, most=most)
        self._recordings = Recordings(prompts_dir, self._cache)
        self._synthesiser = synthesiser
        self._clock = clock
        self._within = within
        self._disk = ThreadPool(2)
        self._flights: dict[str, gevent.Greenlet[..., Path | CannotSpeak]] = {}

    def with_texts(self, texts: Catalogue) -> Library:
        """The same voice and cache with other texts: a call keeps those that it began with."""
        other = copy(self)
        other.catalogue = texts
        return other

    def prompt(self, name: str, language: str) -> list[Media]:
        """The media of a prompt id without variable parts. Raises CannotSpeak; UnknownPrompt when there is no such."""
        text = self.catalogue.text(name, language)
        recorded = self._recorded(name, language)
        if recorded is not None:
            return [Sound(recorded, _clean(text or ""))]
        if text is None:
            raise UnknownPrompt(f"prompt '{name}' has neither a recording nor a text in '{language}'")
        if TEMPLATE in text:
            raise CannotSpeak(f"prompt '{name}' has variable parts, which must be filled in first")
        return self.text(text, language)

    def text(self, said: str | Iterable[Segment], language: str) -> list[Media]:
        """The media of a rendered text. Raises CannotSpeak, after the deadline at the latest.

        Neighbours without recordings are spoken as one sentence. Recorded parts that follow one another are
        played when all of them exist; half a number in another voice would be worse than none.
        """
        segments = [Segment(said)] if isinstance(said, str) else list(said)
        media: list[Media] = []
        for phrase in self._phrases(segments, language):
            match phrase:
                case Sound():
                    media.append(phrase)
                case str() if any(map(str.isalnum, phrase)):
                    media.append(self._spoken(phrase, language))
        return media

    def catalogue_text(self, name: str, language: str) -> str:
        """The text of a prompt id as the catalogue has it, templates unrendered; "" when only a recording exists."""
        return self.catalogue.text(name, language) or ""

    def knows(self, name: str, language: str) -> bool:
        """Whether a caller can be told that prompt: it is recorded, or has a text."""
        return self.catalogue.text(name, language) is not None or self.recorded(name, language)

    def recorded(self, name: str, language: str) -> bool:
        """Whether a prompt has a recording that can be used."""
        return self._recorded(name, language) is not None

    def fill(self, progress: Progress | None = None, texts: Iterable[tuple[str, str]] = ()) -> Filled:
        """Makes the audio of all fixed texts ahead: the catalogue's, single digits, and `texts` (text, language).

        `progress(done, total)` is called after each. Never raises: what failed is in the result.
        """
        done = Filled(0, 0, 0, [])
        tasks = [partial(self._fill_prompt, name, language, done) for name, language in self.catalogue.fixed()]
        tasks += [partial(self._fill_text, text, language, done) for text, language in (*texts, *_figures())]
        for finished, _ in enumerate(Greenlets(_AT_ONCE).imap_unordered(_call, tasks), 1):
            if progress is not None:
                progress(finished, len(tasks))
        return done

    def close(self) -> None:
        """Gives the threads back; the synthesiser is its owner's to close."""
        self._disk.kill()

    def _fill_prompt(self, name: str, language: str, done: Filled) -> None:
        if self._recorded(name, language) is not None:
            done.recorded += 1
        else:
            self._fill_text(self.catalogue_text(name, language), language, done)

    def _fill_text(self, text: str, language: str, done: Filled) -> None:
        try:
            if self._cache.find(self._key(_clean(text), language)) is not None:
                done.kept += 1
                return
            self.text(text, language)
            done.spoken += 1
        except CannotSpeak as error:
            done.failed.append(f"{language}: {text}: {error}")

    def _recorded(self, name: str, language: str) -> Path | None:
        at_once, found = self._recordings.known(name, language)
        if at_once:
            return found
        with self._clock.working():
            return self._disk.apply(self._recordings.take, (name, language))

    def _phrases(self, segments: list[Segment], language: str) -> Iterator[str | Sound]:
        """Recorded parts as sounds, all between them as texts that are spoken in one breath."""
        unrecorded: list[Segment] = []
        for recordable, run in itertools.groupby(segments, key=lambda segment: segment.recording is not None):
            parts = list(run)
            sounds = self._sounds(parts, language) if recordable else None
            if sounds is None:
                unrecorded += parts
                continue
            yield from _breaths(unrecorded)
            unrecorded = []
            yield from sounds
        yield from _breaths(unrecorded)

    def _sounds(self, parts: list[Segment], language: str) -> list[Sound] | None:
        sounds = []
        for part in parts:
            file = self._recorded(part.recording or "", language)
            if file is None:
                return None
            sounds.append(Sound(file, part.text))
        return sounds

    def _spoken(self, text: str, language: str) -> Sound:
        name = self._key(text, language)
        return Sound(self._cache.find(name) or self._made(name, text, language), text)

    def _key(self, text: str, language: str) -> str:
        voice = self._synthesiser.voice(language)
        return cache.key(voice.vendor, voice.name, voice.version, language, text)

    def _made(self, name: str, text: str, language: str) -> Path:
        """Waits for the text's audio, which one greenlet makes for all who ask, whoever of them hangs up."""
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = gevent.spawn(self._make, name, text, language)
        with self._clock.working():
            try:
                made = flight.get(timeout=self._within)
            except gevent.Timeout:
                raise CannotSpeak(f"not spoken within {self._within:.0f} s") from None
        if isinstance(made, CannotSpeak):
            raise CannotSpeak(str(made)) from made
        return made

    def _make(self, name: str, text: str, language: str) -> Path | CannotSpeak:
        try:
            pcm = self._synthesiser.speak(text, language)
            return self._disk.apply(self._keep, (name, pcm))
        except CannotSpeak as error:
            log.error("text not spoken", language=language, text=text, why=str(error))
            return error
        finally:
            del self._flights[name]

    def _keep(self, name: str, pcm: bytes) -> Path | CannotSpeak:
        """Runs in a thread, out of which gevent would print a traceback of what is raised."""
        try:
            return self._cache.keep(name, pcm)
        except OSError as error:
            log.error("spoken text not kept", why=str(error))
            return CannotSpeak(f"its audio cannot be stored: {error.strerror}")


def open_library(config: Config, clock: Clock, texts: Catalogue | None = None) -> tuple[Library, Voices]:
    """The library that a configuration describes, and the synthesiser in it, to be closed.

    Raises UserError where `texts` are not given and those in prompts-dir are wrong.
    """
    voices = Voices(config.speech)
    texts = texts or catalogue.read(config.prompts_dir)
    library = Library(
        config.prompts_dir,
        config.data_dir / "speech",
        texts,
        voices,
        clock,
        within=config.speech.within + 2.0,
        most=config.speech.cache * 1_000_000,
    )
    return library, voices


def _call(task: Callable[[], None]) -> None:
    task()


def _breaths(segments: list[Segment]) -> Iterator[str]:
    for alone, run in itertools.groupby(segments, key=lambda segment: segment.alone):
        if alone:
            yield from (_clean(segment.text) for segment in run)
        else:
            yield _clean(words.join(run))


def _clean(text: str) -> str:
    return _UNSPEAKABLE.sub(" ", text).strip()


def _figures() -> Iterator[tuple[str, str]]:
    """What a sensitive step reads back is spoken digit by digit; so these are always at hand."""
    for language in words.languages():
        for part in words.digits("0123456789", language):
            yield part.text, language
