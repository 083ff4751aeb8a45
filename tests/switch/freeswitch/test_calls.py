"""What a leg makes of what FreeSWITCH says, without FreeSWITCH: its own sentences over a real socket."""

import gevent
import pytest

from switch.freeswitch.music import CODINGS, MODULE
from switch.port import ANY, CallEnded, CallId, CannotJoin, CannotPlay, Cause, Key, NoSuchCall, NotAnswered, Sound
from switch.port import Silence as Pause
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
    heard.write_wav(tmp_path / "a.wav", tone(440, 1))
    return Sound(tmp_path / "a.wav")


ASKED = f"module_exists {MODULE}"


def arrive(house, flow, call_id="leg"):
    house.serve(flow)
    leg = house.leg(call_id)
    leg.answer_connect()
    return leg


def until(leg, words):
    """Obeys in silence until a command has those words, and returns that one, answered."""
    while True:
        command = leg.read_command()
        assert command, f"we never said {words}"
        leg.say(peers.api("+OK") if command.startswith("api") else peers.OK)
        if words in command:
            return command


def result(house):
    house.wait_until(lambda: house.results)
    return house.results.pop(0)


def test_a_leg_costs_four_commands_before_its_first_word(house):
    leg = arrive(house, lambda call: call.wait(None), "few")
    house.wait_until(lambda: house.switch._calls)
    assert [command.split()[0] for command in leg.commands] == ["connect", "linger", "filter", "event"]
    assert leg.commands[1] == "linger 5"
    assert leg.commands[2] == "filter Unique-ID few"


def test_an_end_counts_by_its_uuid_and_not_by_its_name(house, sound):
    leg = arrive(house, lambda call: call.play([sound]))
    playing = until(leg, "playback\n")
    stray = {"Application": "playback", "Application_Response": "FILE PLAYED", "variable_playback_ms": "0"}
    leg.say(peers.happened("CHANNEL_EXECUTE_COMPLETE", "leg", Application_UUID="another", **stray))
    leg.say(peers.happened("CHANNEL_EXECUTE_COMPLETE", "leg", **stray))
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="1"))
    assert not house.results
    leg.complete(playing)
    assert result(house) is None


def test_several_media_are_one_command(house, sound):
    leg = arrive(house, lambda call: call.play([sound, Pause(0.25), sound]))
    playing = until(leg, "playback\n")
    assert playing.endswith(f"\n\nfile_string://{sound.path}!silence_stream://250!{sound.path}")
    leg.complete(playing)
    assert result(house) is None


def test_what_comes_before_a_missing_file_is_played(house, sound, tmp_path):
    leg = arrive(house, lambda call: call.play([sound, Sound(tmp_path / "missing.wav"), sound]))
    playing = until(leg, "playback\n")
    assert playing.endswith(f"\n\n{sound.path}")
    leg.complete(playing)
    assert isinstance(result(house), CannotPlay)


@pytest.mark.parametrize(("response", "played"), [("FILE NOT FOUND", 0), ("PLAYBACK ERROR", 0), ("FILE PLAYED", 300)])
def test_what_was_not_played_is_said(house, sound, response, played):
    leg = arrive(house, lambda call: call.play([sound]))
    leg.complete(until(leg, "playback\n"), response, played)
    assert isinstance(result(house), CannotPlay)


def test_the_keys_that_stop_are_told_once(house, sound):
    def flow(call):
        for keys in (ANY, ANY, frozenset("1#"), frozenset()):
            call.play([sound], stop_on=keys)

    leg = arrive(house, flow)
    for _ in range(4):
        leg.complete(until(leg, "playback\n"))
    assert result(house) is None
    told = [command.split()[-1] for command in leg.commands if "playback_terminators" in command]
    assert told == ["0123456789*#ABCD", "1#", "none"]


def test_a_prompt_waits_for_the_end_of_one_that_a_key_cut(house, sound):
    leg = arrive(house, lambda call: (call.play([sound], stop_on=ANY), call.wait(0), call.play([sound], stop_on=ANY)))
    first = until(leg, "playback\n")
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="4"))
    leg.complete(first, played=200)
    leg.complete(until(leg, "playback\n"))
    assert result(house) == (Key("4"), Key("4"), None)
    assert not any("uuid_break" in command for command in leg.commands)


