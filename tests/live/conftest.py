"""The real switches of this machine, a Hotline on each, and telephones; the tests run once on each switch."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provision import phones as provision
from provision.debs import Unavailable
from tests.live import sipp
from tests.live.account import KINDS, run_on
from tests.live.hotline import Hotline
from tests.live.network import Network
from tests.live.phones import Phones
from tests.live.softphone import Program, Softphone
from tests.live.switches import CHECKOUT, Absent

SWITCH_PARAMS = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in KINDS]


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


@pytest.fixture(scope="session")
def programs() -> provision.Phones:
    """sipp and baresip: the machine's own, or private ones."""
    try:
        found = provision.prepare(CHECKOUT / "var" / "phones")
    except Unavailable as reason:
        pytest.skip(f"no test telephones: {reason}")
    sipp.PROGRAM[:] = found.sipp
    return found


@pytest.fixture(scope="session", params=SWITCH_PARAMS)
def running(request: pytest.FixtureRequest, network: Network, programs: provision.Phones) -> Iterator[Hotline]:
    """A Hotline on one switch, for all tests of that switch."""
    home = Path(tempfile.mkdtemp(prefix="hotline-", dir=os.environ.get("HOTLINE_LIVE_DIR")))
    try:
        with network.entered():
            hotline = Hotline(request.param, home / "hotline")
    except Absent as reason:
        shutil.rmtree(home)
        run_on(request.param).absent = str(reason)
        pytest.skip(str(reason))
    run_on(request.param).version = hotline.switch.version
    try:
        with network.entered():
            hotline.start()
        yield hotline
    finally:
        with network.entered():
            hotline.close()
    if run_on(request.param).failed == 0:
        shutil.rmtree(home)


@pytest.fixture
def hotline(running: Hotline, network: Network) -> Iterator[Hotline]:
    """The running Hotline; what the test opens is in the Hotline's network."""
    with network.entered():
        yield running


@pytest.fixture(scope="session")
def calls_made() -> Callable[[Hotline, int], None]:
    """Counts calls for the run's account."""

    def count(hotline: Hotline, calls: int) -> None:
        run_on(hotline.kind).calls += calls

    return count


@pytest.fixture
def phones(request: pytest.FixtureRequest, hotline: Hotline) -> Iterator[Phones]:
    """Telephones. When the test is over all hang up, and nothing may be left on the switch."""
    made = hotline.phones(request.node.name.partition("[")[0])
    yield made
    run_on(hotline.kind).calls += made.calls
    made.close()
    hotline.until_idle()


@pytest.fixture
def softphone(hotline: Hotline, network: Network, programs: provision.Phones) -> Iterator[Any]:
    """Makes a baresip that is registered as one of the agents."""
    if network.reason:
        pytest.skip(f"baresip needs a network of its own, which needs root or user namespaces: {network.reason}")
    made: list[Softphone] = []

    def make(agent: str, tone: float = 1000.0) -> Softphone:
        home = hotline.home / "phones" / f"baresip-{agent}-{len(list(hotline.home.glob('phones/baresip-*')))}"
        program = Program(programs.baresip, programs.baresip_modules)
        to, password = hotline.switch.agents, hotline.passwords[agent]
        made.append(Softphone(program, agent, password, to=to, home=home, tone=tone))
        return made[-1]

    yield make
    for phone in made:
        phone.close()
