"""The telephones are tested against each other, without a switch, before a switch is tested with them."""

import numpy as np
import pytest

from tests.live import heard, rtp
from tests.live.phones import Late, Phone, Phones


class Unregistered(Phone):
    """A telephone that is dialled at its own address: there is no switch to register at."""

    def _registration(self, expires):
        return


@pytest.fixture
def phones(programs, tmp_path):
    made = Phones(("127.0.0.1", 0), ("127.0.0.1", 0), tmp_path)
    yield made
    made.close()


@pytest.fixture
def agent(phones, tmp_path):
    phone = Unregistered("1001", "", to=("127.0.0.1", 0), log=tmp_path / "agent", tone=1000)
    phone.register()
    phones.trunk = phone.address
    yield phone
    phone.close()


@pytest.fixture
def endpoints():
    made = rtp.Endpoint(), rtp.Endpoint()
    made[0].send_to("127.0.0.1", made[1].port, 8)
    made[1].send_to("127.0.0.1", made[0].port, 0)
    yield made
    for endpoint in made:
        endpoint.close()


def test_two_endpoints_hear_each_others_tone_and_keys(endpoints):
    first, second = endpoints
    first.say(rtp.tone(440))
    second.say(rtp.tone(1000))
    first.press("19*#")
    assert second.wait_until(lambda: second.keys_heard == "19*#", 5)
    assert second.wait_until(lambda: heard.tone_seconds(second.heard(), 440) > 0.5, 5)
    assert first.wait_until(lambda: heard.tone_seconds(first.heard(), 1000) > 0.5, 5)


def test_what_was_heard_stands_where_it_was_heard(endpoints):
    first, second = endpoints
    begun = second.now()
    first.say(rtp.tone(440))
    second.wait_until(lambda: second.now() > begun + 1, 5)
    first.stop_sending()
    stopped = second.now()
    second.wait_until(lambda: second.now() > stopped + 1, 5)
    tone, *more = heard.tones(second.heard(), 440)
    assert not more
    assert (tone.start, tone.end) == pytest.approx((begun, stopped), abs=0.15)
    assert heard.longest_silence(second.heard(stopped)) > 0.8


def test_a_stream_that_jumps_is_placed_by_the_clock_and_one_that_jitters_is_not():
    line = rtp.Timeline()
    packet = np.full(160, 1000, np.int16)
    for index in range(50):
        line.put(7, 5000 + 160 * index, 1.0 + 0.02 * index + (0.1 if index % 7 == 3 else 0.0), packet)
    line.put(7, 5000 + 160 * 50, 4.0, packet)  # the time stamps stood still for two seconds
    audio = line.until(5.0)
    assert len(audio) == 5 * rtp.RATE
    assert np.all(audio[8000:16000] == 1000)
    assert not np.any(audio[16000:32000])
    assert np.all(audio[32000:32160] == 1000)


def test_a_caller_talks_with_a_telephone_until_one_of_them_hangs_up(phones, agent):
    for ends in ("caller", "agent"):
        caller = phones.call("1001", tone=440)
        caller.wait_answered()
        rung = agent.call
        caller.press("12#")
        caller.press_by_info("5")
        caller.wait_for_tone(1000)
        rung.wait_for_tone(440)
        assert rung.media.wait_until(lambda rung=rung: rung.media.keys_heard == "12#", 5)
        (caller if ends == "caller" else rung).hang_up()
        assert (caller.wait_ended(), rung.wait_ended()) == (("us", "them") if ends == "caller" else ("them", "us"))


def test_a_display_name_arrives_as_it_was_sent(phones, agent):
    for name in ("a ${system(x)} [service] %0A", "\u2028 \N{TELEPHONE RECEIVER}", "x" * 1800):
        caller = phones.call("1001", name=name)
        caller.wait_answered()
        assert f'"{name}"' in agent.call.from_header
        caller.hang_up()


@pytest.mark.parametrize("code", [480, 486, 603])
def test_a_telephone_declines(phones, agent, code):
    agent.decline_with = code
    assert phones.call("1001").wait_ended() == f"refused {code}"


def test_a_telephone_that_talks_is_busy(phones, agent):
    phones.call("1001").wait_answered()
    assert phones.call("1001").wait_ended() == "refused 486"


def test_a_caller_gives_up_while_it_rings(phones, agent):
    agent.answer_after = None
    caller = phones.call("1001")
    rung = agent.wait_rung()
    caller.hang_up()
    assert caller.ended == "refused 487"
    assert rung.wait_ended() == "cancelled"


def test_a_caller_gives_up_in_the_moment_of_the_answer(phones, agent):
    agent.answer_after = None
    for count in range(1, 6):
        caller = phones.call("1001")
        agent.wait_rung(count).answer()
        caller.hang_up()
        assert caller.ended in {"us", "refused 487"}
        agent.calls[-1].wait_ended()


def test_a_telephone_hangs_up_in_the_moment_of_its_answer(phones, agent):
    agent.answer_after = None
    for count in range(1, 6):
        caller = phones.call("1001")
        rung = agent.wait_rung(count)
        rung.answer()
        rung.hang_up()
        assert (rung.ended, caller.wait_ended()) == ("us", "them")


def test_a_telephone_that_is_hung_up_while_it_rings_does_not_answer(phones, agent):
    caller = phones.call("1001")
    rung = agent.wait_rung()
    rung.hang_up()
    assert caller.wait_ended() == "refused 603"
    rung.answer()
    assert rung.ended == "us"


def test_what_does_not_happen_is_reported_in_time(phones, agent):
    agent.answer_after = None
    caller = phones.call("1001")
    with pytest.raises(Late, match=r"was not answered within 0.5 s; SIP in .*caller\.sip"):
        caller.wait_answered(within=0.5)
