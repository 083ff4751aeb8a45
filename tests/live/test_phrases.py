"""Press or say, through a real switch and the real recogniser: the caller's words come by RTP, in a synthesised voice."""

import numpy as np
import pytest

from tests.live import rtp, stories

pytestmark = pytest.mark.live

ASKS = "You may say: my orders. Or: leave a message."
MESSAGES = "You have come to the messages."
ORDERS = "These are all of your orders."


def says(hotline, caller, prompt, text):
    """Hears a prompt and its beep to the end, and then says something."""
    heard = caller.wait_for(prompt, within=20)
    over = heard.at + len(prompt) / rtp.RATE
    caller.wait_for_sound(since=over, lasting=0.1)
    caller.wait_for_quiet(0.3)
    caller.say(rtp.once(np.concatenate([np.zeros(rtp.RATE // 2), hotline.say(text, "en")])))
    return caller.media.now()


def an_option_is_said_and_confirmed_by_voice(hotline, phones):
    caller = phones.call("3001")
    caller.wait_answered()
    says(hotline, caller, hotline.say(ASKS, "en"), "Leave a message.")
    asked = hotline.prompt("did-you-say", "en", said="leave a message")
    says(hotline, caller, asked, "Yes.")
    caller.wait_for(hotline.say(MESSAGES, "en"), within=20)
    caller.wait_ended(10)
    heard = hotline.records(type="PhraseHeard", call=hotline.call_of(caller.caller))
    assert [(record["key"], record["confirmed"]) for record in heard] == [("2", True)]
    assert not list((hotline.config.data_dir / "utterances").glob("*"))


def an_option_is_said_and_confirmed_by_key(hotline, phones):
    caller = phones.call("3001")
    caller.wait_answered()
    says(hotline, caller, hotline.say(ASKS, "en"), "Track my order.")
    caller.wait_for(hotline.prompt("did-you-say", "en", said="track my order")[: 2 * rtp.RATE], within=20)
    caller.press("1")
    caller.wait_for(hotline.say(ORDERS, "en"))
    caller.wait_ended(10)


def a_key_counts_while_the_switch_records_what_is_said(hotline, phones):
    caller = phones.call("3001")
    caller.wait_answered()
    says(hotline, caller, hotline.say(ASKS, "en"), "What is the weather like in Hong Kong today?")
    pressed = caller.media.now()
    caller.press("2")
    found = caller.wait_for(hotline.say(MESSAGES, "en"), since=pressed)
    assert found.at - pressed < 3
    caller.wait_ended(10)


def other_words_are_not_understood(hotline, phones):
    caller = phones.call("3001")
    caller.wait_answered()
    says(hotline, caller, hotline.say(ASKS, "en"), "Wednesday, the seventh of January.")
    caller.wait_for(hotline.prompt("not-understood", "en"), within=20)
    caller.press("1")
    caller.wait_for(hotline.say(ORDERS, "en"), within=20)
    caller.wait_ended(10)


STORIES = [
    an_option_is_said_and_confirmed_by_voice,
    an_option_is_said_and_confirmed_by_key,
    a_key_counts_while_the_switch_records_what_is_said,
    other_words_are_not_understood,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_phrases(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()
