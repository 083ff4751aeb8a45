"""Mailboxes and recordings on real switches: lamps of registered telephones, and both voices of a talk in a file."""

import stat
from pathlib import Path

import pytest

from tests.live import heard, stories
from tests.live.hotline import LAMP, PIN, RECORDED
from tests.live.lamp import Lamp
from tests.live.test_messages import speak_after_the_beep
from tests.live.test_queue import at_work, talk_for_a_second

pytestmark = pytest.mark.live


def a_message_lights_the_lamp_until_it_is_heard_and_deleted(hotline, phones):
    lamp = Lamp(LAMP, hotline.passwords[LAMP], hotline.switch.agents)
    lamp.register()
    try:
        caller = phones.call("3501")
        began = speak_after_the_beep(hotline, caller, 660)
        caller.media.wait_until(lambda: caller.media.now() > began + 2.5, 5)
        caller.hang_up()
        lamp.wait_for(True, 1, 0)
        owner = phones.call("3502")
        owner.wait_answered()
        owner.wait_for(hotline.opening("mailbox-pin"))
        owner.press(f"{PIN}#")
        owner.wait_for(hotline.prompt("mailbox-count", new=1, old=0))
        owner.press("1")
        owner.wait_for_tone(660, within=20)
        lamp.wait_for(False, 0, 1)
        owner.press("3")
        owner.wait_for(hotline.prompt("mailbox-deleted"))
        lamp.wait_for(False, 0, 0)
        owner.hang_up()
    finally:
        lamp.close()


def a_talk_of_a_recorded_queue_has_both_voices(hotline, phones):
    caller = phones.call("3500", tone=440)
    caller.wait_answered()
    caller.wait_for(hotline.prompt("may-be-recorded"))
    phone = at_work(hotline, phones, RECORDED)
    rung = phone.wait_rung()
    talk_for_a_second(hotline, caller, rung, 440)
    rung.hang_up()
    caller.wait_for(hotline.prompt("goodbye"))
    caller.wait_ended()
    rows = hotline.until(
        lambda: hotline.database("select path, seconds, queue, agent from recordings"), 10, "the recording to be kept"
    )
    ((path, seconds, queue, agent),) = rows
    audio = heard.read_wav(Path(path))
    assert (queue, agent) == ("recorded", RECORDED)
    assert len(audio) / 8000 == pytest.approx(seconds, abs=0.1)
    assert heard.among_others(audio, 440) > 0.8
    assert heard.among_others(audio, 1000) > 0.8
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o640


STORIES = [
    a_message_lights_the_lamp_until_it_is_heard_and_deleted,
    a_talk_of_a_recorded_queue_has_both_voices,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_mailboxes_and_recordings(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()
