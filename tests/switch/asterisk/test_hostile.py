"""What a call does when Asterisk answers oddly, late, out of order, or not at all: a scripted ARI over real sockets."""

from __future__ import annotations

import base64
import json

import gevent
import pytest

from switch.asterisk import Asterisk, calls, line, link, websocket
from switch.asterisk import recording as recordings
from switch.asterisk.ari import Ari
from switch.port import (
    ANY,
    CallEnded,
    CallId,
    CannotJoin,
    CannotPlay,
    CannotRecord,
    Cause,
    Key,
    NoSuchCall,
    NotAnswered,
    Parted,
    Sound,
    SwitchLost,
)
from switch.shared.clock import RealClock
from tests.switch.asterisk.peer import NEVER, OK, Peer, channel

HASH = frozenset("#")
A_SECOND = b"RIFF" + bytes(40 + 16000)  # of sound, as far as its length is looked at


class Desk:
    """The switch under test with a peer at its other end, and the calls that came."""

    def __init__(self, peer, **options):
        self.peer = peer
        self.clock = RealClock()
        self.switch = Asterisk(url=peer.url, password="secret", clock=self.clock, **options)
        self.calls = []
        self.letting_go = gevent.event.Event()
        self.switch.serve(self._on_call)
        self.wait_until(lambda: self.switch.connected)

    def _on_call(self, call):
        self.calls.append(call)
        self.letting_go.wait()

    def call(self, call_id="caller-1", **facts):
        """A call that has just come in."""
        self.peer.happen("StasisStart", channel=channel(call_id, **facts), args=["call", "1000", ""])
        self.wait_until(lambda: any(call.id == call_id for call in self.calls))
        return next(call for call in self.calls if call.id == call_id)

    def leg(self, call_id="agent-1", address="1001"):
        """A leg that we dialled and that was answered."""
        self.peer.answer("POST", f"channels/{call_id}", OK, channel(call_id, "Down"))
        leg = self.switch.dial(address, call_id=CallId(call_id), caller="1", ring_for=30)
        self.peer.happen("StasisStart", channel=channel(call_id), args=["dialled"])
        assert leg.answered() is None
        return leg

    def talk(self):
        """A call, a leg that it was joined with, and the name of their bridge."""
        call, leg = self.call(), self.leg()
        call.join(leg)
        path, _ = self.peer.wait_asked("POST", r"bridges/[^/]+/addChannel")
        return call, leg, path.split("/")[1]

    def wait_until(self, true, within=5.0):
        with gevent.Timeout(within, AssertionError("it did not happen")):
            while not true():
                gevent.sleep(0.005)


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def desk(peer):
    desk = Desk(peer)
    yield desk
    desk.letting_go.set()
    desk.switch.stop()


def sound(tmp_path):
    return Sound(tmp_path / "prompt.wav")


def playing(desk, call, tmp_path, **options):
    """A play under way, and its id."""
    play = gevent.spawn(call.play, [sound(tmp_path)], **options)
    _, asked = desk.peer.wait_asked("POST", f"channels/{call.id}/play")
    return play, asked["playbackId"]


def recording(desk, call, path):
    record = gevent.spawn(call.record, path, longest=30, silence=20, stop_on=HASH)
    _, asked = desk.peer.wait_asked("POST", f"channels/{call.id}/record")
    return record, asked["name"]


def still_there(peer):
    """The caller is in our application, whatever the connection does."""
    peer.answer("GET", "applications", OK, [{"name": "hotline", "channel_ids": ["caller-1"]}])
    peer.answer("GET", "channels", OK, [channel()])


def left(peer, bridge, leg, *, stays):
    """Asterisk says that a leg has left a bridge, and who is in it still."""
    peer.happen("ChannelLeftBridge", channel=channel(leg), bridge={"id": bridge, "channels": stays})


def outcome(greenlet, within=5.0):
    with gevent.Timeout(within, AssertionError("it still waits")):
        return greenlet.get()


# --- what is asked --------------------------------------------------------------------------------


def test_the_filter_lets_through_what_we_listen_to_and_the_answers(peer, desk):
    _, asked = peer.wait_asked("PUT", "applications/hotline/eventFilter")
    kinds = {each["type"] for each in asked["allowed"]}
    assert {"StasisStart", "StasisEnd", "ChannelDtmfReceived", "PlaybackFinished", "RESTResponse"} <= kinds
    assert "ChannelVarset" not in kinds


