"""A bad network between our side and a scripted FreeSWITCH: every leg comes to one end, and nothing is left of it."""

import gevent
import pytest

from switch.port import CallEnded, Sound, SwitchLost
from tests.faults.simulated import SEED
from tests.faults.wire import TROUBLES, EventSocket, Wire
from tests.live import heard
from tests.switch.freeswitch import peers
from tests.switch.freeswitch.exchange import tone

LEGS, PROMPTS = 20, 4


class Wired:
    """A scripted FreeSWITCH whose two sockets go over wires."""

    def __init__(self, faults):
        self._wires = []
        self.house = peers.House(way=lambda address: f"127.0.0.1:{self._wire(address.rpartition(':')[2], faults).port}")
        self.outbound = self._wire(self.house.port, faults, server_talks=False)

    def _wire(self, to, faults, **more):
        self._wires.append(Wire(0, int(to), seed=SEED, faults=faults, framing=EventSocket, **more))
        return self._wires[-1]

    def leg(self, call_id):
        """Does what we say, until the leg or its connection ends."""
        leg = peers.Leg(("127.0.0.1", self.outbound.port), call_id)
        try:
            leg.answer_connect()
            leg.obey()
        except (OSError, AssertionError):
            pass  # the connection broke in the middle of a command, or before the first
        finally:
            leg.close()

    def close(self):
        self.house.close()
        for wire in self._wires:
            wire.close()


@pytest.fixture
def sound(tmp_path):
    heard.write_wav(tmp_path / "a.wav", tone(440, 1))
    return Sound(tmp_path / "a.wav")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_leg_over_a_bad_network_comes_to_one_end(sound, trouble):
    wired = Wired(TROUBLES[trouble])
    house = wired.house
    begun = []

    def flow(call):
        begun.append(call.id)
        call.answer()
        for _ in range(PROMPTS):
            call.play([sound])

    house.serve(flow)
    legs = [gevent.spawn(wired.leg, f"leg-{number}") for number in range(LEGS)]
    gevent.joinall(legs, timeout=60, raise_error=True)
    assert all(leg.dead for leg in legs)
    house.wait_until(lambda: len(house.results) == len(begun))
    house.wait_until(lambda: not house.switch._calls)
    whole = not TROUBLES[trouble].lives
    assert house.results.count(None) == LEGS if whole else 0 < len(begun) <= LEGS
    assert len(begun) == len(set(begun))
    assert [result for result in house.results if not isinstance(result, type(None) | CallEnded | SwitchLost)] == []
    wired.close()
