"""The hold music, heard by measuring."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from provision import music
from speech import audio, riff
from speech.port import RATE
from switch.port import Silence, Sound


@pytest.fixture(scope="module")
def piece():
    return music.calm()


def decibels(heard):
    return 10 * np.log10((heard**2).mean())


def test_it_is_a_piece_of_two_to_three_minutes(piece):
    assert 120 < piece.size / RATE < 180


def test_it_is_as_loud_as_speech_and_never_clips(piece):
    assert decibels(piece) == pytest.approx(-20, abs=0.01)
    assert np.abs(piece).max() < 0.8


def test_it_is_never_silent_and_never_startling(piece):
    """A caller who hears nothing for two seconds believes that the line is dead."""
    halves = piece[: piece.size // 4000 * 4000].reshape(-1, 4000)
    loudness = [decibels(half) for half in halves]
    assert min(loudness) > -32
    assert max(loudness) < -14
    assert np.abs(np.diff(loudness)).max() < 10


def click(heard, at):
    """Loudness above the telephone band around a sample, in dB: music has nothing there, a click has."""
    frame = np.roll(heard, 512 - at)[:1024] * np.hanning(1024)
    power = np.abs(np.fft.rfft(frame)) ** 2
    return 10 * np.log10(power[np.fft.rfftfreq(1024, 1 / RATE) > 3600].mean())


def test_the_loop_has_no_seam(piece):
    """Heard across the loop point, as the file has it, there is no more of a click than anywhere else."""
    file = audio.from_pcm(audio.to_pcm(piece))
    elsewhere = [click(file, at) for at in range(5000, file.size - 5000, 40_007)]
    assert click(file, 0) < max(elsewhere) + 1
    assert max(elsewhere) - min(elsewhere) < 10


@pytest.mark.parametrize("cut_off", [1, 100, 4321])
def test_a_seam_would_have_been_noticed(piece, cut_off):
    """The same measure on a piece that was simply cut off."""
    file = audio.from_pcm(audio.to_pcm(piece))
    assert click(file[:-cut_off], 0) > click(file, 0) + 15


def test_it_lies_in_the_telephone_band(piece):
    power = np.abs(np.fft.rfft(piece)) ** 2
    hertz = np.fft.rfftfreq(piece.size, 1 / RATE)
    assert power[hertz < 3400].sum() / power.sum() > 0.999999
    assert power[(hertz > 200) & (hertz < 3400)].sum() / power.sum() > 0.8


def test_it_moves_through_chords_and_does_not_drone(piece):
    """Eight bars of chords: the strongest notes of one bar are not those of the next."""
    bars = piece[: music.BAR * 8].reshape(8, -1)
    strongest = []
    for bar in bars:
        power = np.abs(np.fft.rfft(bar * np.hanning(bar.size)))
        hertz = np.fft.rfftfreq(bar.size, 1 / RATE)
        notes = np.round(69 + 12 * np.log2(np.maximum(hertz, 1) / 440)).astype(int)
        by_note = {note: power[notes == note].max() for note in range(48, 84)}
        strongest.append(frozenset(sorted(by_note, key=by_note.get)[-4:]))
    assert len(set(strongest)) >= 6


def test_it_is_the_same_wherever_it_is_made(tmp_path):
    first, second = (music.make(tmp_path / name) for name in "ab")
    assert [file.name for file in first] == ["calm.wav", "beep.wav"]
    assert [hashlib.sha256(file.read_bytes()).digest() for file in first] == [
        hashlib.sha256(file.read_bytes()).digest() for file in second
    ]
    for file in first:
        assert riff.read(file.read_bytes()).for_telephones
        assert file.stat().st_mode & 0o777 == 0o644


def test_making_it_again_touches_nothing(tmp_path):
    before = [file.stat().st_mtime_ns for file in music.make(tmp_path)]
    assert [file.stat().st_mtime_ns for file in music.make(tmp_path)] == before


def test_the_beep_is_one_short_tone(tmp_path):
    tone = music.beep()
    power = np.abs(np.fft.rfft(tone))
    assert np.fft.rfftfreq(tone.size, 1 / RATE)[power.argmax()] == pytest.approx(music.BEEP, abs=3)
    assert 0.2 < tone.size / RATE < 0.5
    assert np.abs(tone[[0, -1]]).max() < 0.001
    assert np.abs(tone).max() == pytest.approx(0.2, abs=0.01)


def test_the_fallback_is_one_announcement_with_pauses(tmp_path):
    file = music.keep(tmp_path, "a.wav", music.beep())
    heard = music.fallback([Sound(file, "beep"), Silence(1.0), Sound(file, "beep")])
    assert heard.size == 2 * (round(0.6 * RATE) + music.beep().size)
    assert decibels(heard[: RATE // 2] + 1e-9) < -100


def test_two_who_make_the_same_sound_at_once_do_not_meet(tmp_path, monkeypatch):
    chmod = Path.chmod

    def meanwhile(file, mode):
        monkeypatch.setattr(Path, "chmod", chmod)
        monkeypatch.setattr("os.getpid", lambda: 1)
        music.keep(tmp_path, "a.wav", music.beep())
        chmod(file, mode)

    monkeypatch.setattr(Path, "chmod", meanwhile)
    file = music.keep(tmp_path, "a.wav", music.beep())
    assert list(tmp_path.iterdir()) == [file]


def test_the_program_names_what_it_made(tmp_path, capsys):
    assert music.main(["--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "calm.wav"), str(tmp_path / "beep.wav")]
