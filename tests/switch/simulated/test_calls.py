"""Calls on the simulated exchange, in virtual time: what a caller hears and what its keys do."""

from datetime import UTC, datetime

import gevent
import numpy as np
import pytest

from switch.port import ANY, CallEnded, CallId, CannotPlay, CannotRecord, Cause, Key, NotAnswered, Parted, Sound
from switch.shared.clock import VirtualClock
from switch.simulated import Exchange, Phone, SimulatedSwitch
from switch.simulated.audio import write_wav


class World:
    """An exchange whose calls are answered by one function of the test."""

    def __init__(self, tmp_path):
        self.clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
        self.exchange = Exchange(self.clock, music=tmp_path)
        self.switch = SimulatedSwitch(self.exchange)
        self.prompt = Sound(tmp_path / "two-seconds.wav", "two seconds")
        write_wav(self.prompt.path, np.zeros(16_000))
        self.returned = []

    def call(self, flow):
        def on_call(call):
            try:
                self.returned.append(flow(call))
            except CallEnded as ended:
                self.returned.append(ended.cause)

        self.switch.serve(on_call)
        return self.exchange.ring_in("1000", "13800000001")

    def pass_time(self, seconds):
        end = self.clock.now() + seconds * 1000
        with self.clock.after(seconds, lambda: None):
            self.clock.run_until(lambda: self.clock.now() >= end, longest=seconds)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_prompt_is_heard_to_its_end(world):
    line = world.call(lambda call: (call.answer(), call.play([world.prompt])))
    world.pass_time(3)
    assert [(heard.text, heard.at, heard.until, heard.cut) for heard in line.heard] == [("two seconds", 0, 2000, False)]


def test_a_key_cuts_in_and_is_there_for_wait(world):
    line = world.call(lambda call: (call.play([world.prompt, world.prompt], stop_on=ANY), call.wait(0), call.wait(0)))
    world.pass_time(0.5)
    line.press("7")
    world.pass_time(1)
    assert world.returned == [(Key("7"), Key("7"), None)]
    assert [(heard.until, heard.cut) for heard in line.heard] == [(500, True)]


def test_type_ahead_skips_the_prompt_and_keeps_its_order(world):
    def flow(call):
        world.clock.sleep(1)
        return call.play([world.prompt], stop_on=ANY), call.wait(0), call.wait(0), call.wait(0)

    line = world.call(flow)
    line.press("1")
    line.press("2")
    world.pass_time(3)
    assert world.returned == [(Key("1"), Key("1"), Key("2"), None)]
    assert line.heard == []


def test_a_key_that_does_not_stop_is_kept(world):
    line = world.call(lambda call: (call.play([world.prompt], stop_on=frozenset("#")), call.wait(0)))
    world.pass_time(0.5)
    line.press("5")
    world.pass_time(3)
    assert world.returned == [(None, Key("5"))]
    assert not line.heard[0].cut


def test_a_hang_up_raises_wherever_the_call_waits_and_wins_over_keys(world):
    def flow(call):
        world.clock.sleep(1)
        return call.wait(None)

    line = world.call(flow)
    line.press("1")
    line.hang_up()
    world.pass_time(2)
    assert world.returned == [Cause.NORMAL]
    assert world.exchange.lines == {}


def test_a_missing_file_cannot_be_played(world, tmp_path):
    def flow(call):
        with pytest.raises(CannotPlay):
            call.play([Sound(tmp_path / "missing.wav")])
        return "went on"

    world.call(flow)
    world.pass_time(1)
    assert world.returned == ["went on"]


def test_a_recording_ends_by_silence_after_the_speech(world, tmp_path):
    line = world.call(lambda call: call.record(tmp_path / "m.wav", longest=60, silence=3, stop_on=frozenset("#")))
    world.pass_time(0.5)
    line.speak(4)
    world.pass_time(10)
    [recording] = world.returned
    assert (recording.ended, recording.seconds) == ("silence", 7.5)


def test_a_recording_ends_by_its_key_which_is_consumed(world, tmp_path):
    def flow(call):
        return call.record(tmp_path / "m.wav", longest=60, silence=30, stop_on=frozenset("#")), call.wait(0)

    line = world.call(flow)
    world.pass_time(2)
    line.press("#")
    world.pass_time(1)
    assert (world.returned[0][0].ended, world.returned[0][0].seconds, world.returned[0][1]) == ("key", 2.0, None)


def test_a_hang_up_leaves_what_was_recorded(world, tmp_path):
    line = world.call(lambda call: call.record(tmp_path / "m.wav", longest=60, silence=30, stop_on=frozenset("#")))
    line.speak(2)
    world.pass_time(2)
    line.hang_up()
    world.pass_time(1)
    assert world.returned == [Cause.NORMAL]
    assert (tmp_path / "m.wav").stat().st_size == 44 + 2 * 16_000


def test_a_full_disk_cannot_record_and_leaves_no_file(world, tmp_path):
    def flow(call):
        with pytest.raises(CannotRecord):
            call.record(tmp_path / "m.wav", longest=60, silence=3, stop_on=ANY)

    world.exchange.disk_full = True
    world.call(flow)
    world.pass_time(1)
    assert not (tmp_path / "m.wav").exists()


@pytest.mark.parametrize(
    ("phone", "cause"),
    [
        (None, Cause.UNREACHABLE),
        (Phone("1001", registered=False), Cause.UNREACHABLE),
        (Phone("1001", refuses=Cause.BUSY), Cause.BUSY),
        (Phone("1001"), Cause.NO_ANSWER),
    ],
)
def test_a_dialled_leg_says_why_it_was_not_answered(world, phone, cause):
    if phone:
        world.exchange.phones["1001"] = phone
    leg = world.switch.dial("1001", call_id=CallId("leg"), caller="1", ring_for=15)
    waiting = gevent.spawn(leg.answered)
    world.pass_time(20)
    with pytest.raises(NotAnswered) as caught:
        waiting.get(block=False)
    assert caught.value.cause is cause


def test_joined_legs_part_when_one_leaves_and_the_other_goes_on(world):
    world.exchange.phones["1001"] = Phone("1001", answers_after=2, talks_for=5, says="the agent")

    def flow(call):
        leg = world.switch.dial("1001", call_id=CallId("leg"), caller="1", ring_for=15)
        leg.answered()
        call.join(leg)
        return call.wait(None), call.play([world.prompt])

    line = world.call(flow)
    world.pass_time(20)
    assert world.returned == [(Parted(), None)]
    assert [(heard.kind, heard.text, heard.at, heard.until) for heard in line.heard] == [
        ("voice", "the agent", 2000, 7000),
        ("sound", "two seconds", 7000, 9000),
    ]


def test_a_newer_controller_takes_the_call_and_the_loser_lets_go(world):
    line = world.call(lambda call: (call.remember("place", "é\n1"), call.hold("calm"), call.wait(None)))
    world.pass_time(1)
    adopted = SimulatedSwitch(world.exchange).adopt(line.id)
    world.pass_time(1)
    assert world.returned == [Cause.SUPERSEDED]
    assert adopted.remembered == {"place": "é\n1"}
    assert line.ended is None
    assert world.switch.calls()[line.id].remembered == {"place": "é\n1"}


def test_a_lost_switch_ends_every_call(world):
    line = world.call(lambda call: call.wait(None))
    world.pass_time(1)
    world.exchange.lose()
    world.pass_time(1)
    assert world.returned == [Cause.SWITCH_LOST]
    assert line.ended is Cause.SWITCH_LOST
    assert not world.switch.connected
