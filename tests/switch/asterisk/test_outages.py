"""What becomes of calls on a real Asterisk when the connection, the controller, or Asterisk itself goes away."""

from __future__ import annotations

import wave

import pytest

from switch.port import CallEnded, CallId, Cause, Key, NoSuchCall, Parted
from tests.live import heard
from tests.switch.asterisk import exchange as exchanges
from tests.switch.asterisk.relay import Relay
from tests.switch.asterisk.rig import Rig

pytestmark = [pytest.mark.live, pytest.mark.asterisk]

HASH = frozenset("#")


@pytest.fixture
def relay(exchange):
    relay = Relay(exchange.site.ari_port)
    yield relay
    relay.close()


@pytest.fixture
def rig(exchange, relay, tmp_path):
    """Its first controller reaches Asterisk through the relay, any later one directly."""
    rig = Rig(exchange, tmp_path, url=relay.url)
    yield rig
    relay.mend()
    rig.close()


@pytest.fixture
def mortal(tmp_path):
    """On an Asterisk that the test may kill."""
    exchange = exchanges.prepare(tmp_path / "home")
    exchange.start()
    rig = Rig(exchange, tmp_path, patience=3.0)
    yield rig
    rig.close()
    exchange.stop()


# --- the connection -----------------------------------------------------------------------------------


def test_prompts_go_on_over_a_dropped_connection(rig, relay):
    def flow(call):
        call.answer()
        return call.play([rig.sound("low", 3), rig.sound("high")])

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    relay.drop()
    assert rig.result() is None
    assert far.heard() == ["low", "high"]


def test_a_prompt_that_ended_during_the_outage_has_ended(rig, relay):
    def flow(call):
        call.answer()
        return call.play([rig.sound("low", 2)])

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    relay.cut()
    rig.wait_until(lambda: not rig.switch.connected)
    rig.pass_time(2.5)
    relay.mend()
    assert rig.result() is None
    rig.wait_until(lambda: not far.up)


def test_a_caller_who_left_during_the_outage_is_gone_after_it(rig, relay):
    def flow(call):
        call.answer()
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    relay.cut()
    rig.wait_until(lambda: not rig.switch.connected)
    far.hang_up()
    relay.mend()
    assert rig.result() is Cause.SWITCH_LOST


def test_a_frozen_connection_is_noticed_and_replaced(rig, relay):
    def flow(call):
        call.answer()
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    relay.freeze()
    rig.wait_until(lambda: not rig.switch.connected, within=12)
    relay.drop()
    relay.mend()
    rig.wait_until(lambda: rig.switch.connected)
    far.hang_up()
    assert rig.result() in {Cause.NORMAL, Cause.SWITCH_LOST}


def test_two_who_talk_notice_nothing_of_an_outage(rig, relay):
    phone = rig.phone("1001")

    def flow(call):
        call.answer()
        leg = rig.switch.dial(phone.account, call_id=CallId("leg-1001"), caller="1000", ring_for=15)
        leg.answered()
        call.join(leg)
        return call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    phone.speak(440, 20)
    far.wait_hears("low")
    relay.cut()
    rig.wait_until(lambda: not rig.switch.connected)
    rig.pass_time(1)
    far.wait_hears("low")
    relay.mend()
    rig.wait_until(lambda: rig.switch.connected)
    phone.hang_up()
    assert rig.result() == Parted()