def test_music_is_broken_off_until_it_has_ended(house, sound):
    def flow(call):
        call.hold("calm")
        return call.play([sound])

    leg = arrive(house, flow)
    music = until(leg, "playback\n")
    assert music.endswith("local_stream://calm")
    until(leg, "uuid_break leg")
    until(leg, "uuid_break leg")
    leg.complete(music)
    leg.complete(until(leg, "playback\n"))
    assert result(house) is None


def test_music_is_not_broken_off_again_before_freeswitch_has_read_that_it_should_be(house, sound):
    """It tells no end while it still reads."""
    leg = arrive(house, lambda call: (call.hold("calm"), call.play([sound])))
    music = until(leg, "playback\n")
    while "uuid_break leg" not in leg.read_command():
        leg.say(peers.OK)
    nudges = b""
    while len(nudges) < 3 * 16:  # of three rounds
        nudges += leg.sock.recv(1)
    assert not nudges.strip()
    leg.say(peers.api("+OK"))
    assert "uuid_break leg" in leg.read_command()
    leg.complete(music)
    leg.say(peers.api("+OK"))
    leg.complete(until(leg, "playback\n"))
    assert result(house) == (None, None)


def test_music_whose_file_is_gone_is_played_by_its_stream(sound):
    house = peers.House(music={"calm": sound.path})
    leg = arrive(house, lambda call: (call.hold("calm"), call.wait(None)))
    from_file = until(leg, "playback\n")
    assert f"\n{sound.path}@@" in from_file
    sound.path.unlink()
    leg.complete(from_file, "FILE NOT FOUND", 0)
    assert until(leg, "playback\n").endswith("local_stream://calm")
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="1"))
    assert result(house) == (None, Key("1"))
    house.close()


def test_a_piece_of_music_that_is_over_begins_anew(sound):
    house = peers.House(music={"calm": sound.path})
    leg = arrive(house, lambda call: (call.hold("calm"), call.wait(None)))
    leg.complete(until(leg, "playback\n"), played=700)
    assert f"\n{sound.path}@@" in until(leg, "playback\n")
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="1"))
    assert result(house) == (None, Key("1"))
    house.close()


@pytest.fixture
def coded(tmp_path):
    """A piece of twenty seconds with its codings beside it."""
    heard.write_wav(tmp_path / "calm.wav", tone(440, 20))
    for coding in CODINGS:
        (tmp_path / f"calm{coding}").write_bytes(bytes(20 * 8000))
    return tmp_path / "calm.wav"


def house_with(music, *, module):
    house = peers.House(music={"calm": music})
    house.core.answers[ASKED] = "true" if module else "false"
    return house


def waits(house, flow=lambda call: (call.hold("calm"), call.wait(None))):
    """Who comes once FreeSWITCH was asked for the module: the leg, and the music that it is to hear."""
    house.serve(flow)
    house.wait_until(lambda: f"api {ASKED}" in house.core.commands)
    house.wait_until(lambda: house.switch._music.native is (house.core.answers[ASKED] == "true"))
    return comes(house)


def comes(house):
    leg = house.leg("leg")
    leg.answer_connect()
    return leg, until(leg, "playback\n")


def test_coded_music_is_played_where_freeswitch_has_the_module_for_it(coded):
    house = house_with(coded, module=True)
    assert f"\n{coded.with_suffix('')}@@" in waits(house)[1]
    house.close()


def test_music_is_played_from_its_wav_file_where_freeswitch_has_no_module(coded):
    house = house_with(coded, module=False)
    assert f"\n{coded}@@" in waits(house)[1]
    house.close()


def test_the_module_is_asked_for_again_when_freeswitch_has_been_away(coded):
    house = house_with(coded, module=False)
    house.serve(lambda call: (call.hold("calm"), call.wait(None)))
    house.wait_until(lambda: f"api {ASKED}" in house.core.commands)
    house.core.answers[ASKED] = "true"
    house.core.drop_all()
    house.wait_until(lambda: house.switch._music.native)
    assert f"\n{coded.with_suffix('')}@@" in comes(house)[1]
    house.close()


