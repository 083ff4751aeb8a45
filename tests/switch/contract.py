"""What every switch backend must do, as tests over a rig: the same for the simulated exchange and for real ones.

A backend's test module does ``from tests.switch.contract import *`` and provides a fixture `rig`. Prompts
are tones, so that what a far end heard can be measured on any switch: 440 Hz ("low"), 1000 Hz ("high").
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from switch.port import (
    ANY,
    Call,
    CallEnded,
    CallId,
    CannotJoin,
    CannotPlay,
    Cause,
    Key,
    NotAnswered,
    Notice,
    Parted,
    Recording,
    Sound,
    Switch,
)
from tests.live import heard

HASH = frozenset("#")


@dataclass(frozen=True, slots=True)
class Knock(Notice):
    """A notice of the tests."""


class FarEnd(Protocol):
    """A person with a telephone, at the other end of a leg."""

    def press(self, keys: str) -> None: ...
    def speak(self, tone: float, seconds: float) -> None: ...
    def hang_up(self) -> None: ...
    def wait_hears(self, what: str) -> None:
        """Until "low", "high" or "music" is heard from now on."""

    def heard(self) -> list[str]:
        """What was heard so far, in order, each tone or music once where it went on."""

    @property
    def up(self) -> bool: ...


class Phone(FarEnd, Protocol):
    """An agent's telephone, registered."""

    account: str

    def wait_rings(self) -> None: ...
    def answer(self) -> None: ...
    def decline(self) -> None: ...


class Rig(Protocol):
    switch: Switch
    directory: Path

    def sound(self, name: str, seconds: float = 2.0) -> Sound: ...
    def serve(self, flow: Callable[[Call], Any], *, open: bool = True) -> None: ...
    def caller(self, number: str = "13800000001", name: str = "") -> FarEnd: ...
    def phone(self, account: str) -> Phone: ...
    def second_controller(self) -> Switch: ...
    def pass_time(self, seconds: float) -> None: ...
    def wait_until(self, true: Callable[[], bool]) -> None: ...
    def result(self) -> Any:
        """What the oldest finished flow returned; CallEnded as its cause."""


# --- playing and keys ----------------------------------------------------------------------------


