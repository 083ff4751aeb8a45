"""Peers that break off, stop, lie and flood, over real sockets: their connection ends, nothing else notices."""

import struct
import time

import gevent
import pytest
from gevent import socket

from switch.freeswitch import FreeSwitch, client, esl
from switch.port import CallEnded, CallId, CannotRecord, Cause, Key, NotAnswered, Sound, SwitchLost
from tests.live import heard
from tests.switch.freeswitch import peers
from tests.switch.freeswitch.exchange import tone


@pytest.fixture
def house():
    house = peers.House()
    yield house
    house.close()


@pytest.fixture
def sound(tmp_path):
    heard.write_wav(tmp_path / "a.wav", tone(440, 0.1))
    return Sound(tmp_path / "a.wav")


def assert_unharmed(house, sound):
    """A call that comes now is served in full, and nothing of those before is left."""
    good = house.leg("good")
    before = len(house.results)
    good.answer_connect()
    good.obey()
    house.wait_until(lambda: len(house.results) > before)
    assert house.results[-1] is None
    house.wait_until(lambda: not house.switch._calls)
    assert house.switch.connected


def plays(sound):
    def flow(call):
        call.answer()
        return call.play([sound])

    return flow


def test_fifty_callers_that_drop_before_connect_is_answered_leave_nothing(house, sound):
    house.serve(plays(sound))
    for number in range(50):
        leg = house.leg(f"gone-{number}")
        if number % 3 == 0:
            leg.read_command()
        if number % 3 == 1:
            leg.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        leg.close()
    assert_unharmed(house, sound)
    assert house.results == [None]


def test_a_caller_that_drops_right_after_connect_has_its_call_ended(house, sound):
    house.serve(plays(sound))
    leg = house.leg("gone")
    leg.read_command()
    leg.say(peers.recorded_channel("gone"))
    leg.close()
    house.wait_until(lambda: house.results)
    assert isinstance(house.results.pop(), CallEnded)
    assert_unharmed(house, sound)


MID_FRAME = b"Content-Length: 5000\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\nDTMF-Dig"


@pytest.mark.parametrize(
    "lie",
    [
        MID_FRAME,
        b"Content-Length: -5\nContent-Type: text/event-plain\n\n",
        b"Content-Length: 999999999999\nContent-Type: text/event-plain\n\n",
        b"Content-Length: 2000000000\nContent-Type: text/event-plain\n\n",
        b"Content-Length: five\nContent-Type: text/event-plain\n\n",
        b"no header at all\n\n",
        b"\xff\xfe\x00" * 1000 + b"\n\n",
        b"x" * 300_000,
        peers.OK * 20,  # replies to nothing
    ],
    ids=["mid-frame", "negative", "huge", "2 GB", "no number", "no header", "binary", "endless", "replies to nothing"],
)
def test_a_peer_that_lies_ends_its_own_call_and_no_other(house, sound, lie):
    house.serve(lambda call: call.wait(None))
    leg = house.leg("liar")
    bystander = house.leg("bystander")
    for each in (bystander, leg):
        each.answer_connect()
    house.wait_until(lambda: len(house.switch._calls) == 2)
    leg.say(lie)
    leg.close()
    house.wait_until(lambda: house.results)
    assert str(house.results.pop()) == Cause.SWITCH_LOST
    assert set(house.switch._calls) == {"bystander"}
    bystander.say(peers.happened("DTMF", "bystander", DTMF_Digit="7"))
    house.wait_until(lambda: house.results)
    assert house.results == [Key("7")]


def test_a_peer_that_stops_mid_frame_keeps_only_its_own_call_waiting(house, sound):
    house.serve(plays(sound))
    leg = house.leg("slow")
    leg.answer_connect()
    leg.say(MID_FRAME)
    assert_unharmed_beside(house, sound, "slow")
    leg.close()
    house.wait_until(lambda: not house.switch._calls)


def assert_unharmed_beside(house, sound, waiting):
    good = house.leg("good")
    good.answer_connect()
    good.obey()
    house.wait_until(lambda: house.results)
    assert house.results == [None]
    house.wait_until(lambda: set(house.switch._calls) == {waiting})