RECODED = peers.happened("CODEC", "leg", Channel_Write_Codec_Name="PCMU")


@pytest.mark.parametrize("played", [10_000, 0], ids=["a while", "not yet"])
def test_coded_music_begins_anew_when_the_far_end_changes_the_codec(coded, played):
    house = house_with(coded, module=True)
    leg, playing = waits(house)
    leg.say(RECODED)
    until(leg, "uuid_break leg")
    leg.complete(playing, played=played)
    assert f"\n{coded.with_suffix('')}@@" in until(leg, "playback\n")
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="1"))
    assert result(house) == (None, Key("1"))
    house.close()


def test_music_that_is_no_coding_is_not_broken_off_by_another_codec(coded):
    house = house_with(coded, module=False)
    leg, _ = waits(house, lambda call: (call.hold("calm"), call.wait(None), call.hang_up()))
    leg.say(RECODED, peers.happened("DTMF", "leg", DTMF_Digit="1"))
    leg.obey()
    assert not any("uuid_break" in command for command in leg.commands)
    house.close()


def test_a_prompt_is_not_broken_off_by_another_codec(coded, sound):
    house = house_with(coded, module=True)
    leg, music = waits(house, lambda call: (call.hold("calm"), call.play([sound], stop_on=ANY), call.hang_up()))
    until(leg, "uuid_break leg")
    leg.complete(music)
    prompt = until(leg, "playback\n")
    leg.say(RECODED, peers.happened("DTMF", "leg", DTMF_Digit="1"))
    leg.obey()
    assert not any("uuid_break" in command for command in leg.commands[leg.commands.index(prompt) :])
    house.close()


def test_music_that_does_not_play_does_not_stop_the_wait(house):
    leg = arrive(house, lambda call: (call.hold("none"), call.wait(None)))
    leg.complete(until(leg, "playback\n"), "FILE NOT FOUND", 0)
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="1"))
    assert result(house) == (None, Key("1"))


@pytest.mark.parametrize(
    ("freeswitch", "cause"), [("NORMAL_CLEARING", Cause.NORMAL), ("USER_BUSY", Cause.BUSY), ("ODD", Cause.FAILED)]
)
def test_a_hang_up_brings_its_cause_and_closes_the_socket(house, freeswitch, cause):
    leg = arrive(house, lambda call: call.wait(None))
    leg.say(peers.happened("CHANNEL_HANGUP", "leg", Hangup_Cause=freeswitch))
    assert result(house).cause is cause
    assert leg.read_command() == ""
    assert not house.switch._calls


def test_the_notice_of_the_end_suffices(house):
    leg = arrive(house, lambda call: call.wait(None))
    leg.say(b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n")
    assert result(house).cause is Cause.NORMAL


def test_a_newer_controllers_epoch_ends_our_control_and_keeps_our_socket(house):
    leg = arrive(house, lambda call: call.wait(None))
    leg.say(peers.happened("CHANNEL_EXECUTE_COMPLETE", "leg", variable_hotline_epoch="99"))
    assert result(house).cause is Cause.SUPERSEDED
    leg.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        leg.read_command()


def test_our_own_epoch_ends_nothing_though_the_leg_came_before_it_was_written_there(house):
    leg = arrive(house, lambda call: call.wait(5))
    leg.say(peers.happened("CHANNEL_EXECUTE_COMPLETE", "leg", variable_hotline_epoch=str(house.switch._epoch)))
    leg.say(peers.happened("DTMF", "leg", DTMF_Digit="4"))
    assert result(house) == Key("4")


def test_what_was_remembered_comes_with_the_leg(house):
    house.serve(lambda call: call.remembered)
    leg = house.leg("leg")
    leg.read_command()
    leg.say(peers.recorded_channel("leg")[:-1], b"variable_hotline_r_place: %3Dmenu%252Fone%2520%2525\n\n")
    assert result(house) == {"place": "menu/one %"}


# --- legs that we dial


def test_a_telephone_is_rung_though_the_command_before_is_read_slowly(house, monkeypatch):
    house.serve(lambda call: None)
    monkeypatch.setattr(house.core, "_answer", lambda command: b"")
    for agent in "1001", "1002":
        gevent.spawn(house.switch.dial, agent, call_id=CallId(f"leg-{agent}"), caller="1000", ring_for=10)
    house.wait_until(lambda: len(house.core.jobs_over) == 2)
    first, second = house.core.jobs_over
    assert first is not second


def originated(house):
    house.wait_until(lambda: any("originate" in command for command in house.core.commands))
    return next(command for command in house.core.commands if "originate" in command)


def job_done(house, command, answer):
    job = command.split("job-uuid: ")[1]
    body = answer.encode()
    content = b"Event-Name: BACKGROUND_JOB\nJob-UUID: %b\nContent-Length: %d\n\n%b" % (job.encode(), len(body), body)
    for connection in house.core.told_of_jobs:
        connection.sendall(peers.event(content))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("-ERR USER_BUSY\n", Cause.BUSY),
        ("-ERR CALL_REJECTED\n", Cause.REJECTED),
        ("-ERR USER_NOT_REGISTERED\n", Cause.UNREACHABLE),
        ("-ERR NO_ANSWER\n", Cause.NO_ANSWER),
        ("-USAGE: ...\n", Cause.FAILED),
    ],
)
def test_why_a_phone_was_not_answered(house, answer, cause):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id=CallId("leg-1"), caller="1000", ring_for=10)
    job_done(house, originated(house), answer)
    with pytest.raises(NotAnswered) as refused:
        leg.answered()
    assert refused.value.cause is cause
    assert not house.switch._calls


