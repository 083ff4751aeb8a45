"""What callers are told: recordings first, else texts, each synthesised once."""

import os
import struct
import time
import wave
from datetime import UTC, datetime

import gevent
import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from speech import riff, words
from speech.catalogue import Catalogue
from speech.library import Library
from speech.port import CannotSpeak, UnknownPrompt
from speech.simulated import Simulated
from speech.words import Segment
from switch.port import Sound
from switch.shared.clock import RealClock, VirtualClock

TEXTS = Catalogue(
    {
        "welcome": {"cmn": "您好，欢迎致电。", "en": "Welcome."},
        "your-position": {"cmn": "您排在第{{ position | number }}位。"},
    }
)


@pytest.fixture
def voice():
    return Simulated()


@pytest.fixture
def library(tmp_path, voice):
    (tmp_path / "prompts").mkdir()
    library = Library(tmp_path / "prompts", tmp_path / "speech", TEXTS, voice, RealClock())
    yield library
    library.close()


def recorded(tmp_path, name, language="cmn", *, rate=8000, channels=1):
    file = tmp_path / "prompts" / language / f"{name}.wav"
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        t = np.arange(rate) / rate
        out.writeframes(np.repeat((8000 * np.sin(2 * np.pi * 440 * t)).astype("<i2"), channels).tobytes())
    file.chmod(0o644)
    return file


def texts(media):
    return [sound.text for sound in media]


def test_a_prompt_without_a_recording_is_its_text_spoken(library, voice):
    (sound,) = library.prompt("welcome", "cmn")
    assert sound.text == "您好，欢迎致电。"
    assert riff.read(sound.path.read_bytes()).for_telephones
    assert voice.spoken == [("cmn", "您好，欢迎致电。")]


def test_a_recording_wins_over_the_text(library, voice, tmp_path):
    file = recorded(tmp_path, "welcome")
    assert library.prompt("welcome", "cmn") == [Sound(file, "您好，欢迎致电。")]
    assert texts(library.prompt("welcome", "en")) == ["Welcome."]
    assert voice.spoken == [("en", "Welcome.")]


def test_a_recording_of_a_studio_is_converted_once(library, tmp_path):
    recorded(tmp_path, "welcome", rate=48000, channels=2)
    (sound,) = library.prompt("welcome", "cmn")
    assert sound.path.is_relative_to(tmp_path / "speech")
    heard = riff.read(sound.path.read_bytes())
    assert heard.for_telephones
    assert heard.seconds == pytest.approx(1.0, abs=0.01)
    made = sound.path.stat().st_mtime_ns
    assert library.prompt("welcome", "cmn") == [sound]
    assert sound.path.stat().st_mtime_ns == made


def test_a_recording_that_the_switch_may_not_read_is_copied(library, tmp_path):
    recorded(tmp_path, "welcome").chmod(0o600)
    (sound,) = library.prompt("welcome", "cmn")
    assert sound.path.is_relative_to(tmp_path / "speech")
    assert sound.path.stat().st_mode & 0o004


def test_a_converted_recording_that_left_the_cache_is_converted_again(library, tmp_path):
    recorded(tmp_path, "welcome", rate=16000)
    (sound,) = library.prompt("welcome", "cmn")
    sound.path.unlink()
    assert library.prompt("welcome", "cmn") == [sound]
    assert sound.path.exists()


@pytest.mark.parametrize("damage", [b"", b"ID3 an MP3 by mistake", struct.pack("<4sI4s", b"RIFF", 4, b"WAVE")])
def test_an_unreadable_recording_is_replaced_by_its_text_and_logged_once(library, tmp_path, damage):
    recorded(tmp_path, "welcome").write_bytes(damage)
    structlog.reset_defaults()
    with capture_logs() as logged:
        for _ in range(3):
            (sound,) = library.prompt("welcome", "cmn")
            assert sound.path.is_relative_to(tmp_path / "speech")
    assert [each["file"] for each in logged] == [str(tmp_path / "prompts/cmn/welcome.wav")]
    recorded(tmp_path, "welcome")
    assert library.prompt("welcome", "cmn")[0].path.is_relative_to(tmp_path / "prompts")


