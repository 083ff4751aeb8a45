"""What the ACD decides, with real telephones: priority, skills, ring-all, agents elsewhere, what who waits is asked."""

import datetime

import pytest

from tests.live import heard, stories
from tests.live.test_queue import at_work, queued, talk_for_a_second

pytestmark = pytest.mark.live


def seconds_between(first, second):
    """Of two journal records."""
    at = [datetime.datetime.fromisoformat(record["at"]) for record in (first, second)]
    return (at[1] - at[0]).total_seconds()


def the_more_important_caller_is_served_first(hotline, phones):
    plain = phones.call("2910", tone=440)
    first = queued(hotline, plain, "important")
    important = phones.call("2911", tone=880)
    second = queued(hotline, important, "important")
    assert hotline.queue("important") == [second, first]
    phone = at_work(hotline, phones, "5001")
    rung = phone.wait_rung()
    talk_for_a_second(hotline, important, rung, 880)
    rung.hang_up()
    talk_for_a_second(hotline, plain, phone.wait_rung(2), 440)
    plain.hang_up()


def a_skill_is_waited_for_until_it_is_relaxed(hotline, phones):
    unskilled = at_work(hotline, phones, "5003")
    caller = phones.call("2920", tone=440)
    call = queued(hotline, caller, "claims")
    talk_for_a_second(hotline, caller, unskilled.wait_rung(), 440)
    entered, offered = (hotline.records(type=type, call=call)[0] for type in ("CallQueued", "OfferCall"))
    assert 3.99 <= seconds_between(entered, offered) < 5  # the journal's times are whole milliseconds of another clock
    caller.hang_up()
    hotline.until_agent("5003", "Ready")
    skilled = at_work(hotline, phones, "5002")
    another = phones.call("2920", tone=880)
    talk_for_a_second(hotline, another, skilled.wait_rung(), 880)
    assert len(unskilled.calls) == 1
    another.hang_up()


def all_phones_ring_and_one_agent_has_the_caller(hotline, phones):
    quick, *others = (at_work(hotline, phones, agent) for agent in ("5004", "5005", "5006"))
    quick.answer_after = 1.0
    for phone in others:
        phone.answer_after = None
    caller = phones.call("2930", tone=440)
    rung = [phone.wait_rung() for phone in (quick, *others)]
    talk_for_a_second(hotline, caller, rung[0], 440)
    assert [leg.wait_ended() for leg in rung[1:]] == ["cancelled", "cancelled"]
    assert [hotline.agent_state(agent) for agent in ("5004", "5005", "5006")] == ["Busy", "Ready", "Ready"]
    caller.hang_up()


def an_agent_elsewhere_is_the_agent_only_after_pressing_1(hotline, phones):
    """First something like a voicemail answers, and then the agent."""
    phone = hotline.somewhere(phones)
    hotline.set_agent("5007", "Ready")
    caller = phones.call("2940", tone=440)
    call = queued(hotline, caller, "away")
    voicemail = phone.wait_rung()
    voicemail.wait_for(hotline.prompt("press-to-accept"))
    assert voicemail.wait_ended(30) == "them"
    assert hotline.queue("away") == [call]
    assert hotline.records(type="OfferNotAnswered", agent="5007")
    rung = phone.wait_rung(2, within=15)
    rung.wait_for(hotline.opening("press-to-accept"), within=15)
    assert heard.tones(rung.heard(), 440) == []
    rung.press("1")
    talk_for_a_second(hotline, caller, rung, 440)
    caller.hang_up()
    assert rung.wait_ended() == "them"


def a_phone_that_stays_off_hook_rings_once(hotline, phones):
    phone = at_work(hotline, phones, "5008")
    first = phones.call("2950", tone=440)
    line = phone.wait_rung()
    talk_for_a_second(hotline, first, line, 440)
    line.press("*")
    first.wait_for(hotline.prompt("goodbye"))
    second = phones.call("2950", tone=880)
    talk_for_a_second(hotline, second, line, 880)
    second.hang_up()
    assert len(phone.calls) == 1
    hotline.until_agent("5008", "Ready")
    hotline.set_agent("5008", "LoggedOff")
    assert line.wait_ended() == "them"


def who_waits_is_comforted_and_asked_whether_to_go_on(hotline, phones):
    caller = phones.call("2960")
    queued(hotline, caller, "patience")
    caller.wait_for(hotline.prompt("please-keep-waiting"))
    caller.wait_for(hotline.opening("keep-waiting-or-leave"), within=15)
    caller.press("2")
    caller.wait_for(hotline.prompt("goodbye"))
    assert caller.wait_ended() == "them"


STORIES = [
    the_more_important_caller_is_served_first,
    a_skill_is_waited_for_until_it_is_relaxed,
    all_phones_ring_and_one_agent_has_the_caller,
    an_agent_elsewhere_is_the_agent_only_after_pressing_1,
    a_phone_that_stays_off_hook_rings_once,
    who_waits_is_comforted_and_asked_whether_to_go_on,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_the_acd(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()