def test_a_command_that_is_never_answered_has_a_deadline(house, monkeypatch):
    monkeypatch.setattr(client.Connection.request, "__kwdefaults__", {"within": 0.2})
    house.serve(lambda call: call.remember("a", "b"))
    leg = house.leg("deaf")
    leg.answer_connect()
    house.wait_until(lambda: house.results)
    assert str(house.results.pop()) == Cause.SWITCH_LOST
    assert leg.read_command().startswith("api uuid_setvar deaf hotline_r_a =b")
    assert not leg.read_command(), "the connection is closed: its replies can no longer be matched"


def test_a_leg_that_does_not_answer_in_time_is_let_go_and_can_be_taken_over(house, monkeypatch):
    """Asked whether it lives, FreeSWITCH says so by showing it: whoever looks for strays finds it."""
    monkeypatch.setattr(client.Connection.request, "__kwdefaults__", {"within": 0.2})
    house.core.answers["show channels"] = '{"rows": [{"uuid": "deaf"}]}'
    house.core.answers["uuid_dump"] = "variable_hotline: caller\nAnswer-State: answered\n"
    house.serve(lambda call: call.remember("a", "b"))
    house.leg("deaf").answer_connect()
    house.wait_until(lambda: house.results)
    assert list(house.switch.strays()) == ["deaf"]
    adopting = gevent.spawn(house.switch.adopt, "deaf")
    house.wait_until(lambda: any("uuid_transfer deaf" in command for command in house.core.commands))
    house.leg("deaf").answer_connect()
    assert adopting.get(timeout=peers.WITHIN).id == "deaf"
    assert house.switch.strays() == {}
    assert kills(house, "deaf") == 0


def unconfirmed(house, monkeypatch):
    """A leg that we hang up, and that does not answer."""
    monkeypatch.setattr(client.Connection.request, "__kwdefaults__", {"within": 0.2})
    house.serve(lambda call: call.hang_up(Cause.BUSY))
    leg = house.leg("deaf")
    leg.answer_connect()
    assert leg.read_command().startswith("api uuid_kill deaf")
    return leg


def kills(house, call_id):
    return sum(command.split()[1:3] == ["uuid_kill", call_id] for command in house.core.commands)


def test_a_hang_up_that_the_leg_does_not_confirm_is_made_certain(house, monkeypatch):
    unconfirmed(house, monkeypatch)
    house.wait_until(lambda: kills(house, "deaf") == 1)
    house.wait_until(lambda: not house.switch._calls)


def test_a_leg_that_is_to_be_hung_up_is_not_served_again_when_it_comes_back(house, monkeypatch):
    monkeypatch.setattr(client.Inbound.api, "__kwdefaults__", {"within": 0.2})
    house.core.answers["uuid_kill"] = None
    unconfirmed(house, monkeypatch)
    house.wait_until(lambda: kills(house, "deaf") == 1)
    again = house.leg("deaf")
    assert again.read_command() == "connect"
    again.say(peers.recorded_channel("deaf"))
    assert not again.read_command(), "it is closed"
    house.core.answers["uuid_kill"] = "-ERR No such channel!"
    house.wait_until(lambda: "deaf" not in house.switch._unconfirmed)
    assert house.results == [None]


def test_a_leg_that_a_newer_controller_took_before_it_was_hung_up_is_its_own(house):
    house.core.answers["uuid_kill"] = None
    house.serve(lambda call: call.hang_up())
    leg = house.leg("theirs")
    leg.answer_connect()
    assert leg.read_command().startswith("api uuid_kill theirs")
    leg.say(peers.happened("CHANNEL_EXECUTE_COMPLETE", "theirs", variable_hotline_epoch="99"))
    house.wait_until(lambda: not house.switch._calls)
    leg.close()
    assert not list(house.switch._unconfirmed)


def test_a_hang_up_that_is_told_before_its_answer_is_confirmed(house):
    house.serve(lambda call: call.hang_up())
    leg = house.leg("quick")
    leg.answer_connect()
    assert leg.read_command().startswith("api uuid_kill quick")
    leg.say(peers.api("+OK"), peers.happened("CHANNEL_HANGUP", "quick", Hangup_Cause="NORMAL_CLEARING"))
    house.wait_until(lambda: not house.switch._calls)
    assert not list(house.switch._unconfirmed)
    assert kills(house, "quick") == 0


def test_a_peer_that_closes_while_a_command_is_pending_ends_the_call_at_once(house):
    house.serve(lambda call: call.remember("a", "b"))
    leg = house.leg("gone")
    leg.answer_connect()
    leg.read_command()
    leg.close()
    house.wait_until(lambda: house.results)
    assert str(house.results.pop()) == Cause.SWITCH_LOST