def test_text_from_a_caller_reaches_asterisk_only_encoded(peer, desk):
    call = desk.call()
    call.remember("note", '${SHELL(x)}",)\n')
    _, asked = peer.wait_asked("POST", "channels/caller-1/variable")
    assert asked["variable"] == "HOTLINE"
    assert json.loads(base64.urlsafe_b64decode(asked["value"])) == {"note": '${SHELL(x)}",)\n'}
    assert set(asked["value"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=")

    peer.answer("POST", "channels/leg-1", OK, channel("leg-1", "Down"))
    desk.switch.dial("1001", call_id=CallId("leg-1"), caller='1"<>\r\n2', caller_name='"a", ${b}', ring_for=5)
    _, asked = peer.wait_asked("POST", "channels/leg-1")
    assert asked["callerId"] == '"a b" <12>'


@pytest.mark.parametrize("address", ["", "1001,2", "${X}", "10 01", "../x", "1001@elsewhere", "1001\n", "x" * 41])
def test_what_is_no_address_is_never_sent(peer, desk, address):
    leg = desk.switch.dial(address, call_id=CallId("leg-1"), caller="1", ring_for=5)
    with pytest.raises(NotAnswered) as refused:
        leg.answered()
    assert refused.value.cause is Cause.UNREACHABLE
    assert not any(path == "channels/leg-1" for _, path, _ in peer.asked)


# --- playing ----------------------------------------------------------------------------------------


def test_the_end_of_a_prompt_that_comes_before_the_reply(peer, desk, tmp_path):
    call = desk.call()

    def play_is_over():
        name = "hotline-play-caller-1-1"
        peer.happen("PlaybackFinished", playback={"id": name, "state": "done", "target_uri": "channel:caller-1"})

    peer.answer("POST", "channels/caller-1/play", 201, {}, then=play_is_over)
    assert call.play([sound(tmp_path)]) is None


def test_a_failed_prompt_is_said(peer, desk, tmp_path):
    call = desk.call()
    play, name = playing(desk, call, tmp_path)
    peer.happen("PlaybackFinished", playback={"id": name, "state": "failed", "target_uri": "channel:caller-1"})
    with pytest.raises(CannotPlay):
        outcome(play)


def test_a_prompt_that_fails_because_the_caller_leaves_is_a_hang_up(peer, desk, tmp_path):
    call = desk.call()
    play, name = playing(desk, call, tmp_path)
    peer.happen("PlaybackFinished", playback={"id": name, "state": "failed", "target_uri": "channel:caller-1"})
    peer.happen("ChannelHangupRequest", channel=channel())
    with pytest.raises(CallEnded):
        outcome(play)


def test_a_hang_up_before_the_end_of_the_prompt(peer, desk, tmp_path):
    call = desk.call()
    play, name = playing(desk, call, tmp_path)
    peer.happen("ChannelHangupRequest", channel=channel(), cause=16)
    with pytest.raises(CallEnded):
        outcome(play)
    peer.happen("PlaybackFinished", playback={"id": name, "state": "failed", "target_uri": "channel:caller-1"})
    peer.happen("StasisEnd", channel=channel())
    peer.happen("StasisEnd", channel=channel())
    assert desk.call("caller-2").id == "caller-2"


def test_the_end_of_an_earlier_prompt_ends_no_later_one(peer, desk, tmp_path):
    call = desk.call()
    first, first_name = playing(desk, call, tmp_path, stop_on=ANY)
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="1")
    assert outcome(first) == Key("1")
    assert call.wait(0) == Key("1")
    second, _ = playing(desk, call, tmp_path, stop_on=ANY)
    peer.happen("PlaybackFinished", playback={"id": first_name, "state": "done", "target_uri": "channel:caller-1"})
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="2")
    assert outcome(second) == Key("2")


def test_a_channel_that_is_gone_between_request_and_reply(peer, desk):
    call = desk.call(state="Ring")
    peer.answer("POST", "channels/caller-1/answer", 404, {"message": "Channel not found"})
    with pytest.raises(CallEnded):
        call.answer()
    with pytest.raises(CallEnded):
        call.wait(0)


def test_a_channel_that_has_left_the_application_is_ended_for_us(peer, desk):
    call = desk.call()
    peer.answer("POST", "channels/caller-1/moh", 409, {"message": "Channel not in Stasis application"})
    with pytest.raises(CallEnded):
        call.hold("calm")


