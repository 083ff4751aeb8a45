"""Music from its own file, and where it has come to."""

import wave

import pytest

from switch.freeswitch.music import CODINGS, Music
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


@pytest.fixture
def coded(piece):
    """Its codings beside it, in which a sample is a byte."""
    for coding in CODINGS:
        piece.with_suffix(coding).write_bytes(bytes(120 * 8000))
    return piece


def test_a_coded_piece_is_played_as_the_leg_is_coded_in_whole_packets(coded):
    music = Music({"calm": coded})
    assert music.argument("calm", 5_001) == f"{coded}@@40008"
    music.native = True
    assert music.argument("calm", 5_001) == f"{coded.with_suffix('')}@@39360"


def test_a_path_with_a_full_stop_needs_its_extension(tmp_path, coded):
    """FreeSWITCH would take what comes after it for one."""
    inside = tmp_path / "hotline-1.2"
    inside.mkdir()
    for file in (coded, *(coded.with_suffix(coding) for coding in CODINGS)):
        file.rename(inside / file.name)
    music = Music({"calm": inside / "calm.wav"})
    music.native = True
    assert music.argument("calm", 5_000) == f"{inside}/calm.wav@@40000"


@pytest.mark.parametrize("coding", CODINGS)
def test_codings_of_another_length_are_not_of_this_piece(coded, coding):
    coded.with_suffix(coding).write_bytes(bytes(8000))
    music = Music({"calm": coded})
    music.native = True
    assert music.argument("calm", 5_000) == f"{coded}@@40000"


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


@pytest.mark.parametrize("has_codings", [True, False])
@pytest.mark.parametrize("native", [True, False])
def test_who_takes_over_knows_what_was_played_before(coded, native, has_codings):
    """By a controller whose FreeSWITCH had the module, or not; the codings may have gone since."""
    before = Music({"calm": coded})
    before.native = native
    argument = before.argument("calm", 5_000)
    if not has_codings:
        coded.with_suffix(".PCMA").unlink()
    assert Music({"calm": coded}).name(argument) == "calm"


def test_who_takes_over_knows_music_by_what_it_was_made_of(coded, tmp_path):
    source = tmp_path / "sounds" / "calm.wav"
    music = Music({"calm": coded}, {"calm": source})
    assert music.name(f"{source}@@40000") == "calm"
    assert music.name(f"{coded}@@40000") == "calm"


def test_what_goes_out_as_it_is_is_known(coded):
    music = Music({"calm": coded})
    assert not music.is_coded(music.argument("calm", 5_000))
    assert not music.is_coded("local_stream://calm")
    music.native = True
    assert music.is_coded(music.argument("calm", 5_000))
