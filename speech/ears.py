"""What a caller said, held against a few phrases: recognisers in worker processes, one kind for each language.

ears = Ears(config.speech)
ears.recognise(path, "en", ["track my order", "complaint"])     # one of them, "" or None
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from gevent.threadpool import ThreadPool

from config.appliance import Language, RecognitionSection, Speech
from config.values import UserError
from speech import recognisers
from speech.port import CannotHear, CannotRecognise
from speech.riff import HEADER
from speech.workers import Refused, TooLate, Workers

log = structlog.get_logger(__name__)

WITHIN = 10.0  # seconds that a caller waits for the recogniser at most
WORKERS = 2  # of each language: an utterance takes a fraction of a second


class Ears:
    """The recognisers that appliance.yaml names. Raises UserError where one of them cannot work."""

    def __init__(self, section: Speech) -> None:
        check(section.recognition)
        self._workers = {
            language: Workers(
                ["recognise", one.vendor, json.dumps({"language": language, "model": str(one.model or "")})],
                size=WORKERS,
                within=WITHIN,
            )
            for language, one in section.recognition.items()
        }
        self._disk = ThreadPool(1)
        self._told: set[tuple[str, str]] = set()

    @property
    def languages(self) -> frozenset[str]:
        return frozenset(self._workers)

    def recognise(self, said: Path, language: str, phrases: Sequence[str]) -> str | None:
        """Which of the phrases a recording holds: "" for none of them, None where nobody speaks.

        Raises CannotRecognise, after the deadline at the latest.
        """
        if language not in self._workers:
            raise CannotRecognise(f"there is no recogniser for '{language}'")
        pcm = self._disk.apply(_read, (said,))
        if isinstance(pcm, CannotRecognise):
            raise pcm
        if pcm is None:
            return None
        try:
            header, _ = self._workers[language].ask({"phrases": list(phrases)}, pcm)
        except (Refused, TooLate) as error:
            raise CannotRecognise(str(error)) from error
        self._tell(language, header["unknown"])
        return str(header["phrase"])

    def start(self) -> None:
        """Loads all models now and waits for none of them, so that the first caller finds them ready."""
        for workers in self._workers.values():
            workers.start()

    def close(self) -> None:
        """Ends all workers; whoever waits for one gets CannotRecognise."""
        for workers in self._workers.values():
            workers.close()
        self._disk.kill()

    def _tell(self, language: str, unknown: Sequence[str]) -> None:
        """Says once which of a flow's words the model will never understand."""
        for word in unknown:
            if (language, word) not in self._told:
                self._told.add((language, word))
                log.warning("the model does not have a word of a flow's phrases", language=language, word=word)


def check(recognition: Mapping[Language, RecognitionSection]) -> None:
    """Raises UserError with every recogniser that cannot work, one a line."""
    problems = []
    for language, one in recognition.items():
        try:
            recognisers.find(one.vendor).check(language, str(one.model or ""))
        except CannotRecognise as error:
            problems.append(f"speech.recognition.{language}: {error}")
    if problems:
        raise UserError("\n".join(problems))


def _read(said: Path) -> bytes | CannotRecognise | None:
    """What is spoken in a recording, as PCM. Errors come as results: the thread pool would print them."""
    from speech import utterance  # noqa: PLC0415 - numpy: a start does without it, and this runs in a native thread

    try:
        return utterance.spoken(said.read_bytes())
    except CannotHear as error:
        return None if said.stat().st_size <= HEADER else CannotRecognise(f"the recording: {error}")
    except OSError as error:
        return CannotRecognise(f"the recording cannot be read: {error.strerror}")
