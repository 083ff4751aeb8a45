"""Samples: those of what studios send, evened out of what synthesisers say, written as telephones play them.

They are numpy arrays of floats, full scale 1.0, unless a name says PCM: bytes, 16 bit, little-endian.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from speech.port import RATE
from speech.riff import ALAW, FLOAT, PCM, ULAW, Wav

Samples = NDArray[np.float64]

SPEECH_LEVEL = -20.0  # dBFS while speaking, as loud as the music; a telephone line's nominal talker is at -26
CEILING = 10 ** (-1.0 / 20)  # peaks stay 1 dB below full scale, so that no codec clips them
_FRAME = RATE // 50


def _bits24(data: bytes) -> Samples:
    octets = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
    return (octets[:, 0] << 8 | octets[:, 1] << 16 | octets[:, 2] << 24) / 2.0**31


def _ulaw(data: bytes) -> Samples:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, all inverted."""
    code = ~np.frombuffer(data, np.uint8)
    size = (((code & 15) << 3).astype(np.int32) + 132 << (code >> 4 & 7)) - 132
    return np.where(code & 128, -size, size) / 32768.0


def _alaw(data: bytes) -> Samples:
    """ITU-T G.711: as u-law, with every other bit inverted and a linear first segment."""
    code = np.frombuffer(data, np.uint8) ^ 0x55
    exponent = (code >> 4 & 7).astype(np.int32)
    mantissa = ((code & 15).astype(np.int32) << 4) + 8
    size = np.where(exponent == 0, mantissa, mantissa + 256 << np.maximum(exponent - 1, 0))
    return np.where(code & 128, size, -size) / 32768.0


_DECODERS = {
    (PCM, 8): lambda data: (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128,
    (PCM, 16): lambda data: np.frombuffer(data, "<i2") / 32768.0,
    (PCM, 24): _bits24,
    (PCM, 32): lambda data: np.frombuffer(data, "<i4") / 2.0**31,
    (FLOAT, 32): lambda data: np.nan_to_num(np.frombuffer(data, "<f4").astype(np.float64)).clip(-1, 1),
    (FLOAT, 64): lambda data: np.nan_to_num(np.frombuffer(data, "<f8")).clip(-1, 1),
    (ULAW, 8): _ulaw,
    (ALAW, 8): _alaw,
}


def decoded(wav: Wav) -> Samples:
    """Every sample of a recording as it is, channels in turn."""
    return np.asarray(_DECODERS[wav.encoding, wav.bits](wav.data), dtype=np.float64)


@cache
def _g711(encoding: int) -> tuple[Samples, NDArray[np.uint8]]:
    """What lies half-way between two neighbouring codes' samples, and the codes in the order of their samples."""
    meant = np.asarray(_DECODERS[encoding, 8](bytes(range(256))))
    order = np.argsort(meant, kind="stable")
    return (meant[order][:-1] + meant[order][1:]) / 2, order.astype(np.uint8)


def coded(heard: Samples, encoding: int) -> bytes:
    """As `ALAW` or `ULAW`, a byte a sample: of ITU-T G.711's 256 codes the nearest one."""
    between, codes = _g711(encoding)
    return codes[np.searchsorted(between, heard, side="right")].tobytes()


def samples(wav: Wav) -> Samples:
    """A recording as the telephone plays it: 8 kHz, all channels as one."""
    return resampled(decoded(wav).reshape(-1, wav.channels).mean(axis=1), wav.rate)


def resampled(heard: Samples, rate: int) -> Samples:
    """At 8 kHz by soxr's HQ filter, which leaves no alias of what lay above 4 kHz."""
    return heard if rate == RATE else np.asarray(soxr.resample(heard, rate, RATE, "HQ"), dtype=np.float64)


def spoken(pcm: bytes, rate: int) -> bytes:
    """A synthesiser's PCM made ready for callers: 8 kHz, silence around it trimmed, loudness evened.

    Never empty: a text with nothing to say becomes a tenth of a second of silence.
    """
    heard = evened(trimmed(resampled(from_pcm(pcm), rate)))
    return to_pcm(heard if heard.size else np.zeros(RATE // 10))


def trimmed(heard: Samples, *, before: float = 0.03, after: float = 0.12) -> Samples:
    """Without the silence around the speech, but for a moment on either side; the ends fade in a few ms."""
    loud = np.flatnonzero(np.abs(heard) > 0.004)
    if not loud.size:
        return heard[:0]
    kept = heard[max(0, loud[0] - round(before * RATE)) : loud[-1] + round(after * RATE)].copy()
    ramp = np.linspace(0, 1, min(40, kept.size // 2))
    kept[: ramp.size] *= ramp
    kept[kept.size - ramp.size :] *= ramp[::-1]
    return kept


def evened(heard: Samples) -> Samples:
    """At SPEECH_LEVEL while somebody speaks; less where a peak would pass the ceiling."""
    speaking = level(heard)
    if speaking == -np.inf:
        return heard
    gain = 10 ** ((SPEECH_LEVEL - speaking) / 20)
    return heard * min(gain, CEILING / float(np.abs(heard).max()))


def level(heard: Samples) -> float:
    """The level in dBFS over the frames of 20 ms that are no pause: within 30 dB of the loudest."""
    if heard.size < _FRAME:
        return -np.inf
    frames = heard[: heard.size - heard.size % _FRAME].reshape(-1, _FRAME)
    power = (frames**2).mean(axis=1)
    if not power.max():
        return -np.inf
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def from_pcm(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2") / 32768.0


def to_pcm(heard: Samples) -> bytes:
    return (heard * 32767).round().clip(-32768, 32767).astype("<i2").tobytes()