def test_a_recording_that_nobody_lets_us_look_at_is_replaced_by_its_text_and_logged_once(library, tmp_path):
    file = recorded(tmp_path, "welcome")
    file.unlink()
    file.symlink_to(file)
    structlog.reset_defaults()
    with capture_logs() as logged:
        for _ in range(3):
            assert texts(library.prompt("welcome", "cmn")) == ["您好，欢迎致电。"]
    assert [each["file"] for each in logged] == [str(file)]


def test_a_recording_may_come_and_go_while_we_run(library, tmp_path):
    spoken = library.prompt("welcome", "cmn")
    file = recorded(tmp_path, "welcome")
    assert library.prompt("welcome", "cmn")[0].path == file
    file.unlink()
    assert library.prompt("welcome", "cmn") == spoken


def test_a_recording_needs_no_text(library, tmp_path):
    file = recorded(tmp_path, "jingle")
    assert library.prompt("jingle", "cmn") == [Sound(file, "")]
    assert library.catalogue_text("jingle", "cmn") == ""
    assert library.knows("jingle", "cmn")
    assert not library.knows("jingle", "en")


@pytest.mark.parametrize("name", ["nothing", "../cmn/welcome", "/etc/passwd", "", "a\0b"])
def test_a_prompt_that_does_not_exist_says_so(library, name):
    assert not library.knows(name, "cmn")
    with pytest.raises(UnknownPrompt):
        library.prompt(name, "cmn")


def test_a_prompt_with_variable_parts_is_not_spoken_raw(library, voice):
    assert library.catalogue_text("your-position", "cmn") == "您排在第{{ position | number }}位。"
    with pytest.raises(CannotSpeak, match="variable parts"):
        library.prompt("your-position", "cmn")
    assert voice.spoken == []


def test_a_rendered_text_is_one_sentence(library):
    said = [Segment("您的订单"), *words.digits("202611", "cmn"), Segment("，正在派送。")]
    assert texts(library.text(said, "cmn")) == ["您的订单二零二六一一，正在派送。"]


def test_recorded_parts_are_used_where_every_one_exists(library, tmp_path):
    for figure in "026":
        recorded(tmp_path, f"words/{figure}")
    said = [Segment("订单"), *words.digits("2026", "cmn"), Segment("已发货。")]
    media = library.text(said, "cmn")
    assert texts(media) == ["订单", "二", "零", "二", "六", "已发货。"]
    assert [sound.path.is_relative_to(tmp_path / "prompts") for sound in media] == [False, *[True] * 4, False]


def test_half_a_recorded_number_is_no_number(library, tmp_path):
    recorded(tmp_path, "words/2")
    said = [Segment("订单"), *words.digits("20", "cmn"), Segment("已发货。")]
    assert texts(library.text(said, "cmn")) == ["订单二零已发货。"]


def test_what_a_sensitive_step_collected_stands_in_no_file_together(library):
    said = [Segment("您输入的是"), *words.digits("4711", "cmn", apart=True), Segment("。确认请按一。")]
    assert texts(library.text(said, "cmn")) == ["您输入的是", "四", "七", "一", "一", "。确认请按一。"]


def test_there_is_nothing_to_play_for_nothing_to_say(library):
    assert library.text("", "cmn") == []
    assert library.text([Segment(" \n"), Segment("。")], "cmn") == []


def test_control_characters_and_line_ends_are_only_spaces(library):
    assert texts(library.text("  one\r\n two\x00\u2028three\t", "en")) == ["one two three"]


def test_equal_texts_are_spoken_once_however_many_ask(library, voice):
    asking = [gevent.spawn(library.text, "同样的文字", "cmn") for _ in range(50)]
    gevent.joinall(asking, raise_error=True)
    assert len({asked.value[0].path for asked in asking}) == 1
    assert len(voice.spoken) == 1


