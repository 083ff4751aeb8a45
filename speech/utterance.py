"""What somebody says in a recording: the part of it with a voice in it."""

from __future__ import annotations

import numpy as np

from speech import audio, riff
from speech.audio import Samples
from speech.port import RATE

FAINTEST = 10 ** (-45 / 20)  # of full scale: what is fainter is no caller speaking into a telephone
ABOVE_NOISE = 10 ** (8 / 20)  # times the noise that goes on all the time
SHORTEST = 0.12  # seconds in which somebody speaks; a click is shorter
_FRAME = RATE // 50


def spoken(recording: bytes) -> bytes | None:
    """That part of a WAV file as PCM, None where nobody speaks. Raises CannotHear."""
    said = speech_in(audio.samples(riff.read(recording)))
    return None if said is None else audio.to_pcm(said)


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
