import os
import stat
import time

import pytest

from speech import cache
from speech.cache import Cache


def kept(stored, name, size=1000):
    return stored.keep(cache.key(name), b"\1\0" * (size // 2))


def test_what_is_kept_is_found_under_its_key(tmp_path):
    stored = Cache(tmp_path / "speech")
    name = cache.key("espeak", "cmn", "您好")
    assert stored.find(name) is None
    file = stored.keep(name, b"\1\0" * 10)
    assert stored.find(name) == file == tmp_path / "speech" / name[:2] / f"{name}.wav"
    assert file.read_bytes()[44:] == b"\1\0" * 10


def test_every_fact_makes_another_key():
    facts = [("a", "b"), ("ab", ""), ("a", "b", ""), ("b", "a"), ("a",), ("\ud800",)]
    assert len({cache.key(*each) for each in facts}) == len(facts)


def test_the_switches_own_user_may_read_it_whatever_our_umask(tmp_path):
    before = os.umask(0o077)
    try:
        file = kept(Cache(tmp_path), "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o755


@pytest.mark.parametrize("damage", [b"", b"RIFF", b"\0" * 44])
def test_a_damaged_file_is_not_found_and_made_again(tmp_path, damage):
    stored = Cache(tmp_path)
    file = kept(stored, "a")
    file.write_bytes(damage)
    if len(damage) < 44:
        assert stored.find(cache.key("a")) is None
        assert not file.exists()
    file.write_bytes(file.read_bytes()[:-1] if file.exists() else b"x")
    assert stored.find(cache.key("a")) is None
    assert kept(stored, "a") == stored.find(cache.key("a"))


def test_nothing_half_written_stays_when_the_disk_refuses(tmp_path, monkeypatch):
    stored = Cache(tmp_path)
    kept(stored, "a")
    folder = tmp_path / cache.key("b")[:2]
    folder.mkdir(exist_ok=True)
    (folder / f"{cache.key('b')}.wav").mkdir()  # a rename onto a folder fails, as on a broken disk
    with pytest.raises(OSError, match="directory"):
        kept(stored, "b")
    assert [file.name for file in folder.iterdir()] == [f"{cache.key('b')}.wav"]


def test_beyond_its_bound_what_was_unused_longest_goes(tmp_path):
    stored = Cache(tmp_path, most=10_000)
    long_ago = time.time() - 100 * cache.RECENT
    for number in range(9):
        file = kept(stored, f"old {number}")
        os.utime(file, (long_ago + number, long_ago + number))
    assert stored.find(cache.key("old 0"))  # used again, so it stays
    kept(stored, "new")
    left = [number for number in range(9) if stored.find(cache.key(f"old {number}"))]
    assert left == [0, 4, 5, 6, 7, 8]
    assert stored.find(cache.key("new"))


def test_what_may_be_playing_now_is_never_removed(tmp_path):
    stored = Cache(tmp_path, most=3000)
    files = [kept(stored, f"{number}") for number in range(10)]
    assert all(file.exists() for file in files)


def test_a_cache_that_is_opened_again_knows_its_size(tmp_path):
    for number in range(9):
        file = kept(Cache(tmp_path), f"old {number}")
        os.utime(file, (number, number))
    kept(Cache(tmp_path, most=5000), "new")
    assert len(list(tmp_path.glob("*/*.wav"))) < 5


def aged(file, seconds):
    os.utime(file, (time.time() - seconds,) * 2)


def test_a_file_that_comes_into_use_while_the_cache_is_trimmed_stays(tmp_path, monkeypatch):
    stored = Cache(tmp_path, most=2500)
    playing, idle = kept(stored, "playing"), kept(stored, "idle")
    aged(playing, 9000)
    aged(idle, 9000)
    listed = stored._files

    def taken_meanwhile():
        files = list(listed())
        assert stored.used(playing)
        return iter(files)

    monkeypatch.setattr(stored, "_files", taken_meanwhile)
    kept(stored, "new")
    assert playing.exists()
    assert not idle.exists()
    assert not list(tmp_path.rglob("*.going"))


def test_whoever_asks_for_a_file_that_was_just_trimmed_does_not_get_it(tmp_path):
    stored = Cache(tmp_path)
    file = kept(stored, "gone")
    assert stored.used(file)
    file.unlink()
    assert not stored.used(file)
    assert stored.find(cache.key("gone")) is None
