"""Killed again and again at moments that a seed chooses, under a crowd of callers: every call has exactly one end.

HOTLINE_KILLS says how often (``make soak``: 1,000 in all), HOTLINE_SEED from which seed on.
"""

import os
import random
import statistics
import time

import pytest

from journal.reader import verify
from tests.live import heard

pytestmark = pytest.mark.live

KILLS = int(os.environ.get("HOTLINE_KILLS", "30")) // 2  # on each of the two switches
SEED = int(os.environ.get("HOTLINE_SEED", "1"))
AT_ONCE = 10  # kills with the same talk and the same first to wait, whose queue has a longest wait
CROWD = (["7000"], 3.0), (["2030"], 6.0), (["2030"], 15.0)  # the number, and how long they listen: menus and queues
PER_SECOND = 1.5
AGENT, DESK, NUMBER = "3030", "desk-30", "2030"


def test_every_call_has_one_end_however_often_it_is_killed(hotline, phones, crowds):
    dice = random.Random(SEED)
    phone = hotline.agent(phones, AGENT)
    left, talked, heard_talking, silences, lives = KILLS, 0.0, 0.0, [], []
    while left:
        rounds = -(-left // AT_ONCE)
        kills = -(-left // rounds)
        left -= kills
        moments = [dice.uniform(0.0, 1.5) for _ in range(kills)]
        talk, seconds, silence, took = _a_round(hotline, phones, phone, crowds, moments)
        talked, heard_talking = talked + seconds, heard_talking + talk
        silences.append(silence)
        lives += took
        verdict = verify(hotline.config.data_dir / "journal")
        print(
            f"{hotline.kind}: {KILLS - left} kills, {verdict.calls} calls, {verdict.ended} ended, {verdict.open} open, "
            f"{verdict.doubles} doubles; ready after {statistics.median(lives):.1f} s (longest {max(lives):.1f}); talk "
            f"heard {heard_talking / talked:.1%}; longest silence of who waited {max(silences) * 1000:.0f} ms "
            f"(median of rounds {statistics.median(silences) * 1000:.0f})",
            flush=True,
        )
        assert (verdict.holes, verdict.doubles, verdict.open) == (0, 0, 0)
    arrived = {record["call"] for record in hotline.records(type="CallArrived")}
    ended = [record["call"] for record in hotline.records(type="CallEnded")]
    assert sorted(ended) == sorted(arrived)


def _a_round(hotline, phones, phone, crowds, moments):
    """Killed again after each of these seconds of life, while two talk, one waits and a crowd comes and goes.

    Seconds in which the talk was heard, of how many; the longest silence of who waited; what each start took.
    """
    phone.register()  # anew: FreeSWITCH keeps a registration for five minutes
    hotline.set_agent(AGENT, "Ready")
    rung = len(phone.calls)
    talker = phones.call(NUMBER, tone=440)
    leg = phone.wait_rung(rung + 1)
    leg.wait_for_tone(440, within=20)
    waiter = phones.call(NUMBER)
    waiter.wait_answered()
    call = hotline.call_of(waiter.caller)
    hotline.until(lambda: call in hotline.queue(DESK), 15, "the first to wait")
    waiter.wait_for_sound()
    everybody = crowds(*CROWD, per_second=PER_SECOND, seed=rung * len(CROWD))
    since, music = talker.media.now(), waiter.media.now()
    lives = []
    for moment in moments:
        time.sleep(moment)  # chosen by the seed
        hotline.kill_appliance()
        began = time.monotonic()
        hotline.start_appliance()
        lives.append(time.monotonic() - began)
        hotline.until(lambda: hotline.queue(DESK)[:1] == [call], 10, "the first to wait to have its place")
    talked, waited = talker.media.now(), waiter.media.now()
    assert [crowd.leave(90) for crowd in everybody] == [0, 0, 0], (
        "a caller was refused or let down; see the crowd's logs"
    )

    # Those who talk heard each other all the time, and one agent talked with one caller.
    seconds = heard.tone_seconds(talker.heard(since, talked), 1000)
    assert seconds > 0.9 * (talked - since), f"the agent was heard for {seconds:.0f} of {talked - since:.0f} s"
    assert len(phone.calls) == rung + 1
    silence = heard.longest_silence(waiter.heard(music, waited))
    leg.hang_up()
    talker.wait_for(hotline.prompt("goodbye"), within=20)
    talker.wait_ended()
    waiter.hang_up()
    hotline.until_idle(60)
    assert hotline.agent_state(AGENT) in {"Ready", "WorkingAfterCall"}
    return seconds, talked - since, silence, lives
