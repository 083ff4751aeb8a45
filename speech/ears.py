"""What a caller said, held against a few phrases: recognisers in worker processes, one kind for each language.

ears = Ears(config.speech)
ears.recognise(path, "en", ["track my order", "complaint"])     # one of them, "" or None
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import structlog
from gevent.threadpool import ThreadPool

from config.appliance import Language, RecognitionSection, Speech
from config.values import UserError
from speech import audio, recognisers
from speech.audio import Samples
from speech.cache import HEADER
from speech.port import RATE, CannotHear, CannotRecognise
from speech.workers import Refused, TooLate, Workers

log = structlog.get_logger(__name__)

WITHIN = 10.0  # seconds that a caller waits for the recogniser at most
WORKERS = 2  # of each language: an utterance takes a fraction of a second
FAINTEST = 10 ** (-45 / 20)  # of full scale: what is fainter is no caller speaking into a telephone
ABOVE_NOISE = 10 ** (8 / 20)  # times the noise that goes on all the time
SHORTEST = 0.12  # seconds in which somebody speaks; a click is shorter
_FRAME = RATE // 50


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


def speech_in(heard: Samples) -> Samples | None:
    """The part in which somebody speaks, with a moment around it; None where nobody does.

    Speaking are the frames of 20 ms that are louder than FAINTEST and stand out from the noise, which is what the
    quietest tenth of the frames amounts to.
    """
    frames = heard[: heard.size - heard.size % _FRAME].reshape(-1, _FRAME)
    if not frames.size:
        return None
    loudness = np.sqrt((frames**2).mean(axis=1))
    speaking = np.flatnonzero(loudness > max(FAINTEST, float(np.percentile(loudness, 10)) * ABOVE_NOISE))
    if speaking.size < SHORTEST * RATE / _FRAME:
        return None
    return heard[max(0, speaking[0] - 10) * _FRAME : (speaking[-1] + 11) * _FRAME]


def _read(said: Path) -> bytes | CannotRecognise | None:
    """What is spoken in a recording, as PCM. Errors come as results: the thread pool would print them."""
    try:
        spoken = speech_in(audio.samples(audio.read(said.read_bytes())))
    except CannotHear as error:
        return None if said.stat().st_size <= HEADER else CannotRecognise(f"the recording: {error}")
    except OSError as error:
        return CannotRecognise(f"the recording cannot be read: {error.strerror}")
    return None if spoken is None else audio.to_pcm(spoken)
