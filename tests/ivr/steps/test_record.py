"""record: both directions in one file, announced, and silent wherever something confidential is said or keyed."""

import wave
from unittest.mock import patch

import numpy as np
import pytest

from ivr.services import CannotKeep, TalkRecording
from ivr.session import Interrupted
from switch.port import CannotRecord
from switch.simulated.switch import SimulatedCall
from tests.runtime.test_house import leaves_its_controller

FLOW = """
start: record
steps:
  record: {record: {do: start}, next: hello}
  hello: {say: hello, next: ask}
  ask:
    collect: {say: ask-number, digits: {min: 4, max: 4}, sensitive: true, into: card}
    next: told
    otherwise: end
  told: {say: {cmn: "{{ card | digits }}", en: "{{ card | digits }}"}, next: thanks}
  thanks: {say: bye, next: end}
  end: {hangup: {}}
"""
PAUSED = """
start: record
steps:
  record: {record: {do: start, announce: busy, keep: 30}, next: hello}
  hello: {say: hello, next: pause}
  pause: {record: {do: pause}, next: ask}
  ask: {say: ask, next: go-on}
  go-on: {record: {do: start}, next: bye}
  bye: {say: bye, next: stop}
  stop: {record: {do: stop}, next: again}
  again: {say: hello, next: end}
  end: {hangup: {}}
"""
QUEUE = """
start: queue
steps:
  queue:
    queue: {name: service}
    answered: bye
    overflowed: bye
  bye: {say: bye, next: end}
  end: {hangup: {}}
"""