def test_a_recording_outlives_an_outage(rig, relay):
    def flow(call):
        call.answer()
        call.play([rig.sound("high")])
        return call.record(rig.directory / "kept.wav", longest=30, silence=3, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("high")
    rig.pass_time(2.2)
    far.speak(660, 3)
    relay.drop()
    recording = rig.result()
    assert recording.ended == "silence"
    with wave.open(str(recording.path)) as file:
        assert file.getnframes() / 8000 > 2.5


# --- the controller -----------------------------------------------------------------------------------


def test_music_plays_on_without_a_controller_and_the_next_one_takes_the_call(rig, relay):
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        call.remember("flow", "hotline 7")
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    rig.switch.stop()
    assert rig.result() is Cause.SWITCH_LOST
    rig.pass_time(1)
    far.wait_hears("music")
    newer = rig.second_controller()
    snapshot = newer.calls()[ids[0]]
    assert (snapshot.caller, snapshot.dialled, snapshot.answered) == ("13800000001", "1000", True)
    call = newer.adopt(ids[0])
    assert call.remembered == {"flow": "hotline 7"}
    assert call.play([rig.sound("high")]) is None
    assert far.heard() == ["music", "high"]
    call.hang_up()
    rig.wait_until(lambda: not far.up)


def test_an_announcement_of_a_dead_controller_ends_in_music(rig):
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        call.hold("calm")
        call.wait(1)
        call.play([rig.sound("low", 1), rig.sound("high", 2)], back_to="calm")

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    rig.switch.stop()
    far.wait_hears("high")
    rig.pass_time(4)
    assert far.heard() == ["music", "low", "high", "music"]
    since = far.leg.answered_at + 0.5
    assert heard.longest_silence(far.leg.media.heard(since, None)) < 0.1
    call = rig.second_controller().adopt(ids[0])
    call.hold("calm")
    assert call.play([rig.sound("low")]) is None
    assert far.heard() == ["music", "low", "high", "music", "low"]
    call.hang_up()


def test_a_controller_that_dies_in_an_announcement_leaves_music_to_the_one_that_cuts_it(rig):
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        call.hold("calm")
        call.play([rig.sound("low", 20)], back_to="calm")

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    rig.switch.stop()
    call = rig.second_controller().adopt(ids[0])
    far.wait_hears("music")
    assert heard.longest_silence(far.leg.media.heard(far.leg.answered_at + 0.5, None)) < 0.1
    call.hang_up()


def test_music_goes_on_after_an_announcement_to_its_end_and_after_one_that_a_key_cuts(rig):
    def flow(call):
        call.answer()
        call.hold("calm")
        read = [call.wait(1)]
        for _ in range(2):
            call.play([rig.sound("low", 1), rig.sound("high", 2)], stop_on=HASH, back_to="calm")
            call.hold("calm")
            read += [call.wait(2)]
        call.wait(1)
        call.play([rig.sound("low", 1)])
        return read, call.wait(2)

    rig.serve(flow)
    far = rig.caller()
    rig.wait_until(lambda: far.heard() == ["music", "low", "high", "music", "low", "high"])
    far.press("#")
    assert rig.result() == ([None, None, Key("#")], None)
    assert far.heard()[5:] == ["high", "music", "low"]


def test_a_prompt_or_recording_of_a_dead_controller_does_not_delay_the_next(rig):
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        call.play([rig.sound("low")])
        call.record(rig.directory / "lost.wav", longest=60, silence=60, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    rig.pass_time(2.5)
    rig.switch.stop()
    call = rig.second_controller().adopt(ids[0])
    call.play([rig.sound("high")])
    assert far.heard() == ["low", "high"]
    call.hang_up()


def test_an_older_controller_that_comes_back_does_not_take_calls_away(rig, relay):
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("music")
    relay.cut()
    rig.wait_until(lambda: not rig.switch.connected)
    newer = rig.second_controller()
    call = newer.adopt(ids[0])
    relay.mend()
    assert rig.result() is Cause.SUPERSEDED
    assert not rig.switch.connected
    assert call.play([rig.sound("high")]) is None
    call.hang_up()
    rig.wait_until(lambda: not far.up)


def test_a_talking_pair_whose_controller_died_is_watched_by_the_next(rig):
    phone = rig.phone("1001")
    ids = []

    def flow(call):
        ids.append(call.id)
        call.answer()
        leg = rig.switch.dial(phone.account, call_id=CallId("leg-1001"), caller="1000", ring_for=15)
        leg.answered()
        call.join(leg)
        call.wait(None)

    rig.serve(flow)
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    phone.speak(440, 20)
    far.wait_hears("low")
    rig.switch.stop()
    newer = rig.second_controller()
    assert newer.calls()[ids[0]].joined_to == "leg-1001"
    call = newer.adopt(ids[0])
    leg = newer.adopt(CallId("leg-1001"))
    far.wait_hears("low")
    phone.hang_up()
    assert call.wait(5) == Parted()
    with pytest.raises(CallEnded):
        leg.wait(5)
    call.hang_up()


# --- Asterisk itself ----------------------------------------------------------------------------------


def test_asterisk_killed_under_calls_and_started_again(mortal):
    rig = mortal

    def flow(call):
        call.answer()
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    for number in ("1", "2", "3"):
        rig.caller(number).wait_hears("music")
    rig.exchange.kill()
    assert [rig.result() for _ in range(3)] == [Cause.SWITCH_LOST] * 3
    assert not rig.switch.connected
    rig.exchange.start()
    rig.wait_until(lambda: rig.switch.connected)
    assert rig.switch.calls() == {}
    far = rig.caller("4")
    far.wait_hears("music")
    far.hang_up()
    assert rig.result() is Cause.NORMAL


def test_asterisk_back_before_our_patience_ends_has_lost_its_calls(mortal):
    rig = mortal

    def flow(call):
        call.answer()
        call.hold("calm")
        call.wait(None)

    rig.serve(flow)
    rig.caller().wait_hears("music")
    rig.exchange.kill()
    rig.exchange.start()
    assert rig.result() is Cause.SWITCH_LOST
    with pytest.raises(NoSuchCall):
        rig.switch.adopt(CallId("1.0"))


def test_nobody_home_means_music_and_a_sorry_and_then_our_flow(mortal):
    rig = mortal
    rig.switch.stop()
    far = rig.caller()
    far.wait_hears("music")
    rig.serve(lambda call: (call.dialled, call.play([rig.sound("high")])))
    rig.second_controller(serving=True)
    assert rig.result() == ("1000", None)
    assert far.heard()[0] == "music"
    assert far.heard()[-1] == "high"
