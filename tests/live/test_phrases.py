"""Press or say, through a real switch and the real recogniser; the words come by RTP, in a synthesised voice."""

import numpy as np
import pytest

from tests.live import rtp, stories

pytestmark = pytest.mark.live

ASKS = "You may say: my orders. Or: leave a message."
MESSAGES = "You have come to the messages."
ORDERS = "These are all of your orders."


def sounds(hotline, *texts):
    """What is said and heard, made before the call: a caller does not think for seconds."""
    return [hotline.say(text, "en") for text in (ASKS, *texts)]


def says(caller, prompt, words):
    """Hears a prompt and its beep to the end, and then says something."""
    heard = caller.wait_for(prompt, within=20)
    caller.wait_for_sound(since=heard.at + len(prompt) / rtp.RATE, lasting=0.1)
    caller.wait_for_quiet(0.3)
    caller.say(rtp.once(np.concatenate([np.zeros(rtp.RATE // 2), words])))
    return caller.media.now()


def an_option_is_said_and_confirmed_by_voice(hotline, phones):
    asks, words, yes, messages = sounds(hotline, "Leave a message.", "Yes.", MESSAGES)
    meant = hotline.prompt("did-you-say", "en", said="leave a message")
    caller = phones.call("3001")
    caller.wait_answered()
    says(caller, asks, words)
    says(caller, meant, yes)
    caller.wait_for(messages, within=20)
    caller.wait_ended(10)
    heard = hotline.records(type="PhraseHeard", call=hotline.call_of(caller.caller))
    assert [(record["key"], record["confirmed"]) for record in heard] == [("2", True)]


def an_option_is_said_and_confirmed_by_key(hotline, phones):
    asks, words, orders = sounds(hotline, "Track my order.", ORDERS)
    meant = hotline.prompt("did-you-say", "en", said="track my order")[: 2 * rtp.RATE]
    caller = phones.call("3001")
    caller.wait_answered()
    says(caller, asks, words)
    caller.wait_for(meant, within=20)
    caller.press("1")
    caller.wait_for(orders)
    caller.wait_ended(10)


def a_key_counts_while_the_switch_records_what_is_said(hotline, phones):
    asks, words, messages = sounds(hotline, "What is the weather like in Hong Kong today?", MESSAGES)
    caller = phones.call("3001")
    caller.wait_answered()
    began = says(caller, asks, words)
    caller.media.wait_until(lambda: caller.media.now() > began + 1, 5)
    caller.press("2")
    found = caller.wait_for(messages, since=began)
    assert found.at - began < 5
    caller.wait_ended(10)


def other_words_are_not_understood(hotline, phones):
    asks, words, orders = sounds(hotline, "Wednesday, the seventh of January.", ORDERS)
    understood = hotline.prompt("not-understood", "en")
    caller = phones.call("3001")
    caller.wait_answered()
    says(caller, asks, words)
    caller.wait_for(understood, within=20)
    caller.press("1")
    caller.wait_for(orders, within=20)
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


def test_nothing_is_left(told, hotline):
    told.check_nothing_is_left()
    assert not list((hotline.config.data_dir / "utterances").glob("*"))