def test_a_burst_of_50_000_events_holds_up_nobody(house, sound):
    """While one peer floods, another call is served from its first word to its last."""
    house.serve(lambda call: call.wait(None) if call.id == "flood" else plays(sound)(call))
    flood = house.leg("flood")
    flood.answer_connect()
    house.wait_until(lambda: house.switch._calls)
    batch = b"".join(peers.recorded_events("flood")[:20])
    batch = batch.replace(b"Event-Name: DTMF", b"Event-Name: TALK").replace(b"CHANNEL_HANGUP", b"CHANNEL_STATE_")
    flooding = gevent.spawn(lambda: [flood.say(batch) for _ in range(2500)])
    assert_unharmed_beside(house, sound, "flood")
    assert not flooding.ready(), "the flood was over too soon to show anything"
    flooding.join()
    flood.say(peers.happened("DTMF", "flood", DTMF_Digit="1"))
    house.wait_until(lambda: len(house.results) == 2)
    assert house.results[1] == Key("1")


def test_a_flood_of_keys_is_bounded_and_keeps_the_end_of_a_prompt(house, sound):
    house.serve(plays(sound))
    leg = house.leg("keys")
    leg.answer_connect()
    playing = next(command for command in iter(leg.read_command, "") if "playback\n" in command)
    leg.say(peers.happened("DTMF", "keys", DTMF_Digit="1") * 5000)
    leg.complete(playing)
    house.wait_until(lambda: house.results)
    assert house.results == [None]


def test_forged_headers_stay_text(house):
    house.serve(lambda call: (call.id, call.caller_name, call.wait(None)))
    leg = house.leg("honest")
    assert leg.read_command() == "connect"
    forged = b"Eve%0AUnique-ID%3A%20stolen%0AEvent-Name%3A%20CHANNEL_HANGUP\xe2\x80\xa8Unique-ID: stolen too"
    leg.say(peers.recorded_channel("honest").replace(b"Ann%20O'Neil", forged))
    for _ in range(3):
        leg.read_command()
        leg.say(peers.OK)
    leg.say(peers.happened("DTMF", "honest", DTMF_Digit="5", variable_x=forged.decode()))
    house.wait_until(lambda: house.results)
    call_id, name, key = house.results.pop()
    assert (call_id, key) == ("honest", Key("5"))
    assert name == "Eve\nUnique-ID: stolen\nEvent-Name: CHANNEL_HANGUP\u2028Unique-ID: stolen too"


# --- the connection that we open


def test_a_core_that_refuses_us_is_tried_again(house):
    house.core.PASSWORD = "other"
    house.switch.serve(lambda call: None)
    house.wait_until(lambda: len(house.core.connections) >= 2)
    assert not house.switch.connected
    with pytest.raises(SwitchLost):
        house.switch.drop(CallId("nobody"))  # a turn of the hub and more: it would be let in by now


def test_a_core_that_is_lost_is_found_again(house):
    house.serve(lambda call: None)
    assert house.switch.version == "FreeSWITCH 1.11.2"
    house.core.drop_all()
    house.wait_until(lambda: house.core.connections)
    house.wait_until(lambda: house.switch.connected)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"Content-Length: -1\n\n"])
def test_something_else_on_the_cores_port_is_no_core(house, greeting, monkeypatch):
    monkeypatch.setattr(client, "COMMAND_WITHIN", 0.1)
    house.core.greeting = greeting
    house.switch.serve(lambda call: None)
    house.wait_until(lambda: len(house.core.connections) >= 2)
    assert not house.switch.connected


def test_a_ringing_leg_ends_when_the_core_is_lost(house):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id="leg-1", caller="1000", ring_for=30)
    house.core.drop_all()
    with pytest.raises(Exception, match="switch lost"):
        leg.answered()


def dialled_in(house):
    sock = socket.socket()
    sock.settimeout(10)
    sock.connect(("127.0.0.1", house.port))
    return sock


def test_a_crowd_at_the_door_waits_there(monkeypatch):
    monkeypatch.setattr("switch.freeswitch.switch.AT_THE_DOOR", 2)
    house = peers.House()
    house.serve(lambda call: None)
    legs = [dialled_in(house) for _ in range(3)]
    first, second, third = legs
    assert first.recv(100) == second.recv(100) == b"connect\n\n"
    house.switch.drop(CallId("nobody"))  # a turn of the hub and more: it would be let in by now
    third.setblocking(False)
    with pytest.raises(BlockingIOError):
        third.recv(100)
    third.settimeout(10)
    first.close()
    assert third.recv(100) == b"connect\n\n"
    second.close()
    third.close()
    house.close()


