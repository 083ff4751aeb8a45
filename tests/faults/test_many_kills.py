"""Killed again and again at moments that a seed chooses, under a crowd of callers: every call has exactly one end.

HOTLINE_KILLS says how often (``make soak``: 1,000 in all), HOTLINE_SEED from which seed on.
"""

import os
import random
import time

import pytest

from journal.reader import verify
from tests.faults.crowd import Crowd
from tests.live import heard

pytestmark = pytest.mark.live

KILLS = int(os.environ.get("HOTLINE_KILLS", "30")) // 2  # on each of the two switches
SEED = int(os.environ.get("HOTLINE_SEED", "1"))
CROWD = [("7000", 3.0), ("2030", 6.0), ("2030", 15.0)]  # the number, and how long they listen: menus and queues
PER_SECOND = 1.5
AGENT, DESK, NUMBER = "3030", "desk-30", "2030"


def test_every_call_has_one_end_however_often_it_is_killed(hotline, phones, tmp_path):
    dice = random.Random(SEED)
    phone = hotline.agent(phones, AGENT)
    hotline.set_agent(AGENT, "Ready")
    talker = phones.call(NUMBER, tone=440)
    leg = phone.wait_rung()
    leg.wait_for_tone(440, within=20)
    waiter = phones.call(NUMBER)
    waiter.wait_answered()
    call = hotline.call_of(waiter.caller)
    hotline.until(lambda: call in hotline.queue(DESK), 15, "the first to wait")
    waiter.wait_for_sound()
    crowds = [
        Crowd(hotline.switch.trunk, tmp_path / str(n), numbers=[number], listens=listens, per_second=PER_SECOND, seed=n)
        for n, (number, listens) in enumerate(CROWD)
    ]
    since, music = talker.media.now(), waiter.media.now()
    lives = []
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.0, 1.5))  # the moment that the seed has chosen
        hotline.kill_appliance()
        began = time.monotonic()
        hotline.start_appliance()
        lives.append(time.monotonic() - began)
        hotline.until(lambda: hotline.queue(DESK)[:1] == [call], 10, "the first to wait to have its place")
    talked, waited = talker.media.now(), waiter.media.now()
    assert [crowd.leave(90) for crowd in crowds] == [0, 0, 0], "a caller was refused or let down; see the crowd's logs"

    # Those who talk heard each other all the time, and one agent talked with one caller.
    share = heard.tone_seconds(talker.heard(since, talked), 1000) / (talked - since)
    assert share > 0.9, f"the agent was heard {share:.0%} of the time"
    assert len(phone.calls) == 1
    silence = heard.longest_silence(waiter.heard(music, waited))
    leg.hang_up()
    talker.wait_for(hotline.prompt("goodbye"), within=20)
    talker.wait_ended()
    waiter.hang_up()
    hotline.until_idle(60)

    verdict = verify(hotline.config.data_dir / "journal")
    print(
        f"{hotline.kind}: {KILLS} kills, {verdict.calls} calls, {verdict.ended} ended, {verdict.open} open, "
        f"{verdict.doubles} doubles; ready after {sorted(lives)[len(lives) // 2]:.1f} s (longest {max(lives):.1f}); "
        f"talk heard {share:.1%}; longest silence of who waited {silence * 1000:.0f} ms"
    )
    assert (verdict.holes, verdict.doubles, verdict.open) == (0, 0, 0)
    assert hotline.agent_state(AGENT) in {"Ready", "WorkingAfterCall"}
    arrived = {record["call"] for record in hotline.records(type="CallArrived")}
    ended = [record["call"] for record in hotline.records(type="CallEnded")]
    assert sorted(ended) == sorted(arrived)