def test_prompts_are_heard_one_after_the_other(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        return call.play([rig.sound("low"), rig.sound("high")])

    rig.serve(flow)
    far = rig.caller()
    assert rig.result() is None
    assert far.heard() == ["low", "high"]


def test_a_key_cuts_in_and_the_next_wait_returns_it(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        return call.play([rig.sound("low", 20), rig.sound("high")], stop_on=ANY), call.wait(1), call.wait(0)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    far.press("7")
    assert rig.result() == (Key("7"), Key("7"), None)
    assert far.heard() == ["low"]


def test_keys_typed_ahead_keep_their_order_and_skip_the_prompt(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high", 4)])
        return call.play([rig.sound("low", 20)], stop_on=ANY), [call.wait(0) for _ in range(4)]

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    far.press("123")
    assert rig.result() == (Key("1"), [Key("1"), Key("2"), Key("3"), None])
    assert far.heard() == ["high"]


def test_a_key_that_does_not_stop_is_kept_for_later(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        return call.play([rig.sound("low", 3)], stop_on=HASH), call.wait(0)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    far.press("5")
    assert rig.result() == (None, Key("5"))


def test_wait_gives_up_in_time(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        return call.wait(0.5)

    rig.serve(flow)
    rig.caller()
    assert rig.result() is None


def test_a_notice_cuts_in_and_the_next_wait_returns_it(rig: Rig) -> None:
    calls: list[Call] = []

    def flow(call: Call) -> Any:
        calls.append(call)
        call.answer()
        return call.play([rig.sound("low", 20)]), call.wait(0)

    rig.serve(flow)
    rig.caller().wait_hears("low")
    calls[0].post(Knock())
    assert rig.result() == (Knock(), Knock())


def test_a_missing_file_is_said_and_the_call_goes_on(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        with pytest.raises(CannotPlay):
            call.play([Sound(rig.directory / "missing.wav")])
        return call.play([rig.sound("high")])

    rig.serve(flow)
    far = rig.caller()
    assert rig.result() is None
    assert far.heard() == ["high"]


def test_music_goes_on_until_something_else_is_played(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.hold("calm")
        waited = call.wait(3)
        call.play([rig.sound("high")])
        return waited

    rig.serve(flow)
    far = rig.caller()
    assert rig.result() is None
    assert far.heard() == ["music", "high"]


# --- the end of a call ---------------------------------------------------------------------------


def test_keys_do_not_disturb_music(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")], stop_on=ANY)
        call.hold("calm")
        return [call.wait(20) for _ in range(2)], call.wait(3)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    for key in "12":
        far.press(key)
        rig.pass_time(0.5)
    rig.pass_time(1)
    far.wait_hears("music")
    assert rig.result() == ([Key("1"), Key("2")], None)
    assert far.heard() == ["high", "music"]


@pytest.mark.parametrize("during", ["play", "hold", "wait", "record"])
def test_a_hang_up_is_raised_wherever_the_call_waits(rig: Rig, during: str) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")])
        match during:
            case "play":
                call.play([rig.sound("low", 30)])
            case "record":
                call.record(rig.directory / "gone.wav", longest=30, silence=30, stop_on=HASH)
            case "hold":
                call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(4)
    far.hang_up()
    assert rig.result() is Cause.NORMAL
    rig.wait_until(lambda: not rig.switch.calls())


def test_after_the_end_every_method_says_so_and_hang_up_is_harmless(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        try:
            call.wait(None)
        except CallEnded:
            call.hang_up()
            call.hang_up()
            with pytest.raises(CallEnded):
                call.play([rig.sound("low")])
            with pytest.raises(CallEnded):
                call.wait(0)
            return "ended"

    rig.serve(flow)
    far = rig.caller()
    rig.pass_time(1)
    far.hang_up()
    assert rig.result() == "ended"


def test_a_flow_that_returns_ends_the_call(rig: Rig) -> None:
    rig.serve(lambda call: call.answer())
    far = rig.caller()
    assert rig.result() is None
    rig.wait_until(lambda: not far.up)


def test_a_call_is_refused_with_a_cause(rig: Rig) -> None:
    rig.serve(lambda call: call.hang_up(Cause.BUSY))
    far = rig.caller()
    rig.wait_until(lambda: not far.up)


def test_a_call_for_which_there_is_no_room_is_kept_by_the_switch_with_music(rig: Rig) -> None:
    rig.serve(lambda call: call.hang_up(), open=False)
    far = rig.caller()
    far.wait_hears("music")
    assert far.up


def test_what_the_caller_sent_is_known(rig: Rig) -> None:
    rig.serve(lambda call: (call.caller, call.dialled, call.account))
    rig.caller("13800000001")
    assert rig.result() == ("13800000001", "1000", "")


# --- recording -----------------------------------------------------------------------------------


def seconds_of(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return file.getnframes() / 8000


def test_a_recording_ends_by_its_key_which_is_consumed(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")])
        return call.record(rig.directory / "key.wav", longest=30, silence=20, stop_on=HASH), call.wait(0)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(3)
    far.speak(660, 2)
    rig.pass_time(2.5)
    far.press("#")
    recording, left = rig.result()
    assert isinstance(recording, Recording)
    assert (recording.ended, recording.key, left) == ("key", "#", None)
    assert 2 <= seconds_of(recording.path) <= 6


def test_a_recording_ends_by_silence_after_speech(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")])
        return call.record(rig.directory / "silence.wav", longest=30, silence=2, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(2.2)
    far.speak(660, 3)
    recording = rig.result()
    assert recording.ended == "silence"
    assert 3.5 <= seconds_of(recording.path) <= 9


def test_a_recording_is_no_longer_than_it_may_be(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")])
        return call.record(rig.directory / "longest.wav", longest=2, silence=10, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(1)
    far.speak(660, 10)
    recording = rig.result()
    assert recording.ended == "longest"
    assert 1.5 <= seconds_of(recording.path) <= 3.1


def test_a_hang_up_leaves_what_was_said(rig: Rig) -> None:
    path = rig.directory / "left.wav"

    def flow(call: Call) -> Any:
        call.answer()
        call.play([rig.sound("high")])
        call.record(path, longest=30, silence=20, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(2.5)
    far.speak(660, 2)
    rig.pass_time(2.5)
    far.hang_up()
    assert rig.result() is Cause.NORMAL
    assert seconds_of(path) >= 1.5


# --- two legs ------------------------------------------------------------------------------------


def dialled(rig: Rig, phone: Phone, ring_for: float = 15) -> Any:
    return rig.switch.dial(phone.account, call_id=CallId(f"leg-{phone.account}"), caller="1000", ring_for=ring_for)


def test_joined_legs_hear_each_other_and_part(rig: Rig) -> None:
    phone = rig.phone("1001")

    def flow(call: Call) -> Any:
        call.answer()
        call.hold("calm")
        leg = dialled(rig, phone)
        assert leg.answered() is None
        call.join(leg)
        parted = call.wait(None)
        return parted, call.play([rig.sound("high")]), call.wait(0)

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    far.wait_hears("music")
    phone.answer()
    rig.pass_time(1)
    phone.speak(440, 3)
    far.wait_hears("low")
    phone.hang_up()
    assert rig.result() == (Parted(), None, None)
    assert far.heard() == ["music", "low", "high"]


def test_the_other_leg_goes_on_when_the_caller_leaves(rig: Rig) -> None:
    phone = rig.phone("1001")

    def flow(call: Call) -> Any:
        call.answer()
        leg = dialled(rig, phone)
        leg.answered()
        call.join(leg)
        try:
            call.wait(None)
        except CallEnded:
            parted = leg.wait(5)
            leg.play([rig.sound("high")])
            leg.hang_up()
            return parted

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    rig.pass_time(2)
    far.hang_up()
    assert rig.result() == Parted()
    rig.wait_until(lambda: not phone.up)
    assert phone.heard()[-1] == "high"


def tones_of(path: Path) -> set[float]:
    """Which of the tones that the tests send are in a recording."""
    return {tone.frequency for tone in heard.tones(heard.read_wav(path), 440, 660, 880, 1000)}


def test_a_recording_of_a_talk_holds_both_directions_and_not_what_was_masked(rig: Rig) -> None:
    phone = rig.phone("1001")
    path = rig.directory / "talk.wav"

    def flow(call: Call) -> Any:
        call.answer()
        call.start_recording(path)
        call.play([rig.sound("high")])
        leg = dialled(rig, phone)
        leg.answered()
        call.join(leg)
        call.wait(20)
        call.mask_recording(path, True)
        call.wait(20)
        call.mask_recording(path, False)
        assert call.wait(60) == Parted()
        return call.stop_recording(path)

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    rig.pass_time(1)
    far.speak(660, 1.5)
    rig.pass_time(2)
    phone.speak(440, 1.5)
    rig.pass_time(2)
    far.press("1")
    rig.pass_time(0.5)
    far.speak(880, 1.5)
    rig.pass_time(2)
    far.press("2")
    rig.pass_time(0.5)
    phone.hang_up()
    seconds = rig.result()
    assert tones_of(path) == {1000, 660, 440}
    assert seconds == pytest.approx(seconds_of(path), abs=0.1)
    assert seconds > 8


def test_a_recording_of_both_directions_is_whole_after_a_hang_up(rig: Rig) -> None:
    path = rig.directory / "cut.wav"

    def flow(call: Call) -> Any:
        call.answer()
        call.start_recording(path)
        try:
            call.play([rig.sound("high", 20)])
        except CallEnded:
            return call.stop_recording(path)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(2)
    far.hang_up()
    assert rig.result() == pytest.approx(seconds_of(path), abs=0.1)
    assert tones_of(path) == {1000}


def test_a_newer_controller_ends_the_recording_that_an_older_one_began(rig: Rig) -> None:
    path = rig.directory / "inherited.wav"

    def flow(call: Call) -> Any:
        call.answer()
        call.start_recording(path)
        call.play([rig.sound("high", 30)])

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(1)
    call_id = next(iter(rig.switch.calls()))
    newer = rig.second_controller().adopt(call_id)
    assert newer.stop_recording(path) == pytest.approx(seconds_of(path), abs=0.1)
    assert rig.result() is Cause.SUPERSEDED
    newer.hang_up()


def test_a_talk_can_be_ended_and_both_legs_go_on(rig: Rig) -> None:
    """As the phone that stays off hook needs it: the next caller is joined to the same leg."""
    phone = rig.phone("1001")

    def flow(call: Call) -> Any:
        call.answer()
        leg = dialled(rig, phone)
        assert leg.answered() is None
        call.join(leg)
        leg.wait(1)
        leg.part()
        parted = call.wait(5), leg.wait(5)
        said = call.play([rig.sound("high")]), leg.play([rig.sound("low")])
        call.join(leg)
        leg.part()
        return parted, said, (call.wait(5), leg.wait(5))

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    assert rig.result() == ((Parted(), Parted()), (None, None), (Parted(), Parted()))
    assert "high" in far.heard()
    assert "low" in phone.heard()


def test_parting_a_leg_that_talks_to_nobody_changes_nothing(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        call.answer()
        call.part()
        return call.wait(0), call.play([rig.sound("high")])

    rig.serve(flow)
    far = rig.caller()
    assert rig.result() == (None, None)
    assert far.heard() == ["high"]


def test_a_leg_that_is_gone_cannot_be_joined(rig: Rig) -> None:
    phone = rig.phone("1001")

    def flow(call: Call) -> Any:
        call.answer()
        leg = dialled(rig, phone)
        leg.answered()
        leg.hang_up()
        with pytest.raises(CannotJoin):
            call.join(leg)
        return call.play([rig.sound("high")])

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    assert rig.result() is None
    assert far.heard()[-1] == "high"


def test_a_declined_leg_says_so(rig: Rig) -> None:
    phone = rig.phone("1001")
    rig.serve(lambda call: _why(dialled(rig, phone)))
    rig.caller()
    phone.wait_rings()
    phone.decline()
    assert rig.result() in {Cause.BUSY, Cause.REJECTED}


def test_a_phone_that_nobody_answers_says_so(rig: Rig) -> None:
    phone = rig.phone("1001")
    rig.serve(lambda call: _why(dialled(rig, phone, ring_for=2)))
    rig.caller()
    phone.wait_rings()
    assert rig.result() is Cause.NO_ANSWER
    rig.wait_until(lambda: not phone.up)


def test_a_phone_that_is_not_registered_says_so(rig: Rig) -> None:
    def flow(call: Call) -> Any:
        return _why(rig.switch.dial("1009", call_id=CallId("leg-1009"), caller="1000", ring_for=5))

    rig.serve(flow)
    rig.caller()
    assert rig.result() is Cause.UNREACHABLE


def test_a_ringing_phone_stops_when_the_call_is_cancelled(rig: Rig) -> None:
    phone = rig.phone("1001")
    legs: list[Any] = []

    def flow(call: Call) -> Any:
        leg = dialled(rig, phone)
        legs.append(leg)
        notice = leg.answered()
        leg.hang_up()
        return notice

    rig.serve(flow)
    rig.caller()
    phone.wait_rings()
    legs[0].post(Knock())
    assert rig.result() == Knock()
    rig.wait_until(lambda: not phone.up)


def _why(leg: Any) -> Cause | None:
    try:
        leg.answered()
    except NotAnswered as refused:
        return refused.cause
    return None


# --- what outlives a controller ------------------------------------------------------------------


def test_a_newer_controller_takes_the_call_and_the_loser_lets_go(rig: Rig) -> None:
    ids: list[CallId] = []

    def flow(call: Call) -> Any:
        ids.append(call.id)
        call.answer()
        call.remember("place", 'é "1"\n${system(x)}')
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    adopted = rig.second_controller().adopt(ids[0])
    assert rig.result() is Cause.SUPERSEDED
    assert far.up
    assert adopted.remembered["place"] == 'é "1"\n${system(x)}'
    assert adopted.play([rig.sound("high")]) is None
    assert far.heard()[-1] == "high"
    far.press("5")
    assert adopted.wait(5) == Key("5")
    adopted.hang_up()
    rig.wait_until(lambda: not far.up)


def test_the_switch_knows_what_lives_on_it(rig: Rig) -> None:
    phone = rig.phone("1001")

    def flow(call: Call) -> Any:
        call.answer()
        leg = dialled(rig, phone)
        leg.answered()
        call.join(leg)
        call.wait(1)
        return call.id, leg.id, rig.switch.calls()

    rig.serve(flow)
    rig.caller()
    phone.wait_rings()
    phone.answer()
    caller, leg, living = rig.result()
    assert living[caller].answered
    assert living[caller].joined_to == leg
    assert living[leg].joined_to == caller


def test_registrations_are_known(rig: Rig) -> None:
    rig.phone("1001")
    assert "1001" in rig.switch.registrations()
    assert "1009" not in rig.switch.registrations()


__all__ = [name for name in dir() if name.startswith("test_")]
