"""The process stands still for seconds, or both sides die at once: nobody is lost, every end is written once."""

import time

import pytest

from tests.faults.situations import ended_once, waits

pytestmark = pytest.mark.live

FROZEN = (4.0, 8.0, 15.0)  # seconds: within every deadline, beyond those of 5 s, beyond the patience with a connection
AGENT = "3031"


@pytest.mark.parametrize("seconds", FROZEN)
def test_a_process_that_stands_still_for_seconds_goes_on_where_it_was(hotline, phones, seconds):
    phone = hotline.agent(phones, AGENT)
    hotline.set_agent(AGENT, "Ready")
    talker, talk = waits(hotline, phones, tone=440)
    leg = phone.wait_rung()
    leg.wait_for_tone(440, within=20)
    waiter, call = waits(hotline, phones, tone=660)
    hotline.freeze_appliance()
    time.sleep(seconds)  # the fault itself
    leg.leave()
    hotline.thaw_appliance()
    phone.wait_rung(2, within=15).wait_for_tone(660, within=15)
    assert len(hotline.records(type="CallConnected", call=call)) == 1
    talker.wait_for(hotline.prompt("goodbye"), within=20)
    waiter.leave()
    hotline.until_idle()
    ended_once(hotline, {talk, call})


def test_both_sides_die_at_once_and_come_back(hotline, phones):
    _, call = waits(hotline, phones)
    hotline.switch.kill()
    hotline.kill_appliance()
    hotline.switch.start()
    hotline.start_appliance()
    hotline.until(lambda: hotline.records(type="CallEnded", call=call), 10, "the call to be over")
    assert hotline.status()["calls"] == []
    again, later = waits(hotline, phones)
    again.hang_up()
    hotline.until_idle()
    ended_once(hotline, {call, later})
