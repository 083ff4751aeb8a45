"""What the journal says is under way, kept up or read: the same either way, and no time of day moves it."""

import json
import os
import threading
from datetime import timedelta

import gevent
import pytest

from config.document import parse
from ivr.language.reader import read
from ivr.state import State, replayed
from journal import writer
from journal.writer import Journal, plain
from runtime.standing import AgentStood, OpenOffer, Standing, Waited, new_life, read_standing
from switch.shared.clock import VirtualClock
from tests.runtime.test_house import OPEN


class Machine(VirtualClock):
    """A clock whose time of day somebody sets."""

    def __init__(self):
        super().__init__(OPEN)
        self.set_by = timedelta()

    def wall(self):
        return super().wall() + self.set_by


@pytest.fixture
def clock():
    return Machine()


class Life:
    """One process: its journal, and what it makes of it."""

    def __init__(self, directory, clock, boot="this boot", epoch=1):
        self.directory, self.clock = directory, clock
        self.standing = read_standing(directory)
        self.journal = Journal(directory, clock, self.standing)
        self.journal.append("ApplianceStarted", boot=boot, now=clock.now(), epoch=epoch)

    def call(self, type, **facts):
        self.journal.append(type, "c1", **facts)

    def arrives(self):
        self.call("CallArrived", caller="138", caller_name="", dialled="1000", flow="hotline", version=1)

    def queues(self, **facts):
        self.call("CallQueued", queue="service", priority=2, skills=("cmn",), **facts)

    def acd(self, *entries):
        self.journal.append_all([(type, facts.pop("call", ""), facts) for type, facts in entries])

    def ends(self):
        """Killed: and what the next one reads is what this one knew."""
        self.journal.close()
        read = read_standing(self.directory)
        assert (
            Standing.restored(json.loads(json.dumps(self.standing.stored(), default=plain))).stored() == read.stored()
        )
        return read


@pytest.fixture
def life(tmp_path, clock):
    return Life(tmp_path, clock)


def pass_time(clock, seconds):
    clock.run_until(lambda: False, longest=seconds)


WRITTEN = """
number: "1000"
languages: [cmn, en]
start: ask
steps:
  ask: {collect: {say: x, into: order}, next: pin, otherwise: end}
  pin: {collect: {say: x, into: code, sensitive: true}, next: main, otherwise: end}
  main: {menu: {say: x, options: {"1": ask}}, otherwise: end}
  end: {hangup: {}}
"""
FLOW = read(parse(WRITTEN, "flows/hotline.yaml")[0]).flow()


def test_a_call_stands_at_its_step_with_what_it_has_said_so_far(life):
    life.arrives()
    life.call("CallAnswered")
    life.call("StepEntered", step="ask", visit=1)
    life.call("StepLeft", step="ask", exit="next", language="en", set={"order": "202611"})
    life.call("StepEntered", step="pin", visit=2, spent=7.5)
    life.call("StepLeft", step="pin", exit="next", language="en", set={}, hidden=["code"])
    life.call("StepEntered", step="main", visit=3, spent=12.0)
    call = life.ends().calls["c1"]
    assert (call.caller, call.dialled, call.flow, call.answered, call.spent) == ("138", "1000", "hotline", True, 12.0)
    assert call.hidden == {"": {"code": "pin"}}
    assert replayed(call.told, FLOW) == State("main", "en", {"order": "202611"}, visit=3)


def test_what_was_done_in_the_visit_that_goes_on_is_not_forgotten(life):
    life.arrives()
    life.call("StepEntered", step="ask", visit=1)
    life.call("DeedBegun", key="c1:1")
    life.call("DeedDone", key="c1:1", result={"map": {"number": 7}})
    life.call("StepEntered", step="ask", visit=1)
    deed = replayed(life.ends().calls["c1"].told, FLOW).deed
    assert (deed.key, deed.done, deed.result) == ("c1:1", True, {"number": 7})


def test_what_is_kept_of_a_long_call_does_not_grow(life):
    life.arrives()
    for visit in range(1, 200):
        step = "ask" if visit % 2 else "main"
        life.call("StepEntered", step=step, visit=visit)
        life.call("StepLeft", step=step, exit="next", language="cmn", set={f"v{visit % 5}": visit})
    call = life.ends().calls["c1"]
    assert len(call.told) < 5
    assert replayed(call.told, FLOW).variables == {"v0": 195, "v1": 196, "v2": 197, "v3": 198, "v4": 199}


def test_what_happens_while_a_checkpoint_is_written_stands_once(life, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 2000)
    life.arrives()
    life.call("StepEntered", step="ask", visit=1)
    opening, go_on = threading.Event(), threading.Event()

    def dup2(*files, real=os.dup2):
        opening.set()
        go_on.wait(30)
        return real(*files)

    monkeypatch.setattr(os, "dup2", dup2)
    while not opening.is_set():
        gevent.spawn(life.call, "KeyPressed", key="1")
        gevent.sleep(0.001)
    late = gevent.spawn(life.call, "StepLeft", step="ask", exit="next", language="en", set={"order": "202611"})
    gevent.sleep(0)
    go_on.set()
    late.join()
    assert list(life.directory.glob("*.checkpoint"))
    assert len(life.ends().calls["c1"].told) == 2


