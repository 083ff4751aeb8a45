"""The switch dies, the appliance dies: calls end in the journal or go on, agents are free, the service comes back."""

import pytest

from tests.live import heard
from tests.live.test_queue import at_work, queued, talk_for_a_second

pytestmark = pytest.mark.live


def test_a_switch_that_dies_ends_its_calls_and_the_service_comes_back(hotline, phones):
    desk = hotline.desk()
    phone = at_work(hotline, phones, desk.agents[0])
    talking = phones.call(desk.number, tone=440)
    talk_for_a_second(hotline, talking, phone.wait_rung(), 440)
    waiting = phones.call(desk.number)
    queued(hotline, waiting, desk.queue)
    listening = phones.call("1000")
    listening.wait_answered()
    calls = {hotline.call_of(caller.caller) for caller in (talking, waiting, listening)}
    hotline.switch.kill()
    try:
        hotline.until(lambda: not hotline.status()["calls"], 15, "the calls to be out of our hands")
        assert hotline.queue(desk.queue) == []
        assert hotline.status()["ready"] is False
    finally:
        hotline.switch.start()
    hotline.until(lambda: hotline.status()["ready"], 30, "the service to find its switch again")
    hotline.until(
        lambda: not calls - {r["call"] for r in hotline.records(type="CallEnded")}, 15, "the calls to be over"
    )
    hotline.until(lambda: hotline.agent_state(desk.agents[0]) not in {"Busy", "Reserved"}, 5, "the agent to be free")
    ended = [record for record in hotline.records(type="CallEnded") if record["call"] in calls]
    assert sorted(record["call"] for record in ended) == sorted(calls)
    assert {record["cause"] for record in ended} == {"switch lost"}
    phone.register()
    hotline.set_agent(desk.agents[0], "Ready")
    again = phones.call(desk.number, tone=660)
    again.wait_answered()
    talk_for_a_second(hotline, again, phone.wait_rung(len(phone.calls) + (phone.call is None)), 660)
    again.hang_up()
    assert "open=0 holes=0 doubles=0" in hotline.command("journal", "verify")


def still_talking(hotline, caller, leg):
    """From now on, both hear each other's tone for a second and more."""
    here, there = caller.media.now(), leg.media.now()
    hotline.until(lambda: heard.tone_seconds(caller.heard(here), 1000) > 1, 5, "the caller to hear the agent")
    hotline.until(lambda: heard.tone_seconds(leg.heard(there), 440) > 1, 5, "the agent to hear the caller")


def test_an_appliance_that_dies_does_not_part_those_who_talk(hotline, phones):
    desk = hotline.desk()
    phone = at_work(hotline, phones, desk.agents[0])
    talking = phones.call(desk.number, tone=440)
    leg = phone.wait_rung()
    talk_for_a_second(hotline, talking, leg, 440)
    hotline.kill_appliance()
    try:
        still_talking(hotline, talking, leg)
    finally:
        hotline.start_appliance()
    still_talking(hotline, talking, leg)
    leg.hang_up()
    talking.hang_up()
    hotline.until_idle()
    call = hotline.call_of(talking.caller)
    hotline.until(lambda: hotline.records(type="CallEnded", call=call), 10, "the call to end in the journal")
    assert "open=0 holes=0 doubles=0" in hotline.command("journal", "verify")


def test_without_the_appliance_a_caller_hears_music_and_a_word_and_is_served_when_it_is_back(hotline, phones):
    hotline.stop_appliance()
    try:
        caller = phones.call("1000")
        caller.wait_answered(15)
        caller.wait_for_sound(lasting=1)
        caller.media.wait_until(lambda: caller.media.now() > caller.answered_at + 8, 15)
        assert heard.longest_silence(caller.heard()) < 2.0
    finally:
        hotline.start_appliance()
    caller.wait_for(hotline.opening("welcome"), within=60)
    caller.hang_up()
