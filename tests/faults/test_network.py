"""A bad network between the appliance and a real switch: calls end or go on, and afterwards everybody is served.

HOTLINE_SEED says where the dice begin, HOTLINE_SECONDS how long it is bad for each kind of trouble.
"""

import os
import re
import time
from contextlib import contextmanager

import pytest

from journal.reader import verify
from tests.faults.wire import TROUBLES, EventSocket, Faults, WebSocket, Wire
from tests.live.hotline import free_ports

pytestmark = pytest.mark.live

SEED = int(os.environ.get("HOTLINE_SEED", "1"))
SECONDS = float(os.environ.get("HOTLINE_SECONDS", "8"))
NUMBER, DESK, AGENT = "2028", "desk-28", "3028"
AWAY = 12.0  # seconds without a connection: more than the patience with one
LOOKS = 5.0
CROWD = (["7000", "1000"], 3.0), ([NUMBER], 8.0)  # menus and a queue, and for how many seconds they listen


@pytest.fixture(scope="module")
def wires(running, network):
    """All that is said between the two goes over these, as long as this module lasts; they are good at first."""
    with network.entered():
        yield from _rewired(running)


def _rewired(hotline):
    settings, original = hotline.config.switch, hotline.file
    text = original.read_text()
    hotline.stop_appliance()
    if hotline.kind == "asterisk":
        made = [_wire(settings.asterisk.url, WebSocket)]
        text = text.replace(settings.asterisk.url, f"http://127.0.0.1:{made[0].port}")
    else:
        # FreeSWITCH was told where to find us, and finds a wire there; a call that is taken over comes without one.
        made = [_wire(settings.freeswitch.inbound, EventSocket)]
        [elsewhere] = free_ports(1)
        here = _port(settings.freeswitch.outbound)
        made.append(Wire(here, elsewhere, seed=SEED, faults=Faults(), framing=EventSocket, server_talks=False))
        text = text.replace(settings.freeswitch.inbound, f"127.0.0.1:{made[0].port}")
        text = text.replace(settings.freeswitch.outbound, f"127.0.0.1:{elsewhere}")
    hotline.file = original.with_name("wired.yaml")
    hotline.file.write_text(text)
    hotline.start_appliance()
    yield made
    hotline.stop_appliance()
    for wire in made:
        wire.close()
    hotline.file = original
    hotline.start_appliance()


def _wire(address, framing):
    return Wire(0, _port(address), seed=SEED, faults=Faults(), framing=framing)


def _port(address):
    return int(re.search(r"[0-9]+$", address)[0])


@contextmanager
def bad(wires, faults):
    for wire in wires:
        wire.faults = faults
    yield
    for wire in wires:
        wire.faults = Faults()


@contextmanager
def cut(wires):
    for wire in wires:
        wire.cut()
    yield
    for wire in wires:
        wire.mend()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_over_a_bad_network_every_call_has_one_end_and_no_agent_is_stuck(hotline, wires, phones, crowds, trouble):
    phone = hotline.agent(phones, AGENT)
    hotline.set_agent(AGENT, "Ready")
    with bad(wires, TROUBLES[trouble]):
        everybody = crowds(*CROWD, per_second=2, seed=SEED)
        time.sleep(SECONDS)  # the fault itself
    hotline.until(lambda: hotline.status()["ready"], 20, "the service to be whole again")
    let_down = sum(crowd.leave(90) != 0 for crowd in everybody)
    while phone.call is not None:
        phone.call.hang_up()
    hotline.until_idle(60)
    verdict = verify(hotline.config.data_dir / "journal")
    print(f"{trouble}: {verdict.calls} calls so far, {let_down} crowds let down; {[wire.done for wire in wires]}")
    assert (verdict.holes, verdict.doubles, verdict.open) == (0, 0, 0)
    hotline.until(lambda: hotline.agent_state(AGENT) in {"Ready", "NotReady"}, 10, "the agent to be free")
    hotline.set_agent(AGENT, "Ready")
    caller = phones.call(NUMBER, tone=440)
    phone.wait_rung(len(phone.calls) + 1).wait_for_tone(440, within=15)
    caller.hang_up()


def test_a_talk_goes_on_without_a_connection_and_its_agent_is_busy_to_its_end(hotline, wires, phones):
    phone = hotline.agent(phones, AGENT)
    hotline.set_agent(AGENT, "Ready")
    caller = phones.call(NUMBER, tone=440)
    leg = phone.wait_rung()
    leg.wait_for_tone(440, within=15)
    call = hotline.call_of(caller.caller)
    with cut(wires):
        time.sleep(AWAY)  # the fault itself
    hotline.until(lambda: hotline.records(type="CallReturned", call=call), 20, "the caller to be found again")
    assert hotline.agent_state(AGENT) == "Busy"
    time.sleep(LOOKS)  # what the recovery may take to look, twice
    assert hotline.agent_state(AGENT) == "Busy"
    leg.wait_for_tone(440, within=5)
    leg.leave()
    hotline.until_agent(AGENT, "WorkingAfterCall")
    assert len(hotline.records(type="TalkEnded", call=call)) == 1
    caller.hang_up()
    hotline.until_idle()