def sounds(path):
    """For each second of a recording whether anything is on it."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return [bool(np.abs(samples[at : at + 8000]).max() > 300) for at in range(0, len(samples), 8000)]


# --- by a flow -----------------------------------------------------------------------------------


def test_the_caller_is_told_before_the_recording_begins(house):
    caller = house.ring(FLOW).hears("可能录音").hears("你好")
    assert house.tapes.begun[0][1:] == ("test", "", "", None)
    caller.hangs_up()
    [(path, seconds)] = house.tapes.kept
    assert seconds == pytest.approx(0, abs=1)
    assert path.exists()


def test_what_a_sensitive_step_asks_and_hears_is_silence(house):
    caller = house.ring(FLOW).hears("请输入号码").waits(1.0).press("1234")
    caller.hears("一二三四").hears("再见").is_over()
    [(path, _)] = house.tapes.kept
    heard = [one.text for one in caller.line.heard]
    assert heard == ["可能录音", "你好", "请输入号码", "一二三四", "再见"]
    assert sounds(path) == [True, False, False, True]  # the greeting; asked and keyed; read back; goodbye


def test_a_paused_recording_holds_silence_until_it_is_started_again(house):
    house.ring(PAUSED).is_over()
    [(path, seconds)] = house.tapes.kept
    assert house.tapes.begun[0][4] == 30
    assert (sounds(path), seconds) == ([True, False, True], 3.0)
    assert [type for type, _ in house.notes if type.startswith("Rec")] == ["RecordingStarted", "RecordingPaused"]


def test_going_on_after_a_pause_is_not_announced_again(house):
    assert house.ring(PAUSED).is_over().heard.count("占线") == 1


def test_hanging_up_ends_the_recording_and_it_is_kept(house):
    house.ring(FLOW).hears("你好").waits(0.5).hangs_up()
    assert len(house.tapes.kept) == 1


def test_what_cannot_be_recorded_costs_no_call(house):
    house.exchange.disk_full = True
    house.ring(PAUSED).hears("你好").hears("请按键").hears("再见").is_over()
    assert house.tapes.kept == house.tapes.begun == []
    assert house.notes.of("NotRecorded", "reason") == ["no space left on the switch's disk"] * 2


def test_without_a_place_for_the_file_the_talk_is_not_recorded(house):
    def refuse(*_, **__):
        raise CannotKeep("no space left")

    caller = recorded(house).hears("(calm)")
    house.tapes.file_for = refuse
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=2.0), house.queues.recorded)
    caller.hears("(agent)").hears("再见").is_over()
    assert house.notes.of("NotRecorded", "agent", "reason") == [("1001", "no space left")]


def test_a_recording_that_cannot_be_paused_is_ended(house):
    def refuse(to, masked):
        raise CannotRecord("it cannot be masked")

    caller = house.ring(FLOW).hears("你好")
    house.call.mask_recording = refuse
    caller.hears("请输入号码").waits(3.0)
    assert len(house.tapes.kept) == 1
    assert sounds(house.tapes.kept[0][0]) == [True]


def test_a_recording_that_was_ended_because_it_cannot_be_paused_is_remembered_no_more(house):
    def refuse(to, masked):
        raise CannotRecord("there is no such recording")

    caller = house.ring(PAUSED).hears("你好")
    house.call.mask_recording = refuse
    caller.hears("请按键")
    assert house.call.line.remembered["recording"] == ""
    assert "RecordingPaused" not in [type for type, _ in house.notes]


def test_a_call_that_is_taken_over_goes_on_with_its_recording(house):
    caller = house.ring(FLOW).hears("请输入号码")
    tape = house.exchange.lines[house.call.id].tape
    assert tape.masks[-1][1] is None
    assert house.call.line.remembered["recording"] == f"on call {tape.to}"
    house.resumes(FLOW, "thanks")
    caller.hears("再见").is_over()
    assert [path for path, _ in house.tapes.kept] == [tape.to]
    assert sounds(tape.to)[-1]


def test_what_is_to_be_recorded_is_remembered_before_it_begins(house):
    """Whoever takes the call over between the two must know which file to mask."""
    remembered = []
    start = SimulatedCall.start_recording

    def starts(call, to):
        remembered.append(call.line.remembered.get("recording"))
        start(call, to)

    with patch.object(SimulatedCall, "start_recording", starts):
        house.ring(FLOW).hears("你好").hangs_up()
    [(path, _)] = house.tapes.kept
    assert remembered == [f"on call {path}"]


def test_what_could_not_be_begun_is_remembered_no_more(house):
    house.exchange.disk_full = True
    house.ring(FLOW).hears("你好")
    assert house.call.line.remembered["recording"] == ""


def test_a_recorded_talk_whose_call_is_lost_is_left_to_whoever_has_the_call(house):
    caller = recorded(house).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=9.0), house.queues.recorded)
    caller.hears("(agent)")
    path = house.call.line.tape.to
    leaves_its_controller(house.call.line)
    caller.waits(0.1)
    assert (house.tapes.left, house.tapes.kept) == ([path], [])


def test_a_recording_whose_call_is_lost_is_left_to_whoever_has_the_call(house):
    caller = house.ring(FLOW).hears("请输入号码")
    path = house.call.line.tape.to
    leaves_its_controller(house.call.line)
    caller.waits(0.1)
    assert (house.tapes.left, house.tapes.kept) == ([path], [])


# --- by a queue ----------------------------------------------------------------------------------


def recorded(house, **more):
    house.queues.recorded = TalkRecording("may-be-recorded", **more)
    return house.ring(QUEUE)


def test_a_talk_of_a_recorded_queue_is_recorded_and_nothing_else(house):
    caller = recorded(house, keep_days=7).hears("可能录音").hears("(calm)").waits(30)
    place = house.queues.places[-1]
    leg = house.agent_leg(talks_for=4.0)
    place.agent_ready(leg, house.queues.recorded)
    caller.hears("(agent)").speaks(2.0).hears("再见").is_over()
    [(path, seconds)] = house.tapes.kept
    assert house.tapes.begun[0][1:] == ("test", "service", "1001", 7)
    assert seconds == pytest.approx(4.0, abs=0.1)
    assert sounds(path)[:2] == [True, True]


def test_callers_are_told_once(house):
    caller = recorded(house).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=1.0), house.queues.recorded)
    assert caller.is_over().heard.count("可能录音") == 1


def test_who_comes_from_a_queue_that_does_not_record_is_told_before_the_talk(house):
    caller = house.ring(QUEUE).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=2.0), TalkRecording("may-be-recorded"))
    caller.hears("可能录音").hears("(agent)").is_over()
    assert len(house.tapes.kept) == 1


def test_who_cannot_be_told_is_not_recorded(house):
    house.voice.broken.add("may-be-recorded")
    caller = recorded(house).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=2.0), house.queues.recorded)
    caller.hears("(agent)").is_over()
    assert house.tapes.begun == []
    assert house.notes.of("NotRecorded", "queue", "agent") == [("service", "1001")]


def test_a_queue_that_does_not_record_records_nothing(house):
    caller = house.ring(QUEUE).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=2.0))
    caller.hears("(agent)").is_over()
    assert house.tapes.begun == []


def test_a_recording_of_the_flow_goes_on_through_the_talk(house):
    flow = QUEUE.replace("start: queue", "start: record").replace(
        "steps:", "steps:\n  record: {record: {do: start}, next: queue}"
    )
    house.queues.recorded = TalkRecording("may-be-recorded")
    caller = house.ring(flow).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(talks_for=2.0), house.queues.recorded)
    caller.hears("再见").is_over()
    assert len(house.tapes.begun) == len(house.tapes.kept) == 1
    assert caller.heard.count("可能录音") == 1


def test_a_talk_that_outlived_the_appliance_ends_its_recording_when_it_ends(house):
    caller = recorded(house).hears("(calm)")
    house.queues.places[-1].agent_ready(house.agent_leg(), house.queues.recorded)
    caller.hears("(agent)").waits(1.0)
    agent = house.exchange.lines["agent-1"]
    house.resumes(QUEUE, "queue", interrupted=Interrupted(talking=True))
    caller.waits(2.0)
    agent.hang_up()
    caller.hears("再见").is_over()
    [(_, seconds)] = house.tapes.kept
    assert seconds == pytest.approx(3.0, abs=0.3)
    assert len(house.tapes.begun) == 1


def test_an_agent_who_was_gone_before_the_join_leaves_no_recording_behind(house):
    caller = recorded(house).hears("(calm)")
    leg = house.agent_leg(talks_for=0.0)
    caller.waits(1.0)
    house.queues.places[-1].agent_ready(leg, house.queues.recorded)
    caller.hears("(calm)").waits(1.0)
    assert house.exchange.lines[house.call.id].tape is None
