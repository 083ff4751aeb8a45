"""The real process against a small exchange over real sockets, killed where a seed says: nothing is lost or done twice.

HOTLINE_KILLS says how often (``make soak``: 1,000 in all), HOTLINE_SEED from which seed on.
"""

import os
import random
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager

import pytest

from journal.reader import verify
from tests.faults.simulated import AGENTS, NUMBER, QUEUE, SEED, Crowd, Simulated
from tests.faults.standstill import first_thread_stands_still
from tests.live.hotline import Hotline

KILLS = int(os.environ.get("HOTLINE_KILLS", "10"))
SHORT = 2  # seconds, of which a message may be too short to be kept


@pytest.fixture
def hotline(tmp_path):
    hotline = Hotline("asterisk", tmp_path / "hotline", Simulated)
    hotline.start()
    yield hotline
    hotline.close()


def test_every_call_has_one_end_however_often_it_is_killed(hotline):
    dice = random.Random(SEED)
    exchange = hotline.switch.exchange
    for agent in AGENTS:
        hotline.set_agent(agent, "Ready")
    crowd = Crowd(exchange, NUMBER, every=0.4, patience=(3, 15))
    hotline.switch.do(crowd.run)
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.0, 3.0))  # the moment that the seed has chosen
        before = hotline.queue(QUEUE)
        hotline.kill_appliance()
        hotline.start_appliance()
        hotline.until(lambda before=before: not missing(hotline, before), 10, "who waited to wait again")
        after = hotline.queue(QUEUE)
        kept = [call for call in before if call in after]
        assert [call for call in after if call in before] == kept, "who waited has lost its place"
    exchange.calling = False
    hotline.until_idle(60)

    verdict = verify(hotline.config.data_dir / "journal")
    came = {channel.id for channel in exchange.came}
    messages, begun = (len(hotline.records(type=kind)) for kind in ("MessageKept", "MessageBegun"))
    print(
        f"{KILLS} kills, {len(came)} callers, {verdict.calls} calls, {verdict.ended} ended, {exchange.talks} talks, "
        f"{exchange.rung} times rung, {messages} messages of {begun} begun, {tickets(hotline)} tickets"
    )
    assert exchange.wrongs == []
    assert (verdict.holes, verdict.doubles, verdict.open) == (0, 0, 0)
    arrived = {record["call"] for record in hotline.records(type="CallArrived")}
    assert arrived <= came
    assert sorted(record["call"] for record in hotline.records(type="CallEnded")) == sorted(arrived)
    assert {hotline.agent_state(agent) for agent in AGENTS} <= {"Ready", "WorkingAfterCall"}
    assert exchange.stored == {}, "recordings that nobody fetched"
    assert messages >= sum(seconds > SHORT for seconds in exchange.taped), "a message was lost"
    done = {record["call"] for record in hotline.records(type="DeedDone")}
    filed = [row[0] for row in hotline.crm("select message from tickets")]
    assert len(filed) == len(set(filed)), "a complaint was filed twice"
    assert done <= set(filed), "a complaint was not filed"


def missing(hotline, before):
    """Who waited before, has neither left nor talked, and does not wait now."""
    now, living = hotline.queue(QUEUE), hotline.switch.exchange.channels
    return [call for call in before if call not in now and call in living and not living[call].talked]


def tickets(hotline):
    return hotline.crm("select count(*) from tickets")[0][0]


def complains(hotline):
    """A caller who asks for a ticket, which takes a moment; its call."""
    exchange = hotline.switch.exchange
    count = len(exchange.came)
    hotline.switch.do(exchange.call, NUMBER)
    hotline.until(lambda: len(exchange.came) > count and exchange.came[-1].heard, 10, "the caller to hear the menu")
    caller = exchange.came[-1]
    hotline.switch.do(exchange.press, caller, "4")
    return caller


def rows(hotline, caller):
    return hotline.crm("select count(*) from tickets where message = :call", {"call": caller.id})[0][0]


def goes_on(hotline, caller):
    """The caller is told of its ticket, of which there is one."""
    told = {"type": "StepEntered", "call": caller.id, "step": "told-ticket"}
    hotline.until(lambda: hotline.records(**told), 15, "the ticket to be told")
    assert rows(hotline, caller) == 1
    hotline.switch.do(hotline.switch.exchange.hang_up, caller)
    hotline.until(lambda: hotline.records(type="CallEnded", call=caller.id), 10, "the call to end")


@contextmanager
def held_up(hotline):
    """The CRM takes no ticket inside."""
    crm = hotline.config.crm.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(crm, isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield
        other.execute("rollback")


def pid(hotline):
    return int((hotline.config.run_dir / "hotline.pid").read_text())


def begins_to_save(hotline):
    caller = complains(hotline)
    hotline.until(lambda: hotline.records(type="DeedBegun", call=caller.id), 10, "the save to begin")
    return caller


def test_a_save_that_was_under_way_at_the_kill_is_done_once(hotline):
    with held_up(hotline):
        caller = begins_to_save(hotline)
        hotline.kill_appliance()
    assert rows(hotline, caller) == 0
    hotline.start_appliance()
    goes_on(hotline, caller)


def test_a_save_that_was_done_at_the_kill_is_not_done_again(hotline):
    """The thread that saves goes on while the one that would write it down stands still: so the moment is met."""
    with ExitStack() as still:
        with held_up(hotline):
            caller = begins_to_save(hotline)
            still.enter_context(first_thread_stands_still(pid(hotline)))
        hotline.until(lambda: rows(hotline, caller), 10, "the row to be there")
        hotline.kill_appliance()
    assert hotline.records(type="DeedDone", call=caller.id) == []
    hotline.start_appliance()
    goes_on(hotline, caller)
    assert tickets(hotline) == 1
