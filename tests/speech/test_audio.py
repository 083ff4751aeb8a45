import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech import audio, riff
from speech.port import CannotHear
from speech.riff import ALAW, FLOAT, ULAW
from tests.speech.test_riff import wav_of


def tone(hertz, *, rate, seconds=1.0, size=0.5):
    return size * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def strength(heard, hertz):
    """The amplitude of one frequency, the ends left out."""
    middle = heard[800:-800]
    t = np.arange(middle.size) / 8000
    return abs(2 * np.mean(middle * np.exp(-2j * np.pi * hertz * t)))


ENCODED = {
    "8 bits": (lambda x: (x * 127 + 128).round().astype(np.uint8).tobytes(), {"bits": 8}),
    "16 bits": (lambda x: (x * 32767).astype("<i2").tobytes(), {"bits": 16}),
    "24 bits": (
        lambda x: (x * (2**31 - 256)).astype("<i4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes(),
        {"bits": 24},
    ),
    "32 bits": (lambda x: (x * (2**31 - 256)).astype("<i4").tobytes(), {"bits": 32}),
    "float": (lambda x: x.astype("<f4").tobytes(), {"bits": 32, "encoding": FLOAT}),
    "double": (lambda x: x.astype("<f8").tobytes(), {"bits": 64, "encoding": FLOAT}),
}


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("form", ENCODED)
def test_whatever_a_studio_delivers_is_heard(form, extensible):
    encode, facts = ENCODED[form]
    content = wav_of(encode(tone(440, rate=48000)), rate=48000, extensible=extensible, **facts)
    heard = audio.samples(riff.read(content))
    assert abs(heard.size - 8000) <= 1
    assert strength(heard, 440) == pytest.approx(0.5, abs=0.01)


def test_stereo_becomes_one_channel():
    both = np.stack([tone(440, rate=8000), tone(880, rate=8000)], axis=1)
    heard = audio.samples(riff.read(wav_of((both * 32767).astype("<i2").tobytes(), channels=2)))
    assert strength(heard, 440) == pytest.approx(0.25, abs=0.01)
    assert strength(heard, 880) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("encoding", "codes", "values"),
    [  # ITU-T G.711: largest, smallest and zero, as in its tables
        (ULAW, [0x80, 0x00, 0xFF, 0x7F, 0xEF, 0x8F], [32124, -32124, 0, 0, 132, 16764]),
        (ALAW, [0xAA, 0x2A, 0xD5, 0x55, 0xC5, 0x85], [32256, -32256, 8, -8, 264, 4224]),
    ],
)
def test_telephone_codings(encoding, codes, values):
    heard = audio.samples(riff.read(wav_of(bytes(codes), encoding=encoding, bits=8)))
    assert (heard * 32768).round().astype(int).tolist() == values


@pytest.mark.parametrize("encoding", [ULAW, ALAW])
def test_what_is_coded_is_the_nearest_that_telephones_can_say(encoding):
    every = np.arange(-32768, 32768) / 32768
    codes = audio.coded(every, encoding)
    meant = np.sort(audio.decoded(riff.read(wav_of(bytes(range(256)), encoding=encoding, bits=8))))
    heard = audio.decoded(riff.read(wav_of(codes, encoding=encoding, bits=8)))
    # The two between which a sample lies, and none nearer than the one that was taken.
    above = meant[np.searchsorted(meant, every).clip(0, 255)]
    below = meant[(np.searchsorted(meant, every, side="right") - 1).clip(0, 255)]
    assert np.abs(heard - every) == pytest.approx(np.minimum(np.abs(above - every), np.abs(below - every)))


@pytest.mark.parametrize(("encoding", "silence"), [(ULAW, b"\xff"), (ALAW, b"\xd5")])
def test_silence_is_coded_as_telephones_send_it(encoding, silence):
    assert audio.coded(np.zeros(3), encoding) == 3 * silence


@given(st.binary(max_size=200), st.integers(0, 60))
def test_no_damage_to_a_file_does_more_than_be_refused(noise, place):
    content = bytearray(wav_of(b"\1\0" * 50, bits=16))
    content[place : place + len(noise)] = noise
    for damaged in (bytes(content), b"RIFF\0\0\0\0WAVE" + noise):
        try:
            audio.samples(riff.read(damaged))
        except CannotHear:
            continue


def test_nothing_above_the_telephone_band_comes_back_as_an_alias():
    heard = audio.resampled(tone(5000, rate=22050), 22050)
    assert 20 * np.log10(strength(heard, 3000) + 1e-12) < -80
    assert np.abs(heard[800:-800]).max() < 10 ** (-80 / 20)


def test_the_band_itself_is_left_alone():
    for hertz in (300, 1000, 3300):
        assert strength(audio.resampled(tone(hertz, rate=22050), 22050), hertz) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("size", [0.02, 0.1, 0.9])
def test_quiet_and_loud_speech_become_equally_loud(size):
    spoken = np.concatenate([tone(300, rate=8000, size=size), np.zeros(8000), tone(300, rate=8000, size=size)])
    assert audio.level(audio.evened(spoken)) == pytest.approx(audio.SPEECH_LEVEL, abs=0.1)


def test_a_peak_is_never_clipped():
    clicks = np.zeros(8000)
    clicks[::400] = 0.5
    clicks += tone(300, rate=8000, size=0.001)
    evened = audio.evened(clicks)
    assert np.abs(evened).max() == pytest.approx(audio.CEILING)
    assert audio.level(evened) < audio.SPEECH_LEVEL


def test_silence_around_speech_is_trimmed_and_silence_within_is_kept():
    spoken = np.concatenate(
        [np.zeros(8000), tone(300, rate=8000), np.zeros(4000), tone(300, rate=8000), np.zeros(16000)]
    )
    kept = audio.trimmed(spoken)
    assert kept.size / 8000 == pytest.approx(0.03 + 2.5 + 0.12, abs=0.01)
    assert kept[0] == 0
    assert kept[-1] == 0


def test_a_text_with_nothing_to_say_is_a_moment_of_silence():
    assert audio.spoken(b"", 22050) == b"\0" * 1600
    assert audio.spoken(b"\0" * 4000, 22050) == b"\0" * 1600
