"""A bad network between the real process and a small exchange: calls end or go on, and whoever is well is served.

HOTLINE_SEED says where the dice begin, HOTLINE_SECONDS how long it is bad for each kind of trouble.
"""

import os
import time

import pytest

from journal.reader import verify
from tests.faults.simulated import AGENTS, NUMBER, Crowd, Simulated
from tests.faults.wire import TROUBLES, Faults
from tests.live.hotline import Hotline

SECONDS = float(os.environ.get("HOTLINE_SECONDS", "8"))


@pytest.fixture(scope="module")
def wired(tmp_path_factory):
    hotline = Hotline("asterisk", tmp_path_factory.mktemp("wired") / "hotline", Simulated)
    hotline.start()
    yield hotline
    hotline.close()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_over_a_bad_network_every_call_has_one_end_and_no_agent_is_stuck(wired, trouble):
    hotline, exchange, wire = wired, wired.switch.exchange, wired.switch.wire
    for agent in AGENTS:
        hotline.set_agent(agent, "Ready")
    exchange.calling = True
    hotline.switch.do(Crowd(exchange, NUMBER, every=0.4, patience=(3, 12)).run)
    wire.faults = TROUBLES[trouble]
    time.sleep(SECONDS)  # the fault itself
    wire.faults = Faults()
    hotline.until(lambda: hotline.status()["ready"], 20, "the service to be whole again")
    exchange.calling = False
    hotline.until_idle(60)
    verdict = verify(hotline.config.data_dir / "journal")
    print(f"{trouble}: {verdict.calls} calls so far, {verdict.ended} ended, {exchange.talks} talks; wire: {wire.done}")
    assert (verdict.holes, verdict.doubles, verdict.open) == (0, 0, 0)
    assert {hotline.agent_state(agent) for agent in AGENTS} <= {"Ready", "WorkingAfterCall"}
    assert exchange.wrongs == []