def test_a_call_that_ended_stands_nowhere(life):
    life.arrives()
    life.call("CallEnded", cause="normal")
    assert life.ends().calls == {}


def test_a_caller_keeps_its_place_in_the_clock_that_never_goes_back(life, clock):
    life.arrives()
    pass_time(clock, 30)
    life.queues(arrived=None, entered=None)
    pass_time(clock, 10)
    life.call("MoveCall", queue="experts")
    place = life.ends().calls["c1"].place
    assert place == Waited("experts", 2, ("cmn",), arrived=30_000, entered=40_000)


def test_what_a_caller_was_told_of_its_place_is_known_to_the_next_life(life):
    life.arrives()
    life.queues(arrived=None, entered=None)
    life.call("Announce", position=3, wait=90.0)
    life.call("Announce", position=None, wait=40.0)  # the place had not changed
    place = life.ends().calls["c1"].place
    assert (place.told_position, place.told_wait) == (3, 40.0)


def test_a_time_of_day_that_is_set_moves_no_wait(life, clock):
    life.arrives()
    pass_time(clock, 30)
    clock.set_by = timedelta(hours=-2)
    life.queues(arrived=None, entered=None)
    pass_time(clock, 1)
    clock.set_by = timedelta(hours=5)
    life.acd(("AgentStateChanged", {"agent": "1001", "state": "Ready", "reason": ""}))
    stands = life.ends()
    assert stands.calls["c1"].place.arrived == 30_000
    assert stands.agents["1001"].since == 31_000
    clock.set_by = timedelta(days=-3)  # while no appliance runs
    again = Life(life.directory, clock).ends()
    assert again.calls["c1"].place.arrived == 30_000


def test_after_a_reboot_times_move_to_the_new_clock(life, clock, tmp_path):
    life.arrives()
    pass_time(clock, 100)
    life.queues(arrived=None, entered=None)
    life.ends()
    rebooted = Machine()
    rebooted.set_by = timedelta(seconds=160)  # a minute after the call was queued, by the time of day
    assert Life(tmp_path, rebooted, boot="another").ends().calls["c1"].place.arrived == -60_000


def test_every_life_has_a_greater_epoch_than_the_one_before_though_the_clock_was_set_back(tmp_path, clock):
    first = new_life(tmp_path, clock.wall())
    assert first.epoch == int(OPEN.timestamp() * 1000)
    Life(tmp_path, clock, epoch=first.epoch).ends()
    clock.set_by = timedelta(days=-3)
    second = new_life(tmp_path, clock.wall())
    assert second.epoch == first.epoch + 1
    Life(tmp_path, clock, epoch=second.epoch).ends()
    clock.set_by = timedelta(days=1)
    assert new_life(tmp_path, clock.wall()).epoch == first.epoch + 86_400_000


@pytest.mark.parametrize(
    ("record", "over"),
    [
        (("EndWait", {"queue": "service", "exit": "overflowed"}), "overflowed"),
        (("CallLeft", {}), "left"),
        (("CallLeft", {"reason": "agent gone"}), "answered"),
        (("CallAbandoned", {}), ""),
    ],
)
def test_a_wait_that_is_over_is_not_begun_again(life, record, over):
    life.arrives()
    life.queues(arrived=None, entered=None)
    life.call(record[0], **record[1])
    stands = life.ends().calls["c1"]
    assert (stands.place, stands.over) == (None, over)


def test_a_talk_stands_until_it_ends_and_then_the_wrap_up(life, clock):
    life.arrives()
    life.queues(arrived=None, entered=None)
    offer = {"offer": "1-1", "call": "c1"}
    life.acd(("OfferCall", {**offer, "queue": "service", "agent": "1001"}), ("Connect", {**offer, "agent": "1001"}))
    assert life.standing.offers["1-1"].stage == "connecting"
    pass_time(clock, 5)
    life.acd(
        ("CallConnected", {"offer": "1-1", "call": "c1"}),
        ("AgentStateChanged", {"agent": "1001", "state": "Busy", "reason": "", "call": "c1"}),
    )
    assert life.standing.offers == {"1-1": OpenOffer("c1", "service", "1001", "talking", 5000)}
    assert life.standing.calls["c1"].over == "answered"
    pass_time(clock, 60)
    life.acd(
        ("TalkEnded", {"offer": "1-1", "call": "c1"}),
        ("AgentStateChanged", {"agent": "1001", "state": "WorkingAfterCall", "reason": ""}),
    )
    stands = life.ends()
    assert stands.offers == {}
    assert stands.agents == {"1001": AgentStood("WorkingAfterCall", "", "", 65_000, queue="service", offer="1-1")}


def test_a_message_that_is_being_left_is_known_by_its_file(life):
    life.arrives()
    life.call("StepEntered", step="leave", visit=4)
    life.call("MessageBegun", box="service", path="/messages/service/c1-4.wav")
    assert life.standing.calls["c1"].file == "/messages/service/c1-4.wav"
    life.call("MessageKept", box="service", message=7, seconds=3.0)
    assert life.ends().calls["c1"].box == ""