def test_one_look_that_breaks_off_is_not_the_last(monkeypatch):
    monkeypatch.setattr("switch.freeswitch.switch.LOOK", 0.001)
    looks = []

    def breaks(_):
        looks.append(1)
        raise KeyError("an answer that nobody foresaw")

    monkeypatch.setattr(FreeSwitch, "_look_at_talks", breaks)
    house = peers.House()
    house.serve(lambda call: None)
    house.wait_until(lambda: len(looks) > 2)
    house.close()


def test_an_agent_who_has_answered_is_not_let_go_when_the_core_is_lost(house):
    """The word that the originate has succeeded may be on its way still."""
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id="leg-1", caller="1000", ring_for=30)
    far = house.leg("leg-1")
    far.answer_connect(hotline="dialled")
    assert leg.answered() is None
    house.core.drop_all()
    house.wait_until(lambda: house.switch.connected)
    assert leg.wait(0.1) is None


def test_what_rings_when_the_core_is_lost_is_stopped_once_it_is_back(house):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id="leg-1", caller="1000", ring_for=30)
    house.core.drop_all()
    with pytest.raises(NotAnswered):
        leg.answered()
    house.wait_until(lambda: "api uuid_kill leg-1 ORIGINATOR_CANCEL" in house.core.commands)
    gevent.spawn(leg.await_gone, 60).get(timeout=peers.WITHIN)


def test_nobody_asks_for_ever_to_stop_what_has_stopped_ringing_by_itself(house):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id="leg-1", caller="1000", ring_for=-1)  # over at once, and a second later
    house.core.stop()
    gevent.spawn(leg.await_gone, 60).get(timeout=peers.WITHIN)
    assert not house.switch.connected


def test_a_goodbye_that_is_no_hang_up_does_not_stand_for_one(house):
    """FreeSWITCH also says it where it unloads the module, or has lost events."""
    house.serve(lambda call: call.hang_up())
    leg = house.leg("leg-1")
    leg.answer_connect()
    while not leg.read_command().startswith("api uuid_kill"):
        continue
    leg.say(b"Content-Type: text/disconnect-notice\nContent-Disposition: disconnect\nContent-Length: 0\n\n")
    leg.close()
    house.wait_until(lambda: any(command.startswith("api uuid_kill leg-1") for command in house.core.commands))


def test_an_answer_that_came_while_we_stood_still_is_an_answer():
    near, far = socket.socketpair()
    connection = client.Connection(near)
    connection.start()
    asking = gevent.spawn(connection.request, esl.command("api x"), within=0.05)
    far.recv(100)
    far.sendall(peers.api("+OK"))
    time.sleep(0.1)  # our whole process stands still
    assert asking.get(timeout=peers.WITHIN).answer == "+OK"
    connection.close()
    far.close()


def test_what_was_never_asked_for_is_not_stopped(house):
    house.serve(lambda call: None)
    house.switch.dial("no address", call_id="leg-1", caller="1000", ring_for=30).await_gone(peers.WITHIN)
    house.core.drop_all()
    house.wait_until(lambda: not house.switch.connected)
    with pytest.raises(SwitchLost):
        house.switch.dial("1001", call_id="leg-2", caller="1000", ring_for=30)
    house.wait_until(lambda: house.switch.connected)
    house.switch.drop(CallId("nobody"))  # whatever was to be said before this has been said
    assert [command for command in house.core.commands if "ORIGINATOR_CANCEL" in command] == []


def test_a_recording_that_freeswitch_does_not_know_is_none_and_nobody_waits_for_its_end(house, tmp_path):
    """It was remembered, and the socket broke before it was begun."""

    def flow(call):
        with pytest.raises(CannotRecord):
            call.mask_recording(tmp_path / "talk.wav", False)
        with pytest.raises(CannotRecord):
            call.stop_recording(tmp_path / "talk.wav")
        return "told"

    house.serve(flow)
    leg = house.leg("leg-1")
    leg.answer_connect()
    while not house.results and (command := leg.read_command()):
        leg.say(peers.api("-ERR Cannot do that!") if command.startswith("api uuid_record") else peers.OK)
    assert house.results == ["told"]
