"""Messages that callers leave: what was said is what was kept."""

import wave
from pathlib import Path

import pytest

from tests.live import heard, rtp, stories

pytestmark = pytest.mark.live


def messages(hotline, caller):
    return hotline.database(
        "select path, seconds from messages where caller like :caller order by id", {"caller": f"%{caller.caller}"}
    )


def speak_after_the_beep(hotline, caller, frequency):
    """Waits for the prompt and its beep, and then speaks; the moment in which it began."""
    caller.wait_answered()
    prompt = caller.wait_for(hotline.prompt("leave-message"))
    caller.wait_for_sound(since=prompt.at + len(hotline.prompt("leave-message")) / rtp.RATE, lasting=0.1)
    caller.wait_for_quiet(0.3)
    caller.tone(frequency)
    return caller.media.now()


def a_message_holds_the_tone_that_was_sent(hotline, phones):
    caller = phones.call("3000")
    began = speak_after_the_beep(hotline, caller, 660)
    caller.media.wait_until(lambda: caller.media.now() > began + 3, 5)
    caller.press("#")
    caller.wait_for(hotline.prompt("message-kept"))
    caller.wait_for(hotline.prompt("goodbye"))
    caller.wait_ended()
    ((path, seconds),) = messages(hotline, caller)
    audio = heard.read_wav(Path(path))
    assert heard.tone_seconds(audio, 660) == pytest.approx(3.0, abs=0.5)
    assert seconds == pytest.approx(len(audio) / rtp.RATE, abs=0.1)
    assert {tone.frequency for tone in heard.tones(audio, 440, 660, 880)} == {660}


def a_message_ends_with_a_silence_and_is_kept(hotline, phones):
    caller = phones.call("3000")
    began = speak_after_the_beep(hotline, caller, 880)
    caller.media.wait_until(lambda: caller.media.now() > began + 2, 5)
    caller.say(rtp.silence)
    caller.wait_for(hotline.prompt("message-kept"), within=15)
    caller.wait_ended(20)
    ((path, _),) = messages(hotline, caller)
    assert heard.tone_seconds(heard.read_wav(Path(path)), 880) == pytest.approx(2.0, abs=0.5)


def a_caller_who_hangs_up_while_speaking_has_left_the_message(hotline, phones):
    caller = phones.call("3000")
    began = speak_after_the_beep(hotline, caller, 440)
    caller.media.wait_until(lambda: caller.media.now() > began + 2.5, 5)
    caller.hang_up()
    kept = hotline.until(lambda: messages(hotline, caller), 10, "the message to be kept")
    assert heard.tone_seconds(heard.read_wav(Path(kept[0][0])), 440) == pytest.approx(2.5, abs=0.5)


def a_caller_who_says_nothing_leaves_no_message(hotline, phones):
    caller = phones.call("3000")
    caller.wait_answered()
    caller.wait_for(hotline.prompt("message-empty"), within=25)
    caller.wait_ended(15)
    assert messages(hotline, caller) == []


STORIES = [
    a_message_holds_the_tone_that_was_sent,
    a_message_ends_with_a_silence_and_is_kept,
    a_caller_who_hangs_up_while_speaking_has_left_the_message,
    a_caller_who_says_nothing_leaves_no_message,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_messages(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()


def test_messages_are_eight_kilohertz_mono(told, hotline):
    (path,) = hotline.database("select path from messages limit 1")[0]
    with wave.open(path, "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
