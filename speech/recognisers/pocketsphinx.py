"""pocketsphinx with the English model out of its own wheel.

A grammar of the phrases alone takes every sound for one of them. So each utterance is decoded twice: as
one of the phrases, and as a free run of English sounds. Only where the phrase explains the sound about
as well as the sounds themselves do was it said: a likelihood ratio, the usual measure of confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from speech.port import RATE, CannotRecognise, Understood

LIKELY = -0.02  # log of the ratio from which on a phrase is believed: measured, see docs/speech.md
_MODEL_RATE = 16_000
_AROUND = 0.3  # seconds of faint noise before and after: the model was trained on speech with silence around it
_NOISE = 0.001  # of full scale; digital silence is no sound that the model knows
_LOUD = 0.4
_WORD = "g"  # the grammar's name in the decoder
_SOUNDS = "sounds"


def check(language: str, model: str) -> None:
    """Raises CannotRecognise: it understands English, with the model that it brings."""
    if language != "en":
        raise CannotRecognise(f"pocketsphinx has no model for '{language}'; it understands en")
    if model:
        raise CannotRecognise("pocketsphinx brings its model along; leave 'model' out")
    if find_spec("pocketsphinx") is None:
        raise CannotRecognise("the package pocketsphinx is not installed; set the appliance up again")


def open(language: str, model: str) -> Pocketsphinx:
    check(language, model)
    return Pocketsphinx()


class Pocketsphinx:
    """Two decoders over one model. Holds its process for about a third of a second for each utterance."""

    def __init__(self) -> None:
        from pocketsphinx import Config, Decoder, get_model_path  # noqa: PLC0415 - only worker processes need it

        def decoder() -> Any:
            # The cepstral mean of each utterance by itself: else what one caller said would change what the next one,
            # whom a fresh decoder hardly understands, is taken to say.
            path = get_model_path("en-us/en-us")
            dictionary = get_model_path("en-us/cmudict-en-us.dict")
            return Decoder(Config(hmm=path, dict=dictionary, lm=None, cmn="batch", loglevel="FATAL"))

        self._phrases = decoder()
        self._sounds = decoder()
        self._sounds.add_allphone_file(_SOUNDS, get_model_path("en-us/en-us-phone.lm.bin"))
        self._sounds.activate_search(_SOUNDS)

    def recognise(self, said: NDArray[np.float64], phrases: Sequence[str]) -> Understood:
        unknown = {word for phrase in phrases for word in phrase.split() if self._phrases.lookup_word(word) is None}
        known = [phrase for phrase in phrases if not unknown & set(phrase.split())]
        if not known:
            return Understood("", tuple(sorted(unknown)))
        self._phrases.add_jsgf_string(_WORD, f"#JSGF V1.0;\ngrammar g;\npublic <said> = {' | '.join(known)};")
        self._phrases.activate_search(_WORD)
        pcm = _prepared(said)
        found, likelihood = _decoded(self._phrases, pcm)
        believed = found in known and likelihood - _decoded(self._sounds, pcm)[1] > LIKELY
        return Understood(found if believed else "", tuple(sorted(unknown)))


def _prepared(said: NDArray[np.float64]) -> bytes:
    wide = np.asarray(soxr.resample(said, RATE, _MODEL_RATE, "HQ"))
    silence = np.zeros(round(_AROUND * _MODEL_RATE))
    heard = np.concatenate([silence, wide * (_LOUD / max(float(np.abs(wide).max()), 1e-6)), silence])
    noise = np.random.default_rng(1).normal(0, _NOISE, heard.size)  # the same for all: equal audio, equal answer
    return ((heard + noise).clip(-1, 1) * 32767).astype("<i2").tobytes()


def _decoded(decoder: Any, pcm: bytes) -> tuple[str, float]:
    """What the decoder makes of an utterance, and the log of the path's likelihood as it scales it."""
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return (best.hypstr, math.log(best.score)) if best and best.score > 0 else ("", -math.inf)