def test_a_text_spoken_yesterday_is_found_today(library, voice, tmp_path):
    sound = library.text("您好", "cmn")
    again = Library(tmp_path / "prompts", tmp_path / "speech", TEXTS, voice, RealClock())
    assert again.text("您好", "cmn") == sound
    assert len(voice.spoken) == 1
    again.close()


def test_the_same_text_in_another_language_is_another_sound(library):
    assert library.text("一二三", "cmn")[0].path != library.text("一二三", "yue")[0].path


def test_a_caller_who_hangs_up_does_not_leave_others_waiting(library, voice):
    first = gevent.spawn(library.text, "您好", "cmn")
    second = gevent.spawn(library.text, "您好", "cmn")
    gevent.sleep(0)
    first.kill()
    assert second.get(timeout=10)[0].path.exists()
    assert len(voice.spoken) == 1


def test_what_cannot_be_spoken_is_told_to_all_who_wait_and_tried_again_later(library, voice):
    voice.refuses.add("您好")
    asking = [gevent.spawn(library.text, "您好", "cmn") for _ in range(3)]
    for asked in asking:
        with pytest.raises(CannotSpeak, match="refused"):
            asked.get(timeout=10)
    voice.refuses.clear()
    assert library.text("您好", "cmn")


def test_a_full_disk_is_a_text_that_cannot_be_spoken(tmp_path, voice, capfd):
    (tmp_path / "speech").write_text("a file where the folder should be")
    library = Library(tmp_path / "prompts", tmp_path / "speech", TEXTS, voice, RealClock())
    with pytest.raises(CannotSpeak, match="cannot be stored"):
        library.text("您好", "cmn")
    library.close()
    assert "Traceback" not in capfd.readouterr().err


def test_virtual_time_stands_still_while_a_text_is_spoken(tmp_path, voice):
    clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
    library = Library(tmp_path / "prompts", tmp_path / "speech", TEXTS, voice, clock)
    late = []
    clock.after(0.001, lambda: late.append(clock.now()))
    asked = gevent.spawn(library.text, "您好", "cmn")
    asked.link(lambda _: late.append("spoken"))
    assert clock.run_until(lambda: len(late) == 2, longest=1)
    assert late == ["spoken", 1]
    library.close()


def test_a_synthesiser_that_never_answers_is_given_up(tmp_path, voice):
    voice.speak = lambda text, language: gevent.sleep(3600)
    library = Library(tmp_path / "prompts", tmp_path / "speech", TEXTS, voice, RealClock(), within=0.05)
    with pytest.raises(CannotSpeak, match="not spoken within"):
        library.text("您好", "cmn")
    library.close()


def test_a_language_without_a_voice_is_an_error_of_that_text(library):
    with pytest.raises(CannotSpeak, match="'fr'"):
        library.text("bonjour", "fr")


def test_fixed_texts_are_made_ahead(library, voice, tmp_path):
    recorded(tmp_path, "welcome")
    seen = []
    filled = library.fill(lambda done, total: seen.append((done, total)), [("您好", "cmn"), ("Hello.", "en")])
    assert (filled.recorded, filled.kept, filled.failed) == (1, 0, [])
    assert filled.spoken == 1 + 2 + 30  # the other welcome, the two texts, ten figures in three languages
    assert seen == [(done, 34) for done in range(1, 35)]
    again = library.fill(texts=[("您好", "cmn"), ("Hello.", "en")])
    assert (again.recorded, again.kept, again.spoken) == (1, 33, 0)
    assert len(voice.spoken) == 33


def test_what_could_not_be_made_ahead_is_listed_and_the_rest_made(library, voice):
    voice.refuses.add("Welcome.")
    filled = library.fill()
    assert filled.failed == ["en: Welcome.: refused"]
    assert filled.spoken == 31


def test_a_converted_recording_that_is_played_day_by_day_stays_in_the_cache(library, tmp_path):
    recorded(tmp_path, "welcome", rate=16_000)
    (sound,) = library.prompt("welcome", "cmn")
    os.utime(sound.path, (time.time() - 9000,) * 2)
    library.prompt("welcome", "cmn")
    assert time.time() - sound.path.stat().st_mtime < 600
