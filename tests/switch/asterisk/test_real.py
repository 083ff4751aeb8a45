"""What the contract does not ask, on a real Asterisk: our dialplan, hostile callers, transfers, full disks."""

from __future__ import annotations

import pytest
from gevent.event import Event

from switch.port import ANY, CallEnded, CallId, Cause, Key, NotAnswered, SwitchLost
from tests.live import rtp, sipp
from tests.switch.asterisk import exchange as exchanges
from tests.switch.asterisk.rig import Rig, aside

pytestmark = [pytest.mark.live, pytest.mark.asterisk]

HASH = frozenset("#")


@pytest.fixture
def rig(exchange, tmp_path):
    rig = Rig(exchange, tmp_path)
    yield rig
    rig.close()


# --- who calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialled", ["*10", "*97", "1000"])
def test_an_agents_phone_is_known_by_the_account_that_it_proved(rig, dialled):
    rig.serve(lambda call: (call.account, call.dialled))
    phone = rig.phone("1001")
    aside(phone.phone.dial, dialled)
    assert rig.result() == ("1001", dialled)


@pytest.mark.parametrize("number", ["1001", "1002"])
def test_a_caller_from_the_trunk_who_shows_an_agents_number_is_no_agent(rig, number):
    rig.serve(lambda call: (call.account, call.caller))
    rig.caller(number)
    assert rig.result() == ("", number)


