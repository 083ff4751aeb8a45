"""Music from its own file, and where it has come to."""

import wave

import pytest

from switch.freeswitch.music import Music
from tests.live import heard
from tests.switch.freeswitch.exchange import tone


@pytest.fixture
def piece(tmp_path):
    """Two minutes."""
    heard.write_wav(tmp_path / "calm.wav", tone(300, 120))
    return tmp_path / "calm.wav"


def test_a_piece_goes_on_from_where_it_has_come_to(piece):
    music = Music({"calm": piece})
    assert music.argument("calm", 5_000) == f"{piece}@@40000"
    assert music.argument("calm", 125_000) == f"{piece}@@40000"
    assert music.argument("calm", 110_000) == f"{piece}@@880000"


def test_a_piece_that_is_nearly_over_begins_anew(piece):
    assert Music({"calm": piece}).argument("calm", 110_001) == f"{piece}@@0"


@pytest.mark.parametrize("name", ["missing.wav", "no.wav", "odd@name.wav", "wide.wav"])
def test_what_is_no_music_file_is_played_by_its_stream(tmp_path, name):
    """FreeSWITCH counts in a file's own samples, and would begin anywhere in one of another rate."""
    (tmp_path / "no.wav").write_bytes(b"RIFF")
    heard.write_wav(tmp_path / "odd@name.wav", tone(300, 1))
    with wave.open(str(tmp_path / "wide.wav"), "wb") as wide:
        wide.setparams((1, 2, 44_100, 0, "NONE", ""))
        wide.writeframes(bytes(88_200))
    music = Music({"calm": tmp_path / name})
    assert music.argument("calm", 5_000) == "local_stream://calm"


def test_the_music_that_is_heard_is_known_by_its_argument(piece):
    music = Music({"calm": piece})
    assert music.name(music.argument("calm", 5_000)) == "calm"
    assert music.name("local_stream://other") == "other"
    assert music.name("/prompts/welcome.wav") == ""