def test_a_phone_that_answers_comes_by_its_own_socket(house, sound):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id=CallId("leg-1"), caller="1000", ring_for=10)
    job_done(house, originated(house), "+OK leg-1\n")
    far = house.leg("leg-1")
    far.answer_connect(hotline="dialled")
    assert leg.answered() is None
    far.say(peers.happened("DTMF", "leg-1", DTMF_Digit="2"))
    assert leg.wait(5) == Key("2")


def test_a_phone_that_comes_by_the_dialplan_of_before_an_update_is_marked_as_dialled(house):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001", call_id=CallId("leg-1"), caller="1000", ring_for=10)
    job_done(house, originated(house), "+OK leg-1\n")
    far = house.leg("leg-1")
    far.answer_connect(hotline="caller")
    assert far.read_command() == "api uuid_setvar leg-1 hotline dialled"
    far.say(peers.api("+OK"))
    assert leg.answered() is None


def agent_dialled(house):
    """An agent's leg that was answered at its far end, and has yet to come to us."""
    agent = house.switch.dial("1001", call_id=CallId("leg-1"), caller="1000", ring_for=10)
    job_done(house, originated(house), "+OK leg-1\n")
    return agent


def test_who_is_gone_for_us_is_joined_with_nobody(house):
    agents = []

    def join(call):
        with pytest.raises(CannotJoin, match="gone"):
            call.join(agents[0])
        return "not joined"

    house.serve(join)
    agents.append(agent := agent_dialled(house))
    far = house.leg("leg-1")
    far.answer_connect(hotline="dialled")
    assert agent.answered() is None
    far.sock.close()
    house.wait_until(lambda: agent.leg.inbox.ended is not None)
    house.leg("leg").answer_connect()
    assert result(house) == "not joined"


def test_who_is_gone_in_the_moment_of_the_join_has_ended_and_not_the_other(house):
    agents = []

    def join(call):
        with pytest.raises(CallEnded):
            call.join(agents[0])
        return "ended"

    house.serve(join)
    agents.append(agent := agent_dialled(house))
    far = house.leg("leg-1")
    gevent.spawn(lambda: (far.answer_connect(hotline="dialled"), far.obey()))
    assert agent.answered() is None
    caller = house.leg("leg")
    caller.answer_connect()
    while not (command := caller.read_command()).startswith("api uuid_bridge"):
        caller.say(peers.api("+OK") if command.startswith("api") else peers.OK)
    caller.say(peers.api("-ERR Invalid uuid"))
    assert caller.read_command() == "api uuid_exists leg"
    caller.say(peers.api("false"))
    caller.say(peers.happened("CHANNEL_HANGUP", "leg", Hangup_Cause="NORMAL_CLEARING"))
    assert result(house) == "ended"
    assert agent.leg.inbox.ended is None


