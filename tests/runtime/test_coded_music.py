"""Music as it is kept for FreeSWITCH: coded as telephones hear it, made again only when the piece is another."""

import os
import struct

import numpy as np
import pytest

from runtime import coded_music
from runtime.coded_music import coded
from runtime.music import pieces
from speech import audio, riff
from switch.freeswitch.music import Music
from tests.live import heard
from tests.switch.freeswitch.exchange import tone


@pytest.fixture
def sounds(tmp_path):
    """Folder of one piece, twelve seconds and a bit, and of what is no music."""
    heard.write_wav(tmp_path / "calm.wav", tone(300, 12.01))
    heard.write_wav(tmp_path / "beep.wav", tone(300, 1))
    return tmp_path


def kept(sounds):
    return coded(pieces(sounds), sounds / "coded")


def test_a_piece_lies_beside_its_codings(sounds):
    assert kept(sounds) == {"calm": sounds / "coded" / "calm.wav"}
    assert sorted(file.name for file in (sounds / "coded").iterdir()) == ["calm.PCMA", "calm.PCMU", "calm.wav"]
    whole = audio.samples(riff.read((sounds / "coded" / "calm.wav").read_bytes()))
    assert whole == pytest.approx(tone(300, 12) / 32768, abs=1e-4)  # whole packets of 960 samples
    assert (sounds / "coded" / "calm.PCMA").read_bytes() == audio.coded(whole, riff.ALAW)
    assert (sounds / "coded" / "calm.PCMU").read_bytes() == audio.coded(whole, riff.ULAW)


def test_freeswitch_is_told_of_the_codings(sounds):
    music = Music(kept(sounds))
    music.native = True
    assert music.argument("calm", 0) == f"{sounds}/coded/calm@@0"


def test_the_switch_may_read_them_whatever_the_appliance_lets_others_do(sounds):
    before = os.umask(0o077)
    try:
        kept(sounds)
    finally:
        os.umask(before)
    assert (sounds / "coded").stat().st_mode & 0o777 == 0o755
    assert {file.stat().st_mode & 0o777 for file in (sounds / "coded").iterdir()} == {0o644}


def test_what_is_there_is_left_as_it_is(sounds):
    made = kept(sounds)["calm"].with_suffix(".PCMA")
    made.write_bytes(bytes(12 * 8000))
    kept(sounds)
    assert made.read_bytes() == bytes(12 * 8000)


def test_a_piece_that_has_changed_is_coded_again(sounds):
    kept(sounds)
    heard.write_wav(sounds / "calm.wav", tone(500, 18))
    os.utime(sounds / "calm.wav", (1, 1))  # as a copy from an older disk
    assert kept(sounds)["calm"].with_suffix(".PCMA").stat().st_size == 18 * 8000


@pytest.mark.parametrize("harm", ["gone", "cut short"])
@pytest.mark.parametrize("suffix", [".PCMA", ".PCMU", ".wav"])
def test_what_is_not_whole_any_more_is_made_again(sounds, suffix, harm):
    made = kept(sounds)["calm"]
    whole = {file.name: file.read_bytes() for file in made.parent.iterdir()}
    harmed = made.with_suffix(suffix)
    if harm == "gone":
        harmed.unlink()
    else:
        as_of = harmed.stat().st_mtime_ns
        harmed.write_bytes(harmed.read_bytes()[:8000])
        os.utime(harmed, ns=(as_of, as_of))
    kept(sounds)
    assert {file.name: file.read_bytes() for file in made.parent.iterdir()} == whole


def test_music_of_any_rate_becomes_one_for_telephones(sounds):
    wide = (0.3 * 32767 * np.sin(2 * np.pi * 300 * np.arange(44_100 * 12) / 44_100)).astype("<i2").tobytes()
    (sounds / "calm.wav").write_bytes(of_rate(44_100, wide))
    made = riff.read(kept(sounds)["calm"].read_bytes())
    assert made.for_telephones
    assert made.seconds == pytest.approx(12, abs=0.12)


def of_rate(rate, pcm):
    header = bytearray(riff.written(pcm)[:44])
    struct.pack_into("<II", header, 24, rate, 2 * rate)
    return bytes(header) + pcm


def test_what_cannot_be_coded_stays_where_it_is(sounds, tmp_path):
    (sounds / "calm.wav").write_bytes(b"RIFF")
    heard.write_wav(sounds / "click.wav", tone(300, 0.1))
    heard.write_wav(sounds / "other.wav", tone(300, 12))
    assert kept(sounds) == {
        "calm": sounds / "calm.wav",
        "click": sounds / "click.wav",
        "other": sounds / "coded" / "other.wav",
    }
    (tmp_path / "full").write_bytes(b"")
    assert coded(pieces(sounds), tmp_path / "full") == pieces(sounds)


def test_a_file_that_is_too_large_to_be_read_whole_stays_where_it_is(sounds, monkeypatch):
    monkeypatch.setattr(coded_music, "LARGEST", 12 * 16_000)
    assert kept(sounds) == {"calm": sounds / "calm.wav"}
    assert not (sounds / "coded").exists()
