"""Killed with callers in every situation, on the real switches: judged by journal, switch and what they heard."""

import time

import pytest

from tests.live import heard, rtp

pytestmark = pytest.mark.live

NUMBER, QUEUE = "7000", "desk-31"
AGENTS = ("3031", "4031")


def arrives(hotline, phones, keys="", **more):
    """A caller who has chosen from the first menu; its telephone and its call."""
    caller = phones.call(NUMBER, **more)
    caller.wait_answered()
    call = hotline.call_of(caller.caller)
    hotline.until(lambda: at_step(hotline, call, "choose"), 5, f"{caller} to hear the menu")
    caller.press(keys)
    return caller, call


def at_step(hotline, call, step):
    return any(record["step"] == step for record in hotline.records(type="StepEntered", call=call))


def waits(hotline, phones, **more):
    caller, call = arrives(hotline, phones, "1", **more)
    hotline.until(lambda: call in hotline.queue(QUEUE), 10, f"{caller} to wait")
    return caller, call


def test_killed_with_callers_in_every_situation(hotline, phones):
    busy, free = (hotline.agent(phones, agent) for agent in AGENTS)
    free.answer_after = None
    hotline.set_agent(AGENTS[0], "Ready")
    talker, talk = waits(hotline, phones, tone=440)
    leg = busy.wait_rung()
    leg.wait_for_tone(440, within=15)
    first, first_call = waits(hotline, phones, tone=660)
    second, second_call = waits(hotline, phones)
    menu, menu_call = arrives(hotline, phones)
    english, english_call = arrives(hotline, phones, "92")
    english.press("2026")
    leaver, leaver_call = arrives(hotline, phones, "3", tone=880)
    complainer, complaint = arrives(hotline, phones, "4")
    hotline.until(lambda: hotline.records(type="MessageBegun", call=leaver_call), 20, "the beep")
    hotline.until(lambda: at_step(hotline, complaint, "told-ticket"), 10, "the complaint to be filed")
    hotline.set_agent(AGENTS[1], "Ready")
    free.wait_rung()
    time.sleep(1)

    killed = {caller: caller.media.now() for caller in (talker, second, menu, english, leaver, complainer)}
    at_leg = leg.media.now()
    hotline.kill_appliance()
    began = time.monotonic()
    hotline.start_appliance()
    ready = time.monotonic() - began
    print("ready after", round(ready, 2))

    # Whoever waits has its place, and the queue is served.
    hotline.until(lambda: hotline.queue(QUEUE)[:2] == [first_call, second_call], 5, "both to have their places")
    free.wait_rung(2, within=10)
    print("rung again after", round(time.monotonic() - began, 2))
    free.calls[1].answer()
    free.calls[1].wait_for_tone(660, within=15)
    assert free.calls[0].ended
    music = second.heard(killed[second])
    print("longest silence while waiting", heard.longest_silence(music))

    # Those who talk have noticed nothing.
    now = talker.media.now()
    print("talk:", heard.tone_seconds(talker.heard(killed[talker]), 1000), "of", now - killed[talker])
    print("talk, agent:", heard.tone_seconds(leg.heard(at_leg), 440))
    leg.hang_up()
    talker.wait_for(hotline.prompt("goodbye"), within=15)
    talker.wait_ended()
    busy.wait_rung(2, within=15)  # wrapped up, and the next one's turn

    # A short sorry, and on from there.
    menu.wait_for(hotline.prompt("sorry-interrupted"), since=killed[menu])
    english.wait_for(hotline.prompt("sorry-interrupted", "en"), since=killed[english])
    english.wait_for(hotline.opening("ask-order-number", "en"), within=15, since=killed[english])
    english.press("202611")
    hotline.until(lambda: at_step(hotline, english_call, "told"), 10, "the number to be taken")
    sorry = {"type": "PromptPlayed", "prompt": "sorry-interrupted", "call": complaint}
    hotline.until(lambda: hotline.records(**sorry), 10, "the one with a complaint to hear the sorry")
    assert len(hotline.crm("select 1 from tickets where message = :call", {"call": complaint})) == 1

    # What was said is kept.
    leaver.wait_for(hotline.prompt("sorry-message-kept"), since=killed[leaver])
    [[path, seconds]] = hotline.database("select path, seconds from messages where call = :call", {"call": leaver_call})
    print("message", seconds)
    assert heard.tone_seconds(heard.read_wav(path), 880) > 1

    for caller in (first, second, menu, english, leaver, complainer):
        caller.leave()
    hotline.until_idle()
    calls = {talk, first_call, second_call, menu_call, english_call, leaver_call, complaint}
    ended = [record["call"] for record in hotline.records(type="CallEnded") if record["call"] in calls]
    assert sorted(ended) == sorted(calls)
    assert "open=0 holes=0 doubles=0" in hotline.command("journal", "verify")
    assert heard.tone_seconds(talker.heard(killed[talker], now), 1000) > (now - killed[talker]) * 0.9
    assert heard.longest_silence(music) < 0.5
    assert rtp.RATE