def test_an_address_that_is_none_is_not_dialled(house):
    house.serve(lambda call: None)
    leg = house.switch.dial("1001}sofia/x", call_id=CallId("leg-1"), caller="1000", ring_for=10)
    with pytest.raises(NotAnswered) as refused:
        leg.answered()
    assert refused.value.cause is Cause.UNREACHABLE
    assert not any("originate" in command for command in house.core.commands)


def test_a_leg_of_a_dead_controllers_dial_is_hung_up(house):
    house.serve(lambda call: "taken")
    far = house.leg("orphan")
    far.read_command()
    far.say(peers.recorded_channel("orphan")[:-1], b"variable_hotline: dialled\n\n")
    until(far, "api uuid_kill orphan")
    assert not house.results


# --- taking over


def test_a_call_that_is_not_there_cannot_be_adopted(house):
    house.core.answers["uuid_getvar"] = "-ERR No such channel!"
    house.serve(lambda call: None)
    with pytest.raises(NoSuchCall):
        house.switch.adopt(CallId("gone"))


def test_a_call_of_a_newer_controller_is_left_alone(house):
    house.core.answers["uuid_getvar"] = "99999999999999"
    house.serve(lambda call: None)
    with pytest.raises(NoSuchCall):
        house.switch.adopt(CallId("theirs"))
    assert not any("uuid_transfer" in command for command in house.core.commands)


def adopted(house, heard):
    """A leg that heard this when it was sent for, and what taking it over will return."""
    house.core.answers["uuid_dump"] = "".join(f"variable_{name}: {value}\n" for name, value in heard.items())
    house.serve(lambda call: None)
    adopting = gevent.spawn(house.switch.adopt, CallId("leg"))
    house.wait_until(lambda: any("uuid_transfer leg" in command for command in house.core.commands))
    return house.leg("leg"), adopting


def test_who_waits_hears_music_again_before_anybody_thinks_about_what_comes_next(house, sound):
    leg, adopting = adopted(
        house, {"current_application": "playback", "current_application_data": "local_stream://calm"}
    )
    assert leg.read_command() == "connect"
    leg.say(peers.recorded_channel("leg"))
    music = until(leg, "playback\n")
    assert music.endswith("local_stream://calm")
    call = adopting.get(timeout=peers.WITHIN)
    call.hold("calm")
    playing = gevent.spawn(call.play, [sound])
    assert "uuid_break leg" in leg.read_command()
    leg.say(peers.api("+OK"))
    leg.complete(music)
    leg.complete(until(leg, "playback\n"))
    assert playing.get(timeout=peers.WITHIN) is None


def test_who_heard_coded_music_hears_it_again_when_taken_over(coded):
    house = house_with(coded, module=True)
    playing = {"current_application": "playback", "current_application_data": f"{coded.with_suffix('')}@@960"}
    leg, _ = adopted(house, playing)
    leg.answer_connect()
    assert f"\n{coded.with_suffix('')}@@" in until(leg, "playback\n")
    house.close()


def test_a_leg_that_came_is_taken_over_though_the_answer_to_our_command_is_lost(house):
    house.core.answers["uuid_transfer"] = None
    leg, adopting = adopted(house, {})
    leg.answer_connect()
    house.wait_until(lambda: house.switch._calls)
    house.core.drop_all()
    assert adopting.get(timeout=peers.WITHIN).id == "leg"


@pytest.mark.parametrize(
    "heard",
    [
        {},
        {"current_application": "playback", "current_application_data": "/prompts/welcome.wav"},
        {"current_application": "socket", "current_application_data": "local_stream://calm"},
    ],
)
def test_who_heard_no_music_hears_none_when_taken_over(house, heard):
    leg, adopting = adopted(house, heard)
    leg.answer_connect()
    adopting.get(timeout=peers.WITHIN).answer()
    assert leg.read_command() == "api uuid_answer leg"


def test_an_id_that_is_none_reaches_no_command(house):
    house.serve(lambda call: None)
    with pytest.raises(ValueError, match="id"):
        house.switch.adopt(CallId("x y\n\napi system"))
