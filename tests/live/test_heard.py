"""The ears are tested before they are believed: what they find in audio that we know, through the codecs."""

import numpy as np
import pytest

from tests.live import heard
from tests.live.rtp import PCMA, PCMU, RATE, once, silence, tone

CODECS = pytest.mark.parametrize("codec", [PCMA, PCMU], ids=lambda codec: codec.name)


def quiet(seconds):
    return np.zeros(round(seconds * RATE), np.int16)


def sine(frequency, seconds, loudness=-12.0):
    return tone(frequency, loudness=loudness)(0, round(seconds * RATE))


def speech(seed, seconds=4.0):
    """Syllables of a voice: harmonics of a gliding pitch under changing formants, with pauses between words."""
    random = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * RATE:
        count = int(random.integers(RATE // 12, RATE // 4))
        pitch = np.linspace(random.uniform(90, 150), random.uniform(90, 150), count)
        phase = np.cumsum(2 * np.pi * pitch / RATE)
        formants = random.uniform([250, 800, 2000], [850, 2200, 3200])
        voice = np.zeros(count)
        for harmonic in range(1, 30):
            at = harmonic * pitch.mean()
            voice += np.sin(harmonic * phase) * np.sum(1 / (1 + ((at - formants) / 90) ** 2))
        parts.append(voice * np.hanning(count) * random.uniform(0.5, 1))
        if random.random() < 0.3:
            parts.append(np.zeros(int(random.integers(400, 1600))))
    audio = np.concatenate(parts)[: round(seconds * RATE)]
    return (audio / np.abs(audio).max() * 9000).astype(np.int16)


def through(codec, audio):
    return codec.decode(codec.encode(audio))


@CODECS
def test_a_codec_rounds_to_the_nearest_of_sixteen_steps_a_segment(codec):
    samples = np.arange(-30000, 30001).astype(np.int16)
    error = np.abs(through(codec, samples).astype(int) - samples)
    assert (error <= np.maximum((np.abs(samples.astype(int)) + 132) / 32, 8)).all()


def test_the_codecs_are_those_of_the_standard():
    assert PCMA.encode(np.array([0, -1, 32767, -32768], np.int16)) != PCMU.encode(
        np.array([0, -1, 32767, -32768], np.int16)
    )
    assert PCMA.levels[0xD5] == 8
    assert PCMA.levels[0x2A] == -32256
    assert PCMU.levels[0xFF] == 0
    assert PCMU.levels[0x00] == -32124


@CODECS
def test_tones_are_told_apart_with_their_times(codec):
    audio = through(
        codec, np.concatenate([quiet(1), sine(440, 0.8), quiet(0.5), sine(880, 0.6), sine(660, 1.2), quiet(1)])
    )
    found = heard.tones(audio, 440, 660, 880, 1000)
    assert [tone.frequency for tone in found] == [440, 880, 660]
    assert [tone.start for tone in found] == pytest.approx([1.0, 2.3, 2.9], abs=0.11)
    assert [tone.seconds for tone in found] == pytest.approx([0.8, 0.6, 1.2], abs=0.16)
    assert [tone.level for tone in found] == pytest.approx([-15, -15, -15], abs=1)


def test_a_tone_that_is_a_semitone_off_is_another():
    assert heard.tones(sine(440 * 2 ** (1 / 12), 1), 440) == []


def test_a_tone_is_heard_neither_in_speech_nor_in_silence():
    assert heard.tones(speech(1), 440, 660, 880, 1000) == []
    assert heard.tones(through(PCMA, quiet(2)), 440) == []


def test_a_faint_tone_is_heard_and_its_level_known():
    assert heard.tones(through(PCMA, sine(1000, 1, loudness=-36)), 1000)[0].level == pytest.approx(-39, abs=1)


@CODECS
def test_silence_is_measured_through_the_noise_of_the_codec(codec):
    audio = through(codec, np.concatenate([sine(440, 1), quiet(2.5), speech(1), quiet(1.2), sine(440, 0.5)]))
    assert heard.longest_silence(audio) == pytest.approx(2.5, abs=0.05)
    assert [span.start for span in heard.silences(audio, longer=1)] == pytest.approx([1.0, 7.5], abs=0.1)


def test_silence_within_a_pause_that_was_asked_for_does_not_count():
    audio = np.concatenate([sine(440, 1), quiet(2.5), sine(440, 1), quiet(1.2)])
    assert heard.longest_silence(audio, outside=[heard.Span(1.0, 3.5)]) == pytest.approx(1.2, abs=0.05)


def test_sounds_are_joined_over_the_pauses_between_words():
    audio = np.concatenate([quiet(1), sine(440, 1), quiet(0.1), sine(440, 1), quiet(1), sine(440, 1)])
    assert [(span.start, span.seconds) for span in heard.sounds(audio)] == [
        (pytest.approx(1.0, abs=0.03), pytest.approx(2.1, abs=0.05)),
        (pytest.approx(4.1, abs=0.03), pytest.approx(1.0, abs=0.05)),
    ]


@CODECS
@pytest.mark.parametrize("gain", [1.0, 0.4])
def test_a_recording_is_known_again_wherever_it_was_heard(codec, gain):
    audio = through(codec, np.concatenate([speech(5), quiet(0.77), (speech(7) * gain).astype(np.int16), speech(6)]))
    for find in (heard.match, heard.same):
        found = find(speech(7), audio)
        assert found.score > 0.98
        assert found.at == pytest.approx(4.77, abs=0.02)


def test_a_recording_is_known_again_with_pauses_between_its_parts():
    recording = speech(7)
    parts = [recording[:9000], quiet(0.06), recording[9000:15000], quiet(0.3), recording[15000:]]
    found = heard.same(recording, through(PCMA, np.concatenate([quiet(1), *parts, quiet(1)])))
    assert found.score > heard.SAME
    assert found.at == pytest.approx(1.0, abs=0.05)


def test_a_recording_is_known_again_that_was_heard_from_half_a_millisecond_after_its_beginning():
    recording = speech(7)
    found = heard.same(recording, recording[5:])
    assert (found.score > 0.99, found.at) == (True, pytest.approx(-5 / RATE))


def test_half_a_recording_is_not_the_recording():
    recording = speech(7)
    assert heard.same(recording, np.concatenate([quiet(1), recording[:16000], quiet(4)])).score < heard.SAME


def test_other_speech_silence_and_tones_do_not_resemble_a_recording():
    others = [speech(seed, 8.0) for seed in range(20, 30)]
    scores = [heard.same(speech(7), through(PCMA, other)).score for other in (*others, quiet(8), sine(440, 8))]
    assert max(scores) < 0.6


def test_a_recording_longer_than_what_was_heard_is_not_found():
    assert heard.match(speech(7), speech(7)[:16000]).score == 0.0
    assert heard.same(speech(7), quiet(0.1)).score < heard.SAME


def test_a_source_says_its_audio_once_and_then_nothing():
    source = once(sine(440, 0.03))
    assert np.any(source(5000, 160))
    assert np.any(source(5160, 80))
    assert not np.any(source(5240, 160))
    assert not np.any(silence(0, 160))


def test_a_recording_is_read_back_as_it_was_written(tmp_path):
    heard.write_wav(tmp_path / "a.wav", speech(7))
    assert np.array_equal(heard.read_wav(tmp_path / "a.wav"), speech(7))
