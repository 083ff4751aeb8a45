"""Killed with callers in every situation, on the real switches: judged by journal, switch and what they heard."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.faults.situations import arrives, at_step, ended_once, waits
from tests.live import heard
from tests.live.hotline import STRUCK

pytestmark = pytest.mark.live

TALKER, RUNG, WHISPERED, WRAPPING = "5011", "5012", "5013", "5014"  # the agents of the queue STRUCK
SERVED_WITHIN = 5.0  # seconds from `ready` until the queue is served again
LONGEST_GAP = 0.5  # seconds of silence for who waits; the aim is 0.1, see docs/reliability.md
HEARD = 0.9  # of a talk, at least: what is shorter than a window of the ear is not counted


def test_those_who_wait_and_their_agents(hotline, phones):
    talks, rings, whispers, wraps = (hotline.agent(phones, agent) for agent in (TALKER, RUNG, WHISPERED, WRAPPING))
    rings.answer_after = None
    served, served_call = waits(hotline, phones, "6", STRUCK, tone=440)
    hotline.set_agent(WRAPPING, "Ready")
    wraps.wait_rung().wait_for_tone(440, within=15)
    wraps.calls[0].hang_up()
    talker, talk = waits(hotline, phones, "6", STRUCK, tone=440)
    hotline.set_agent(TALKER, "Ready")
    leg = talks.wait_rung()
    leg.wait_for_tone(440, within=15)
    people = [waits(hotline, phones, "6", STRUCK, tone=tone) for tone in (550, 660, 770)]
    first, second, third = (call for _, call in people)
    hotline.set_agent(RUNG, "Ready")
    rings.wait_rung()
    hotline.set_agent(WHISPERED, "Ready")
    whispers.wait_rung().wait_answered()
    whispers.calls[0].wait_for_sound()

    killed = {caller: caller.media.now() for caller in (talker, *(person for person, _ in people))}
    at_leg = leg.media.now()
    hotline.kill_appliance()
    answered = [record["offer"] for record in hotline.records(type="OfferAnswered")]
    [offer] = [record["offer"] for record in hotline.records(type="OfferCall", call=second)]
    assert offer not in answered, "it was not killed during the whisper"
    hotline.start_appliance()

    # Whoever waits has its place, the queue is served, and nobody is offered to two.
    places = [first, second, third]
    hotline.until(lambda: hotline.queue(STRUCK) == places, SERVED_WITHIN, "those who wait to have their places")
    assert hotline.agent_state(WRAPPING) == "WorkingAfterCall"
    assert hotline.agent_state(TALKER) == "Busy"
    again = [rings.wait_rung(2, within=SERVED_WITHIN), whispers.wait_rung(2, within=SERVED_WITHIN)]
    assert rings.calls[0].wait_ended()
    assert whispers.calls[0].wait_ended()
    if rings.calls[1].answered_at is None:
        rings.calls[1].answer()
    for tone in (550, 660):
        hotline.until(
            lambda tone=tone: any(heard.tones(each.heard(), tone) for each in again), 20, f"{tone} Hz to be connected"
        )
    assert [len(hotline.records(type="CallConnected", call=call)) for call in places] == [1, 1, 0]
    waiter = people[2][0]
    gap = heard.longest_silence(waiter.heard(killed[waiter]))

    # Those who talk have noticed nothing, and are watched: their talk is wrapped up, and the flow goes on.
    shares = [share(talker, 1000, killed[talker]), share(leg, 440, at_leg)]
    print(f"{hotline.kind}: gap {gap * 1000:.0f} ms, of the talk heard {shares[0]:.1%} and {shares[1]:.1%}")
    assert gap < LONGEST_GAP
    assert min(shares) > HEARD
    leg.hang_up()
    talker.wait_for(hotline.prompt("goodbye"), within=15)
    talker.wait_ended()
    hotline.until_agent(TALKER, "WorkingAfterCall")
    assert len(hotline.records(type="FlowEnded", call=talk)) == 1

    for caller, _ in people:
        caller.leave()
    served.wait_ended()
    hotline.until_idle()
    ended_once(hotline, {served_call, talk, first, second, third})


def share(end, tone, since):
    """How much of the time since then this end heard the other's tone."""
    now = end.media.now()
    return heard.tone_seconds(end.heard(since, now), tone) / (now - since)


def test_those_in_the_middle_of_their_flow(hotline, phones):
    menu, menu_call = arrives(hotline, phones)
    english, english_call = arrives(hotline, phones, "92")
    english.press("2026")
    secret, secret_call = arrives(hotline, phones, "5")
    secret.press("12")
    leaver, leaver_call = arrives(hotline, phones, "3", tone=880)
    told, told_call = arrives(hotline, phones, "4")
    hotline.until(lambda: at_step(hotline, told_call, "told-ticket"), 10, "the complaint to be filed")
    hotline.until(lambda: hotline.records(type="MessageBegun", call=leaver_call), 20, "the beep")
    hotline.until(lambda: at_step(hotline, secret_call, "pin"), 10, "the PIN to be asked for")
    filing, filing_call = arrives(hotline, phones)
    time.sleep(2)  # of the message
    with closing(sqlite3.connect(hotline.config.crm.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("begin exclusive")  # so that the save is under way
        filing.press("4")
        hotline.until(lambda: hotline.records(type="DeedBegun", call=filing_call), 5, "the save to begin")
        callers = (menu, english, secret, leaver, told, filing)
        killed = {caller: caller.media.now() for caller in callers}
        hotline.kill_appliance()
        other.execute("rollback")
    assert hotline.records(type="DeedDone", call=filing_call) == []
    hotline.start_appliance()

    # A short sorry, and on from there, in the caller's language.
    menu.wait_for(hotline.prompt("sorry-interrupted"), since=killed[menu])
    english.wait_for(hotline.prompt("sorry-interrupted", "en"), since=killed[english])
    english.wait_for(hotline.opening("ask-order-number", "en"), within=15, since=killed[english])
    english.press("202611")
    hotline.until(lambda: at_step(hotline, english_call, "told"), 10, "the number to be taken")

    # What was keyed in confidence was never written down: it is asked for again.
    secret.wait_for(hotline.opening("ask-order-number"), within=15, since=killed[secret])
    secret.press("9876")
    hotline.until(lambda: at_step(hotline, secret_call, "known"), 10, "the PIN to be taken")
    assert not [record for record in hotline.records(call=secret_call) if "9876" in str(record)]

    # What was written was written once.
    for caller, call in ((told, told_call), (filing, filing_call)):
        hotline.until(lambda call=call: at_step(hotline, call, "told-ticket"), 10, f"{caller} to be told")
        assert len(hotline.crm("select 1 from tickets where message = :call", {"call": call})) == 1

    # What was said is kept.
    leaver.wait_for(hotline.prompt("sorry-message-kept"), since=killed[leaver])
    [[path]] = hotline.database("select path from messages where call = :call", {"call": leaver_call})
    assert heard.tone_seconds(heard.read_wav(path), 880) > 1

    for caller in callers:
        caller.leave()
    hotline.until_idle()
    ended_once(hotline, {menu_call, english_call, secret_call, leaver_call, told_call, filing_call})