def test_a_phone_without_the_password_does_not_get_in(rig):
    taken = []
    rig.serve(taken.append)
    rig.phones.trunk = ("127.0.0.1", rig.exchange.site.agents_port)
    far = rig.caller("1001")
    rig.wait_until(lambda: not far.up)
    assert far.leg.ended.startswith("refused")
    assert not taken


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("${SHELL(touch PWNED)}", "${SHELL(touch PWNED)}"),
        ("a,b;c|d&e", "a,b;c|d&e"),
        ("line\u2028end", "line\u2028end"),
        ("%0A%0Dx: y", "%0A%0Dx: y"),
        ("名字 😀", "名字 😀"),
        ("n" * 4000, "n" * 79),
    ],
    ids=["an expression", "separators", "a line separator", "percents", "any script", "4 KB"],
)
def test_a_callers_name_is_only_a_name(rig, name, heard, tmp_path):
    name = name.replace("PWNED", str(tmp_path / "pwned"))

    def flow(call):
        call.answer()
        call.remember("name", call.caller_name)
        return call.caller_name, rig.switch.calls()[call.id].remembered["name"]

    rig.serve(flow)
    rig.caller(name=name)
    shown, kept = rig.result()
    assert shown == kept
    assert shown[:20] == heard.replace("PWNED", str(tmp_path / "pwned"))[:20]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "dialled", ["1000%24%7bSHELL%28touch%20PWNED%29%7d", "1000%2cb", "+8613800000001", "hotline", "1000&PJSIP"]
)
def test_a_dialled_number_is_only_a_number(rig, dialled, tmp_path):
    rig.serve(lambda call: call.dialled)
    rig.caller(dialled=dialled.replace("PWNED", str(tmp_path / "pwned")))
    taken = rig.result()
    assert set(taken) <= set("0123456789+*#_.-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert taken[:4] == dialled[:4]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(("how", "keys"), [("RFC 4733", "1*#"), ("INFO", "5")])
def test_keys_come_by_every_way(rig, how, keys):
    def flow(call):
        call.answer()
        call.play([rig.sound("low", 20)], stop_on=ANY)
        return [call.wait(3) for _ in keys]

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    (far.leg.press if how == "RFC 4733" else far.leg.press_by_info)(keys)
    assert rig.result() == [Key(key) for key in keys]


def test_keys_are_heard_in_the_audio_of_a_phone_that_has_no_other_way(rig, monkeypatch):
    offer = sipp._SDP.replace(" 101", "").splitlines()
    monkeypatch.setattr(sipp, "_SDP", "\n".join(line for line in offer if ":101" not in line))

    def flow(call):
        call.answer()
        return call.play([rig.sound("low", 20)], stop_on=ANY)

    rig.serve(flow)
    far = rig.caller()
    far.wait_hears("low")
    five = (exchanges.tone(770, 0.3) // 2) + (exchanges.tone(1336, 0.3) // 2)
    far.leg.say(rtp.once(five))
    assert rig.result() == Key("5")


# --- remembering ----------------------------------------------------------------------------------------


def test_much_can_be_remembered_and_comes_back_as_it_was(rig):
    text = "é${x}\n" * 2000

    def flow(call):
        call.answer()
        call.remember("long", text)
        call.remember("short", "")
        return rig.switch.calls()[call.id].remembered

    rig.serve(flow)
    rig.caller()
    assert rig.result() == {"long": text, "short": ""}


# --- transfers --------------------------------------------------------------------------------------------


def test_a_call_is_transferred_to_an_agent_and_let_go(rig):
    def flow(call):
        call.answer()
        call.hold("calm")
        call.wait(1)
        call.transfer("1001")

    rig.serve(flow)
    phone = rig.phone("1001")
    far = rig.caller()
    phone.wait_rings()
    phone.answer()
    assert rig.result() is Cause.NORMAL
    phone.speak(440, 5)
    far.wait_hears("low")
    assert rig.switch.calls() == {}
    phone.hang_up()
    rig.wait_until(lambda: not far.up)


def test_a_call_is_transferred_to_nobody_and_ends(rig):
    def flow(call):
        call.answer()
        call.transfer("1002")

    rig.serve(flow)
    far = rig.caller()
    assert rig.result() is Cause.NORMAL
    rig.wait_until(lambda: not far.up)


# --- recording ----------------------------------------------------------------------------------------------


def test_a_caller_who_sends_no_audio_at_all_is_silent(rig):
    def flow(call):
        call.answer()
        rig.pass_time(0.5)
        return call.record(rig.directory / "nothing.wav", longest=20, silence=1, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    rig.wait_until(lambda: far.leg.answered_at is not None)
    far.leg.media.stop_sending()
    assert rig.result().ended == "silence"


def test_a_caller_whose_audio_breaks_off_while_talking_is_silent(rig):
    def flow(call):
        call.answer()
        return call.record(rig.directory / "broken.wav", longest=30, silence=1, stop_on=HASH)

    rig.serve(flow)
    far = rig.caller()
    rig.wait_until(lambda: far.leg.answered_at is not None)
    far.speak(440, 20)
    rig.pass_time(2)
    far.leg.media.stop_sending()
    recording = rig.result()
    assert recording.ended == "silence"
    assert recording.seconds < 15


def test_recordings_do_not_pile_up_at_asterisk(rig):
    def flow(call):
        call.answer()
        for number in range(3):
            call.record(rig.directory / f"{number}.wav", longest=0.5, silence=5, stop_on=HASH)
        return call.id

    rig.serve(flow)
    rig.caller()
    call_id = rig.result()
    rig.wait_until(lambda: not list(rig.exchange.recordings.glob(f"*{call_id}*")))


class Forgetful:
    """A link that loses the answer to its first request of a kind, as with a connection that breaks."""

    def __init__(self, link, kind):
        self._link = link
        self._kind = kind
        self._lost = False
        self.connected = True

    def __getattr__(self, name):
        return getattr(self._link, name)

    def request(self, method, path, **parameters):
        answer = self._link.request(method, path, **parameters)
        if path.endswith(self._kind) and not self._lost:
            self._lost, self.connected = True, False
            raise SwitchLost("the answer is lost")
        return answer

    def await_connection(self):
        self.connected = True


def test_a_recording_whose_answer_was_lost_is_the_same_recording(rig):
    def flow(call):
        call.answer()
        call.line.link = Forgetful(call.line.link, "/record")
        return call.record(rig.directory / "message.wav", longest=1, silence=5, stop_on=HASH)

    rig.serve(flow)
    rig.caller()
    assert rig.result().ended == "longest"


@pytest.mark.parametrize("kind", ["/snoop", "/record"])
def test_a_recording_of_both_directions_whose_answer_was_lost_is_the_same_recording(rig, kind):
    def flow(call):
        call.answer()
        call.line.link = Forgetful(call.line.link, kind)
        call.start_recording(rig.directory / "talk.wav")
        call.play([rig.sound("high")])
        return call.stop_recording(rig.directory / "talk.wav")

    rig.serve(flow)
    rig.caller()
    assert round(rig.result()) == 2


def test_a_prompt_whose_answer_was_lost_is_heard_once(rig):
    def flow(call):
        call.answer()
        call.line.link = Forgetful(call.line.link, "/play")
        call.play([rig.sound("high")])
        call.play([rig.sound("low")])

    rig.serve(flow)
    caller = rig.caller()
    rig.result()
    caller.hang_up()
    assert [round(seconds) for seconds in caller.seconds()] == [2, 2]


# --- dialling -------------------------------------------------------------------------------------------------


def test_two_legs_cannot_have_one_id(rig):
    phone = rig.phone("1001")
    rings = Event()

    def flow(call):
        leg = rig.switch.dial("1001", call_id=CallId("one"), caller="1", ring_for=10)
        assert rings.wait(10)
        try:
            rig.switch.dial("1001", call_id=CallId("one"), caller="1", ring_for=10)
        except ValueError:
            leg.hang_up()
            return "refused"

    rig.serve(flow)
    rig.caller()
    phone.wait_rings()
    rings.set()
    assert rig.result() == "refused"
    rig.wait_until(lambda: not phone.up)


def test_what_the_agents_phone_shows_is_harmless(rig):
    phone = rig.phone("1001")

    def flow(call):
        leg = rig.switch.dial(
            "1001", call_id=CallId("one"), caller="138", caller_name='q" <sip:x>\r\nVia: ${SHELL(x)}', ring_for=10
        )
        try:
            leg.answered()
        except NotAnswered:
            return phone.leg.from_header

    rig.serve(flow)
    rig.caller()
    phone.wait_rings()
    shown = phone.leg.from_header
    phone.decline()
    rig.result()
    assert shown.strip().startswith('"q sip x Via SHELL x" <sip:138@')


def test_a_call_that_is_over_cannot_be_spoken_to(rig):
    def flow(call):
        call.answer()
        call.hang_up()
        with pytest.raises(CallEnded):
            call.remember("a", "b")
        with pytest.raises(CallEnded):
            call.hold("calm")
        return "over"

    rig.serve(flow)
    rig.caller()
    assert rig.result() == "over"
