"""vosk with a model directory that the deployer supplies; any of the house's languages for which there is one.

Phrases need a model with a dynamic graph (the ones called small). What is no phrase goes to vosk's own word
for the unknown, so other words are refused rather than bent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech import audio
from speech.port import RATE, CannotRecognise, Understood

_UNKNOWN = "[unk]"


def check(language: str, model: str) -> None:
    """Raises CannotRecognise where the package or a part of the model is missing."""
    if find_spec("vosk") is None:
        raise CannotRecognise("the package vosk is not installed; it is the optional extra 'vosk'")
    if not model:
        raise CannotRecognise(f"vosk needs a model directory for '{language}': set speech.recognition.{language}.model")
    folder = Path(model)
    if not folder.is_dir():
        raise CannotRecognise(f"{folder}: there is no such model directory")
    if not any((folder / part).is_file() for part in ("am/final.mdl", "final.mdl")):
        raise CannotRecognise(f"{folder}: this is no vosk model: am/final.mdl is missing")
    if not any(all((folder / base / part).is_file() for part in ("HCLr.fst", "Gr.fst")) for base in ("graph", ".")):
        raise CannotRecognise(f"{folder}: phrases need a model with graph/HCLr.fst and graph/Gr.fst, a 'small' one")


def open(language: str, model: str) -> Vosk:
    check(language, model)
    return Vosk(model)


class Vosk:
    """One loaded model; a fresh recogniser for each utterance."""

    def __init__(self, model: str) -> None:
        import vosk  # noqa: PLC0415 - only worker processes need it

        vosk.SetLogLevel(-1)
        try:
            self._model = vosk.Model(model)
        except Exception as error:  # vosk raises nothing more precise
            raise CannotRecognise(f"{model}: vosk cannot load this model") from error
        self._recogniser = vosk.KaldiRecognizer

    def recognise(self, said: NDArray[np.float64], phrases: Sequence[str]) -> Understood:
        spelt = {phrase: in_words(phrase, self._knows) for phrase in phrases}
        unknown = tuple(phrase for phrase, words in spelt.items() if words is None)
        grammar = [" ".join(words) for words in spelt.values() if words]
        if not grammar:
            return Understood("", unknown)
        recogniser = self._recogniser(self._model, RATE, json.dumps([*grammar, _UNKNOWN], ensure_ascii=False))
        recogniser.AcceptWaveform(audio.to_pcm(said))
        heard = _bare(json.loads(recogniser.FinalResult())["text"])
        return Understood(next((phrase for phrase in phrases if _bare(phrase) == heard), ""), unknown)

    def _knows(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)


def in_words(phrase: str, knows: Callable[[str], bool]) -> list[str] | None:
    """A phrase in the fewest words that the model has; None where it has none for a part of it.

    Chinese is written without spaces, and a model's words may be 查询 and 订单, or single characters.
    """
    found: list[str] = []
    for part in phrase.split():
        words = _fewest(part, knows)
        if words is None:
            return None
        found += words
    return found


def _fewest(part: str, knows: Callable[[str], bool]) -> list[str] | None:
    best: list[list[str] | None] = [[]]
    for end in range(1, len(part) + 1):
        ways = (
            [*before, part[start:end]]
            for start, before in _reached(best)
            if knows(part[start:end]) and (start == 0 or not part.isascii())
        )
        best.append(min(ways, key=len, default=None))
    return best[-1]


def _reached(best: Iterable[list[str] | None]) -> Iterator[tuple[int, list[str]]]:
    return ((start, before) for start, before in enumerate(best) if before is not None)


def _bare(text: Any) -> str:
    return "".join(str(text).split())