def test_an_error_of_asterisk_is_no_end_of_the_call(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("POST", "channels/caller-1/play", 500, {"message": "out of memory"})
    with pytest.raises(CannotPlay):
        call.play([sound(tmp_path)])
    peer.answer("POST", "channels/caller-1/play", 201, {})
    peer.asked.clear()
    play, name = playing(desk, call, tmp_path)
    peer.happen("PlaybackFinished", playback={"id": name, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(play) is None


def test_a_request_that_is_never_answered_has_an_end(peer, desk, monkeypatch):
    monkeypatch.setattr(Ari.request, "__kwdefaults__", {"within": 0.2, "by_http": False})
    call = desk.call(state="Ring")
    peer.answer("POST", "channels/caller-1/answer", NEVER)
    chatter = gevent.spawn(chat, peer)
    try:
        with pytest.raises(SwitchLost):
            call.answer()
    finally:
        chatter.kill()


def test_a_hang_up_that_is_not_answered_is_asked_for_again(peer, desk, monkeypatch):
    monkeypatch.setattr(link, "EACH", 0.2)
    monkeypatch.setattr(Ari.request, "__kwdefaults__", {"within": 0.2, "by_http": False})
    call = desk.call()
    lives_on = {"then": lambda: peer.answer("DELETE", "channels/caller-1", 204)}
    peer.answer("DELETE", "channels/caller-1", NEVER, **lives_on)
    chatter = gevent.spawn(chat, peer)
    try:
        call.hang_up()
        peer.wait_asked("DELETE", "channels/caller-1")
        peer.wait_asked("DELETE", "channels/caller-1")
    finally:
        chatter.kill()


def test_a_call_that_cannot_be_hung_up_is_given_up_and_then_a_stray(peer, desk, monkeypatch):
    monkeypatch.setattr(link, "EACH", 0.2)
    monkeypatch.setattr(Ari.request, "__kwdefaults__", {"within": 0.2, "by_http": False})
    call = desk.call()
    peer.answer("DELETE", "channels/caller-1", NEVER)
    still_there(peer)
    chatter = gevent.spawn(chat, peer)
    try:
        call.hang_up()
        for _ in range(link.TRIES):
            peer.wait_asked("DELETE", "channels/caller-1")
        assert desk.switch.strays() == {}
        monkeypatch.setattr(line, "OVERDUE", -1)
        assert list(desk.switch.strays()) == ["caller-1"]
    finally:
        chatter.kill()


def chat(peer):
    """Something that shows that the connection itself lives."""
    while True:
        peer.happen("ChannelDtmfReceived", channel=channel("nobody"), digit="1")
        gevent.sleep(0.02)


def test_who_is_told_something_over_music_hears_music_again_without_us(peer, desk, tmp_path):
    call = desk.call()
    call.hold("calm")
    sounds = [Sound(tmp_path / f"{name}.wav") for name in ("your-position", "three")]
    for each in sounds:
        each.path.touch()
    peer.asked.clear()
    play = gevent.spawn(call.play, sounds, back_to="calm")
    _, asked = peer.wait_asked("POST", "channels/caller-1/moh")
    assert asked == {"mohClass": "calm"}
    assert not play.ready()
    name = "hotline-play-caller-1-1"
    peer.happen("PlaybackFinished", playback={"id": name, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(play) is None
    call.hold("calm")
    call.remember("asked", "last")
    assert [path for _, path, _ in peer.asked] == ["channels/caller-1/variable"]


def test_an_announcement_that_lacks_a_file_leaves_the_music_alone(peer, desk, tmp_path):
    call = desk.call()
    call.hold("calm")
    peer.asked.clear()
    with pytest.raises(CannotPlay):
        call.play([sound(tmp_path)], back_to="calm")
    assert not peer.asked


def test_the_next_prompt_ends_music_that_followed_an_announcement(peer, desk, tmp_path):
    call = desk.call()
    sound(tmp_path).path.touch()
    first, name = playing(desk, call, tmp_path, back_to="calm")
    peer.wait_asked("POST", "channels/caller-1/moh")
    peer.happen("PlaybackFinished", playback={"id": name, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(first) is None
    gevent.spawn(call.play, [sound(tmp_path)])
    peer.wait_asked("DELETE", "channels/caller-1/moh")
    peer.wait_asked("POST", "channels/caller-1/play")


# --- recording --------------------------------------------------------------------------------------


def stopped_by_key(peer, name):
    """The caller presses the key, and Asterisk says that the recording is done."""
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="#")
    peer.wait_asked("POST", f"recordings/live/{name}/stop")
    peer.happen("RecordingFinished", recording={"name": name, "state": "done", "target_uri": "channel:caller-1"})


def test_a_recording_that_is_done_without_a_file_is_an_error(peer, desk, tmp_path):
    call = desk.call()
    record, name = recording(desk, call, tmp_path / "a.wav")
    peer.answer("POST", r"recordings/live/.*/stop", 204)
    stopped_by_key(peer, name)
    with pytest.raises(CannotRecord, match="no file"):
        outcome(record)
    assert not (tmp_path / "a.wav").exists()


def test_a_recording_that_asterisk_ends_early_is_no_message(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("GET", r"recordings/stored/.*/file", OK, A_SECOND)
    record, name = recording(desk, call, tmp_path / "a.wav")
    peer.happen("RecordingFinished", recording={"name": name, "state": "done", "target_uri": "channel:caller-1"})
    with pytest.raises(CannotRecord, match="disk"):
        outcome(record)
    assert not (tmp_path / "a.wav").exists()
    peer.wait_asked("DELETE", f"recordings/stored/{name}")


def test_a_recording_that_ends_because_the_caller_leaves_is_a_hang_up(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("GET", r"recordings/stored/.*/file", OK, A_SECOND)
    record, name = recording(desk, call, tmp_path / "a.wav")
    peer.happen("RecordingFinished", recording={"name": name, "state": "done", "target_uri": "channel:caller-1"})
    peer.happen("ChannelHangupRequest", channel=channel())
    with pytest.raises(CallEnded):
        outcome(record)
    assert (tmp_path / "a.wav").stat().st_size == 16044


def test_a_recording_that_failed_says_why(peer, desk, tmp_path):
    call = desk.call()
    record, name = recording(desk, call, tmp_path / "a.wav")
    failed = {"name": name, "state": "failed", "cause": "disk full", "target_uri": "channel:caller-1"}
    peer.happen("RecordingFailed", recording=failed)
    with pytest.raises(CannotRecord, match="disk full"):
        outcome(record)


def test_a_recording_that_is_refused(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("POST", "channels/caller-1/record", 422, {"message": "no such format"})
    with pytest.raises(CannotRecord):
        call.record(tmp_path / "a.wav", longest=5, silence=2, stop_on=HASH)


def test_a_half_file_leaves_nothing(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("GET", r"recordings/stored/.*/file", OK, b"RIFF")
    peer.answer("POST", r"recordings/live/.*/stop", 204)
    record, name = recording(desk, call, tmp_path / "a.wav")
    stopped_by_key(peer, name)
    with pytest.raises(CannotRecord, match="not whole"):
        outcome(record)
    assert not (tmp_path / "a.wav").exists()


def recorded_talk(peer, call, path):
    """A recording of both directions that Asterisk has begun."""
    starting = gevent.spawn(call.start_recording, path)
    peer.wait_asked("POST", "channels/caller-1/snoop")
    snoop = channel() | {"id": "caller-1-snoop"}
    peer.happen("StasisStart", channel=snoop, args=["snoop", "caller-1"])
    peer.wait_asked("POST", "channels/caller-1-snoop/record")
    outcome(starting)


def test_a_talk_that_cannot_be_fetched_stays_where_it_is(peer, desk, tmp_path):
    peer.answer("GET", r"recordings/stored/.*/file", OK, A_SECOND)
    call = desk.call()
    recorded_talk(peer, call, tmp_path / "no-such-folder" / "a.wav")
    stopping = gevent.spawn(call.stop_recording, tmp_path / "no-such-folder" / "a.wav")
    peer.wait_asked("POST", "recordings/live/hotline-talk-caller-1/stop")
    done = {"name": "hotline-talk-caller-1", "state": "done", "target_uri": "channel:caller-1-snoop"}
    peer.happen("RecordingFinished", recording=done)
    with pytest.raises(CannotRecord, match="cannot be written"):
        outcome(stopping)
    peer.wait_asked("DELETE", "channels/caller-1-snoop")
    assert not [asked for asked in peer.asked if asked[0] == "DELETE" and "stored" in asked[1]]


def test_what_was_said_before_a_hang_up_is_kept(peer, desk, tmp_path):
    call = desk.call()
    peer.answer("GET", r"recordings/stored/.*/file", OK, A_SECOND)
    record, name = recording(desk, call, tmp_path / "a.wav")
    peer.happen("ChannelHangupRequest", channel=channel())
    peer.happen("RecordingFinished", recording={"name": name, "state": "done", "target_uri": "channel:caller-1"})
    peer.happen("StasisEnd", channel=channel())
    with pytest.raises(CallEnded):
        outcome(record)
    assert (tmp_path / "a.wav").stat().st_size == 16044


# --- two legs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "cause"), [(500, Cause.UNREACHABLE), (400, Cause.FAILED), (409, Cause.FAILED)])
def test_a_leg_that_cannot_be_dialled(peer, desk, status, cause):
    peer.answer("POST", "channels/leg-1", status, {"message": "no"})
    leg = desk.switch.dial("1001", call_id=CallId("leg-1"), caller="1", ring_for=5)
    with pytest.raises(NotAnswered) as refused:
        leg.answered()
    assert refused.value.cause is cause


def test_a_number_whose_trunk_cannot_be_asked_for_is_not_dialled_and_blocks_nothing(peer, desk):
    peer.answer("GET", "asterisk/variable", 503, {"message": "no"})
    for _ in range(2):
        leg = desk.switch.dial("tel:+861", call_id=CallId("leg-1"), caller="1", ring_for=5)
        with pytest.raises(NotAnswered) as refused:
            leg.answered()
        assert refused.value.cause is Cause.FAILED


def test_a_leg_that_asterisk_never_heard_of_is_forgotten(peer, desk, monkeypatch):
    monkeypatch.setattr(Ari.request, "__kwdefaults__", {"within": 0.2, "by_http": False})
    monkeypatch.setattr(line, "OVERDUE", -1)
    peer.answer("GET", "asterisk/variable", NEVER)
    chatter = gevent.spawn(chat, peer)
    try:
        for _ in range(2):
            with pytest.raises(SwitchLost):
                desk.switch.dial("tel:+861", call_id=CallId("leg-1"), caller="1", ring_for=5)
            assert desk.switch.strays() == {}
    finally:
        chatter.kill()


def test_an_answer_that_crosses_our_cancel_is_hung_up(peer, desk):
    peer.answer("POST", "channels/leg-1", OK, channel("leg-1", "Down"))
    leg = desk.switch.dial("1001", call_id=CallId("leg-1"), caller="1", ring_for=5)
    leg.hang_up()
    peer.wait_asked("DELETE", "channels/leg-1")
    peer.happen("StasisStart", channel=channel("leg-1"), args=["dialled"])
    with pytest.raises(NotAnswered) as refused:
        leg.answered()
    assert refused.value.cause is Cause.CANCELLED


def test_an_answered_leg_that_nobody_waits_for_is_hung_up(peer, desk):
    peer.happen("StasisStart", channel=channel("left-over"), args=["dialled"])
    peer.wait_asked("DELETE", "channels/left-over")


def test_a_leg_that_is_gone_when_it_is_joined(peer, desk):
    call, leg = desk.call(), desk.leg()
    peer.answer("POST", r"bridges/[^/]+/addChannel", 400, {"message": "Channel not found"})
    with pytest.raises(CannotJoin):
        call.join(leg)
    assert call.wait(0) is None


def test_who_stays_in_a_bridge_is_told_once_whatever_comes_first(peer, desk):
    call, _, bridge = desk.talk()
    peer.happen("ChannelHangupRequest", channel=channel("agent-1"))
    left(peer, bridge, "agent-1", stays=["caller-1"])
    peer.happen("StasisEnd", channel=channel("agent-1"))
    assert call.wait(2) == Parted()
    assert call.wait(0.1) is None
    peer.wait_asked("DELETE", f"bridges/{bridge}")


def test_who_is_left_alone_hears_something_only_once_it_is_out_of_the_bridge(peer, desk):
    """Before, Asterisk drops what shall be played, and says nothing."""
    call, _, bridge = desk.talk()
    left(peer, bridge, "agent-1", stays=["caller-1"])
    assert call.wait(2) == Parted()
    music = gevent.spawn(call.hold, "calm")
    peer.wait_asked("DELETE", f"bridges/{bridge}")
    gevent.sleep(0.05)
    assert not any(path == "channels/caller-1/moh" for _, path, _ in peer.asked)
    left(peer, bridge, "caller-1", stays=[])
    peer.wait_asked("POST", "channels/caller-1/moh")
    music.get(timeout=2)


def test_who_is_left_alone_while_the_connection_is_down_hears_something_only_once_it_is_out(peer, desk, monkeypatch):
    monkeypatch.setattr(line, "PARTING", 0.05)
    call, _, bridge = desk.talk()
    still_there(peer)
    peer.answer("GET", f"bridges/{bridge}", OK, {"id": bridge, "channels": ["caller-1"]})
    peer.answer("GET", "asterisk/variable", 503)  # nobody is let in
    left(peer, bridge, "agent-1", stays=["caller-1"])
    peer.hang_up()
    desk.wait_until(lambda: not desk.switch.connected)
    music = gevent.spawn(call.hold, "calm")
    gevent.sleep(3 * line.PARTING)
    peer.answer("GET", "asterisk/variable", OK, {"value": ""})
    music.get(timeout=5)
    asked = [f"{method} {path}" for method, path, _ in peer.asked]
    assert asked.index(f"DELETE bridges/{bridge}") < asked.index("POST channels/caller-1/moh")


def test_a_bridge_that_somebody_else_destroyed_parts_both(peer, desk):
    call, leg, bridge = desk.talk()
    left(peer, bridge, "agent-1", stays=["caller-1"])
    left(peer, bridge, "caller-1", stays=[])
    assert (call.wait(2), leg.wait(2)) == (Parted(), Parted())
    assert (call.wait(0.05), leg.wait(0)) == (None, None)


# --- nonsense ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": 7},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": None, "args": None},
        {"type": "StasisStart", "channel": {"id": "x"}, "args": ["call"]},
        {"type": "ChannelDtmfReceived", "channel": {"id": "caller-1"}},
        {"type": "PlaybackFinished", "playback": {"target_uri": "bridge:x"}},
        {"type": "ChannelLeftBridge", "channel": {"id": "a"}, "bridge": {}},
        {"type": "RESTResponse", "request_id": "no such"},
        {"type": "RESTResponse"},
    ],
)
def test_an_event_that_makes_no_sense_harms_nobody(peer, desk, event):
    call = desk.call()
    peer.say(json.dumps(event))
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="5")
    assert call.wait(2) == Key("5")


def test_a_flood_of_keys_keeps_nothing_else_out(peer, desk):
    call = desk.call()
    for _ in range(3000):
        peer.happen("ChannelDtmfReceived", channel=channel(), digit="1")
    peer.happen("ChannelHangupRequest", channel=channel())
    desk.wait_until(lambda: call.line.inbox.ended is not None)
    with pytest.raises(CallEnded):
        call.wait(0)


def test_a_backlog_of_events_keeps_nobody_else_waiting(peer, desk):
    call = desk.call()
    text = json.dumps({"type": "ChannelDtmfReceived", "channel": channel("nobody"), "digit": "1"}).encode()
    frame = b"\x81\x7e" + len(text).to_bytes(2, "big") + text
    last = json.dumps({"type": "ChannelDtmfReceived", "channel": channel(), "digit": "9"}).encode()
    backlog = frame * 5000 + b"\x81\x7e" + len(last).to_bytes(2, "big") + last
    turns = 0

    def work():
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    worker = gevent.spawn(work)
    sending = gevent.spawn(peer.say_bytes, backlog)
    assert call.wait(20) == Key("9")
    worker.kill()
    sending.join()
    assert turns > len(backlog) / 16_384


GARBAGE = {
    "no JSON": b"\x81\x05hello",
    "no object": b"\x81\x02[]",
    "no UTF-8": b"\x81\x02\xff\xfe",
    "an impossible opcode": b"\x83\x00",
    "a masked frame": b"\x81\x82abcdef",
    "a reserved bit": b"\xc1\x00",
    "a length beyond all bounds": b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    "half a frame": b"\x81\x10abc",
    "a close": b"\x88\x02\x03\xe8",
    "a continuation of nothing": b"\x80\x01a",
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_ends_the_connection_and_nothing_else(peer, desk, garbage):
    call = desk.call()
    still_there(peer)
    before = peer.connections
    peer.say_bytes(GARBAGE[garbage])
    peer.hang_up()
    desk.wait_until(lambda: peer.connections > before)
    desk.wait_until(lambda: desk.switch.connected)
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="5")
    assert call.wait(2) == Key("5")


def test_a_message_without_end_is_not_kept(peer, desk, monkeypatch):
    monkeypatch.setattr(websocket, "MOST_BYTES", 10_000)
    before = peer.connections
    peer.say_bytes(b"\x01\x7d" + b"x" * 125)
    for _ in range(200):
        try:
            peer.say_bytes(b"\x00\x7d" + b"x" * 125)
        except OSError:
            break
        gevent.sleep(0)
    desk.wait_until(lambda: peer.connections > before)
    desk.wait_until(lambda: desk.switch.connected)


def test_a_message_in_many_frames_is_one_message(peer, desk):
    call = desk.call()
    text = json.dumps({"type": "ChannelDtmfReceived", "channel": channel(), "digit": "7"}).encode()
    cut = [text[at : at + 50] for at in range(0, len(text), 50)]
    for number, part in enumerate(cut):
        first = 0x80 if number == len(cut) - 1 else 0
        peer.say_bytes(bytes([first | (0 if number else 1), len(part)]) + part)
    assert call.wait(2) == Key("7")


# --- the connection ---------------------------------------------------------------------------------


def test_requests_go_by_http_where_the_websocket_takes_none(peer, monkeypatch, tmp_path):
    monkeypatch.setattr(websocket, "PROBE_WITHIN", 0.1)
    peer.requests_by_websocket = False
    desk = Desk(peer)
    call = desk.call()
    play, name = playing(desk, call, tmp_path)
    peer.happen("PlaybackFinished", playback={"id": name, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(play) is None
    desk.letting_go.set()
    desk.switch.stop()


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_refused_websocket_is_tried_again(peer, status):
    peer.handshake_status = status
    switch = Asterisk(url=peer.url, password="wrong", clock=RealClock())
    switch.serve(lambda call: None)
    with gevent.Timeout(5):
        while peer.connections < 4:
            gevent.sleep(0.01)
    assert not switch.connected
    with pytest.raises(SwitchLost):
        switch.dial("1001", call_id=CallId("x"), caller="1", ring_for=1)
    peer.handshake_status = 101
    with gevent.Timeout(5):
        while not switch.connected:
            gevent.sleep(0.01)
    switch.stop()


def test_nobody_there():
    switch = Asterisk(url="http://127.0.0.1:1", password="secret", clock=RealClock())
    with pytest.raises(SwitchLost):
        switch.calls()
    with pytest.raises(SwitchLost):
        switch.registrations()
    with pytest.raises(SwitchLost):
        switch.adopt(CallId("x"))


def test_a_server_that_is_no_asterisk_is_not_taken_for_one(peer):
    peer.answer("GET", "asterisk/info", OK, ["what?"])
    switch = Asterisk(url=peer.url, password="secret", clock=RealClock())
    switch.serve(lambda call: None)
    with gevent.Timeout(5):
        while peer.connections < 4:
            gevent.sleep(0.01)
    assert not switch.connected
    peer.answer("GET", "asterisk/info", OK, {"system": {"version": "22.0.0"}})
    with gevent.Timeout(5):
        while not switch.connected:
            gevent.sleep(0.01)
    assert switch.version == "Asterisk 22.0.0"
    switch.stop()


@pytest.mark.parametrize(
    ("path", "odd", "good"),
    [
        ("asterisk/variable", {}, {"value": ""}),
        ("asterisk/variable", [], {"value": ""}),
        ("asterisk/variable", {"value": None}, {"value": ""}),
        ("applications", {"name": "hotline"}, []),
        ("applications", [{"name": "hotline"}], []),
        ("channels", [{}], []),
    ],
)
def test_an_odd_answer_while_connecting_does_not_end_connecting(peer, path, odd, good):
    peer.answer("GET", path, OK, odd)
    switch = Asterisk(url=peer.url, password="secret", clock=RealClock())
    switch.serve(lambda call: None)
    peer.wait_asked("GET", path)
    peer.wait_asked("GET", path)
    assert not switch.connected
    peer.answer("GET", path, OK, good)
    with gevent.Timeout(5):
        while not switch.connected:
            gevent.sleep(0.01)
    switch.stop()


def test_what_nobody_foresaw_while_connecting_does_not_end_connecting(peer, monkeypatch, capsys):
    known = websocket.Session.probe

    def fails_once(session):
        monkeypatch.setattr(websocket.Session, "probe", known)
        raise AssertionError("a mistake of ours")

    monkeypatch.setattr(websocket.Session, "probe", fails_once)
    switch = Asterisk(url=peer.url, password="secret", clock=RealClock())
    switch.serve(lambda call: None)
    with gevent.Timeout(5):
        while not switch.connected:
            gevent.sleep(0.01)
    told = capsys.readouterr()
    assert "a mistake of ours" in told.out + told.err
    switch.stop()


def test_a_hang_up_by_http_outlives_a_silence_that_is_no_end_of_the_connection_yet(peer, monkeypatch):
    monkeypatch.setattr(websocket, "PROBE_WITHIN", 0.05)
    monkeypatch.setattr(link, "EACH", 0.05)
    peer.requests_by_websocket = False
    desk = Desk(peer)
    call = desk.call()
    asked = Ari.request

    def refused_twice(ari, method, path, **options):
        if method == "DELETE":
            refusals.append(path)
            if len(refusals) < link.TRIES:
                raise SwitchLost("connection refused")
        return asked(ari, method, path, **options)

    refusals = []
    monkeypatch.setattr(Ari, "request", refused_twice)
    begun = desk.clock.now()
    call.hang_up()
    peer.wait_asked("DELETE", "channels/caller-1")
    assert refusals == ["channels/caller-1"] * link.TRIES
    assert desk.clock.now() - begun >= 1000 * link.EACH * (link.TRIES - 1)
    desk.letting_go.set()
    desk.switch.stop()


def over_a_break(peer, *, listed):
    """What Asterisk has of the caller once the connection is there again."""
    still_there(peer)
    peer.answer("GET", "(playbacks|recordings/live)/.+", *((OK, {}) if listed else (404, {"message": "not found"})))


def test_a_recording_whose_answer_was_lost_is_not_asked_for_twice(peer, desk, tmp_path):
    """Asterisk answers 409 to the second, as it does about a channel that is not ours any more."""
    call = desk.call()
    over_a_break(peer, listed=True)
    peer.answer("POST", "channels/caller-1/record", NEVER, then=peer.hang_up)
    record, name = recording(desk, call, tmp_path / "message.wav")
    peer.answer("POST", "channels/caller-1/record", 409, {"message": "Recording already in progress"})
    desk.wait_until(lambda: peer.websockets == 2 and desk.switch.connected)
    peer.answer("GET", f"recordings/stored/{name}/file", OK, A_SECOND)
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="#")
    peer.wait_asked("POST", f"recordings/live/{name}/stop")
    peer.happen("RecordingFinished", recording={"name": name, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(record).ended == "key"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_prompt_whose_answer_was_lost_is_heard_once_and_to_its_end(peer, desk, tmp_path, arrived):
    call = desk.call()
    over_a_break(peer, listed=arrived)
    peer.answer("POST", "channels/caller-1/play", NEVER, then=peer.hang_up)
    play, playback = playing(desk, call, tmp_path)
    peer.answer("POST", "channels/caller-1/play", OK, {})
    desk.wait_until(lambda: peer.websockets == 2 and desk.switch.connected)
    gevent.sleep(0.05)
    assert sum(path == "channels/caller-1/play" for _, path, _ in peer.asked) == (0 if arrived else 1)
    assert not play.ready()
    peer.happen("PlaybackFinished", playback={"id": playback, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(play) is None


def test_a_prompt_goes_on_where_nobody_can_be_asked_whether_it_still_plays(peer, desk, tmp_path, monkeypatch):
    monkeypatch.setattr(calls, "LOOK_AGAIN", 0.05)
    call = desk.call()
    over_a_break(peer, listed=True)
    play, playback = playing(desk, call, tmp_path)
    peer.answer("GET", "asterisk/variable", 503)  # nobody is let in
    peer.hang_up()
    desk.wait_until(lambda: not desk.switch.connected)
    gevent.sleep(0.2)
    assert not play.ready()
    peer.answer("GET", "asterisk/variable", OK, {"value": ""})
    desk.wait_until(lambda: desk.switch.connected)
    peer.happen("PlaybackFinished", playback={"id": playback, "state": "done", "target_uri": "channel:caller-1"})
    assert outcome(play) is None


def test_a_message_is_fetched_once_the_connection_is_back(peer, desk, tmp_path, monkeypatch):
    monkeypatch.setattr(recordings, "FINISHED_WITHIN", 0.05)
    call = desk.call()
    over_a_break(peer, listed=False)
    record, name = recording(desk, call, tmp_path / "message.wav")
    peer.answer("GET", f"recordings/stored/{name}/file", 404, {"message": "not there yet"})
    peer.answer("GET", "asterisk/variable", 503)  # nobody is let in
    peer.answer("POST", f"recordings/live/{name}/stop", 204, then=lambda: gevent.spawn_later(0.02, peer.hang_up))
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="#")
    desk.wait_until(lambda: not desk.switch.connected)
    gevent.sleep(0.2)
    peer.answer("GET", f"recordings/stored/{name}/file", OK, A_SECOND)
    peer.answer("GET", "asterisk/variable", OK, {"value": ""})
    assert outcome(record).ended == "key"


def test_a_connection_that_breaks_while_it_is_set_up_is_followed_by_another(peer, desk):
    """Asterisk's answer to a listing, by HTTP, may come after the end of the websocket."""
    peer.hang_up()
    peer.answer("GET", "applications", OK, [], then=peer.hang_up)
    desk.wait_until(lambda: peer.websockets >= 3)
    assert not desk.switch.connected
    peer.answer("GET", "applications", OK, [])
    desk.wait_until(lambda: desk.switch.connected)
    assert desk.call("caller-2").wait(0.05) is None


def test_a_stop_in_the_moment_in_which_the_connection_breaks(desk, monkeypatch):
    call = desk.call()
    monkeypatch.setattr(websocket.Session, "say_goodbye", lambda session: session.end("Connection reset by peer"))
    desk.switch.stop()
    with pytest.raises(CallEnded):
        call.wait(1)


def test_an_error_of_ours_while_an_event_is_taken_is_followed_by_another_connection(peer, desk, monkeypatch):
    before = peer.websockets

    def fails(line, digit):
        raise AssertionError("a mistake of ours")

    call = desk.call()
    still_there(peer)
    with monkeypatch.context() as patch:
        patch.setattr(line.Line, "pressed", fails)
        peer.happen("ChannelDtmfReceived", channel=channel(), digit="1")
        desk.wait_until(lambda: peer.websockets > before and desk.switch.connected)
    peer.happen("ChannelDtmfReceived", channel=channel(), digit="2")
    assert call.wait(2) == Key("2")


def test_garbage_instead_of_the_websockets_opening_does_not_end_connecting(peer, monkeypatch):
    known = Peer._serve_websocket
    monkeypatch.setattr(Peer, "_serve_websocket", lambda self, socket, _: socket.sendall(b"\x00\xff nonsense\r\n\r\n"))
    switch = Asterisk(url=peer.url, password="secret", clock=RealClock())
    switch.serve(lambda call: None)
    with gevent.Timeout(5):
        while peer.connections < 4:
            gevent.sleep(0.01)
    assert not switch.connected
    monkeypatch.setattr(Peer, "_serve_websocket", known)
    with gevent.Timeout(5):
        while not switch.connected:
            gevent.sleep(0.01)
    switch.stop()


def test_calls_that_are_gone_after_a_reconnect_are_lost(peer, desk):
    call = desk.call()
    peer.hang_up()
    with pytest.raises(CallEnded) as ended:
        call.wait(5)
    assert ended.value.cause is Cause.SWITCH_LOST


def test_a_parting_that_nobody_told_us_is_found_after_a_reconnect(peer, desk):
    call, leg, bridge = desk.talk()
    still_there(peer)
    peer.answer("GET", f"bridges/{bridge}", OK, {"id": bridge, "channels": ["caller-1"]})
    peer.hang_up()
    assert call.wait(5) == Parted()
    with pytest.raises(CallEnded):
        leg.wait(1)


@pytest.mark.parametrize("done", [True, False])
def test_a_join_whose_answer_was_lost_is_asked_for_again_only_where_it_was_not_done(peer, desk, done):
    """To join two anew who are joined takes them out of their talk first."""
    call, leg = desk.call(), desk.leg()
    both = [channel(), channel("agent-1")]
    peer.answer("GET", "applications", OK, [{"name": "hotline", "channel_ids": ["caller-1", "agent-1"]}])
    peer.answer("GET", "channels", OK, both)
    members = ["caller-1", "agent-1"] if done else []
    peer.answer("GET", r"bridges/.+", OK, {"id": "the bridge", "channels": members})
    peer.answer("POST", r"bridges/[^/]+/addChannel", NEVER, then=peer.hang_up)
    joined = gevent.spawn(call.join, leg)
    peer.wait_asked("POST", r"bridges/[^/]+/addChannel")
    peer.answer("POST", r"bridges/[^/]+/addChannel", 204)
    joined.get(timeout=5)
    assert any("addChannel" in path for _, path, _ in peer.asked) is not done
    assert (call.wait(0), leg.wait(0)) == (None, None)


def test_an_outage_that_lasts_ends_calls_for_us_and_what_lives_on_is_there_to_be_taken_again(peer):
    desk = Desk(peer, patience=0.3)
    call = desk.call()
    peer.handshake_status = 503
    still_there(peer)
    peer.hang_up()
    with pytest.raises(CallEnded) as ended:
        call.wait(5)
    assert ended.value.cause is Cause.SWITCH_LOST
    peer.handshake_status = 101
    desk.wait_until(lambda: desk.switch.connected)
    assert list(desk.switch.strays()) == ["caller-1"]
    peer.answer("GET", "channels/caller-1", OK, channel())
    assert desk.switch.adopt(CallId("caller-1")).wait(0) is None
    assert not [path for method, path, _ in peer.asked if method == "DELETE" and path.startswith("channels")]
    desk.letting_go.set()
    desk.switch.stop()


def test_those_who_talk_through_an_outage_that_lasts_are_left_to_talk(peer):
    desk = Desk(peer, patience=0.3)
    call, leg, bridge = desk.talk()
    peer.handshake_status = 503
    peer.answer("GET", "applications", OK, [{"name": "hotline", "channel_ids": ["caller-1", "agent-1"]}])
    peer.answer("GET", "channels", OK, [channel(), channel("agent-1")])
    peer.answer("GET", f"bridges/{bridge}", OK, {"id": bridge, "channels": ["caller-1", "agent-1"]})
    peer.hang_up()
    for each in (call, leg):
        with pytest.raises(CallEnded) as ended:
            each.wait(5)
        assert ended.value.cause is Cause.SWITCH_LOST
    peer.handshake_status = 101
    desk.wait_until(lambda: desk.switch.connected)
    desk.call("caller-2")
    peer.answer("GET", "bridges", OK, [{"id": bridge, "channels": ["caller-1", "agent-1"]}])
    strays = desk.switch.strays()
    assert {stray.joined_to for stray in strays.values()} == {"caller-1", "agent-1"}
    assert not [path for method, path, _ in peer.asked if method == "DELETE"]
    desk.letting_go.set()
    desk.switch.stop()


def test_a_newer_controller_is_given_way_to(peer, desk):
    call = desk.call()
    peer.happen("ApplicationReplaced")
    peer.hang_up()
    with pytest.raises(CallEnded) as ended:
        call.wait(5)
    assert ended.value.cause is Cause.SUPERSEDED
    call.hang_up()
    newer = Desk(peer)
    newer.call("caller-2")
    assert not [path for method, path, _ in peer.asked if method == "DELETE"]
    assert peer.websockets == 2
    assert not desk.switch.connected
    assert desk.switch.superseded
    newer.letting_go.set()
    newer.switch.stop()


def test_an_older_controller_stays_away(peer):
    peer.answer("GET", "asterisk/variable", OK, {"value": "5000"})
    older = Asterisk(url=peer.url, password="secret", clock=RealClock(), epoch=4999)
    older.serve(lambda call: None)
    peer.wait_asked("GET", "asterisk/variable")
    newer = Asterisk(url=peer.url, password="secret", clock=RealClock(), epoch=5001)
    newer.serve(lambda call: None)
    with gevent.Timeout(5):
        while not newer.connected:
            gevent.sleep(0.01)
    assert peer.websockets == 1
    assert not older.connected
    assert older.superseded
    assert not newer.superseded
    older.stop()
    newer.stop()


# --- adopting ---------------------------------------------------------------------------------------


def test_a_call_that_is_not_ours_cannot_be_adopted(peer, desk):
    peer.answer("GET", "channels/elsewhere", OK, channel("elsewhere") | {"dialplan": {"app_name": "Dial"}})
    with pytest.raises(NoSuchCall):
        desk.switch.adopt(CallId("elsewhere"))
    with pytest.raises(NoSuchCall):
        desk.switch.adopt(CallId("nowhere"))


def test_a_call_that_goes_while_it_is_adopted_cannot_be_adopted(peer, desk):
    still_there(peer)
    peer.answer("GET", "channels/caller-1(/variable)?", 404, {"message": "Channel not found"})
    with pytest.raises(NoSuchCall):
        desk.switch.adopt(CallId("caller-1"))


@pytest.mark.parametrize("refused", ["applications", "channels", "bridges", "endpoints/PJSIP"])
def test_an_asterisk_that_does_not_say_what_lives_on_it(peer, desk, refused):
    peer.answer("GET", refused, 500, {"message": "no"})
    with pytest.raises(SwitchLost):
        _ = desk.switch.registrations() if refused.startswith("endpoints") else desk.switch.calls()


def test_a_call_on_which_nothing_was_remembered_is_adopted(peer, desk):
    still_there(peer)
    peer.answer("GET", "channels/caller-1", OK, channel())
    peer.answer("GET", "channels/caller-1/variable", 404, {"message": "Provided variable was not found"})
    assert desk.switch.adopt(CallId("caller-1")).remembered == {}


def test_an_adopted_call_that_talks_parts_when_the_other_leaves(peer, desk):
    there = [channel("a", HOTLINE_DIALLED="1000"), channel("b")]
    peer.answer("GET", "channels/a", OK, there[0])
    peer.answer("GET", "channels/a/variable", OK, {"value": "not ours"})
    peer.answer("GET", "channels", OK, there)
    peer.answer("GET", "applications", OK, [{"name": "hotline", "channel_ids": ["a", "b"]}])
    peer.answer("GET", "bridges", OK, [{"id": "hotline-bridge-a-1", "channels": ["a", "b"]}])
    call = desk.switch.adopt(CallId("a"))
    assert (call.dialled, call.remembered) == ("1000", {})
    assert desk.switch.calls()[CallId("a")].joined_to == "b"
    bridge = {"id": "hotline-bridge-a-1", "channels": ["a"]}
    peer.happen("ChannelLeftBridge", channel=channel("b"), bridge=bridge)
    assert call.wait(2) == Parted()


def test_a_talk_that_ended_before_anybody_listened_to_it_parts_the_leg_that_is_left(peer, desk):
    peer.answer("GET", "channels/a", OK, channel("a", HOTLINE_DIALLED="1000"))
    peer.answer("GET", "channels/a/variable", OK, {"value": ""})
    peer.answer("GET", "bridges", OK, [{"id": "hotline-bridge-a-1", "channels": ["a"]}])
    peer.answer("GET", "bridges/hotline-bridge-a-1", OK, {"id": "hotline-bridge-a-1", "channels": ["a"]})
    call = desk.switch.adopt(CallId("a"))
    assert call.was_joined
    assert call.wait(2) == Parted()
    peer.wait_asked("DELETE", "bridges/hotline-bridge-a-1")


def test_who_has_missed_that_it_is_out_of_its_bridge_waits_for_that_once(peer, desk, monkeypatch):
    monkeypatch.setattr(line, "PARTING", 0.05)
    call, _, bridge = desk.talk()
    left(peer, bridge, "agent-1", stays=["caller-1"])
    assert call.wait(2) == Parted()
    call.hold("calm")
    monkeypatch.setattr(line, "PARTING", 60)
    call.hold("other")
    assert [path for _, path, _ in peer.asked if path.endswith("/moh")] == ["channels/caller-1/moh"] * 2


def test_who_was_out_of_its_bridge_while_nobody_listened_is_known_to_be_after_a_reconnect(peer, desk, monkeypatch):
    monkeypatch.setattr(line, "PARTING", 60)
    call, _, bridge = desk.talk()
    still_there(peer)
    peer.answer("GET", f"bridges/{bridge}", 404, {"message": "Bridge not found"})
    left(peer, bridge, "agent-1", stays=["caller-1"])
    assert call.wait(2) == Parted()
    before = peer.websockets
    peer.hang_up()
    desk.wait_until(lambda: peer.websockets > before and desk.switch.connected)
    gevent.spawn(call.hold, "calm").get(timeout=5)
    assert call.wait(0) is None


def test_a_bridge_that_is_gone_may_not_have_let_its_channels_go_yet(peer, desk, monkeypatch):
    monkeypatch.setattr(line, "SETTLED", 60)
    monkeypatch.setattr(line, "PARTING", 60)
    call, _, bridge = desk.talk()
    still_there(peer)
    peer.answer("GET", f"bridges/{bridge}", 404, {"message": "Bridge not found"})
    peer.hang_up()
    assert call.wait(5) == Parted()
    music = gevent.spawn(call.hold, "calm")
    desk.wait_until(lambda: desk.switch.connected)
    gevent.sleep(0.05)
    assert not any(path == "channels/caller-1/moh" for _, path, _ in peer.asked)
    left(peer, bridge, "caller-1", stays=[])
    peer.wait_asked("POST", "channels/caller-1/moh")
    music.get(timeout=2)


def test_who_leaves_a_bridge_over_a_new_connection_has_the_whole_time_for_it(peer, desk, monkeypatch):
    monkeypatch.setattr(line, "PARTING", 0.6)
    call, _, bridge = desk.talk()
    still_there(peer)
    peer.answer("GET", f"bridges/{bridge}", OK, {"id": bridge, "channels": ["caller-1"]})
    left(peer, bridge, "agent-1", stays=["caller-1"])
    assert call.wait(2) == Parted()
    music = gevent.spawn(call.hold, "calm")
    gevent.sleep(0.1)
    peer.hang_up()
    gevent.sleep(0.8)
    assert not any(path == "channels/caller-1/moh" for _, path, _ in peer.asked)
    left(peer, bridge, "caller-1", stays=[])
    music.get(timeout=2)


def test_who_comes_while_asterisk_is_asked_what_lives_there_is_not_taken_for_lost(peer):
    desks = []

    def comes():
        """The answer was made before this call came, and arrives after it."""
        peer.answer("GET", "channels", OK, [])
        peer.happen("StasisStart", channel=channel("early"), args=["call", "1000", ""])
        with gevent.Timeout(5):
            while not desks[0].calls:
                gevent.sleep(0.005)

    peer.answer("GET", "channels", OK, [], then=comes)

    class Early(Desk):
        def wait_until(self, true, within=5.0):
            desks.append(self)
            super().wait_until(true, within)

    desk = Early(peer)
    assert desk.calls[0].wait(0) is None
    desk.letting_go.set()
