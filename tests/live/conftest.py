"""The real switches of this machine, a Hotline on each, and telephones; the tests run once on each switch.

HOTLINE_REQUIRE=freeswitch,asterisk (``make live REQUIRE=...``) makes the absence of one of them, and any test that
is skipped, a failure. var/live/<switch>.json says what was run: version, calls made, tests passed.
"""

from __future__ import annotations

import datetime
import json
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
from tests.live.hotline import Hotline
from tests.live.network import Network
from tests.live.phones import Phones
from tests.live.softphone import Program, Softphone
from tests.live.switches import CHECKOUT, Absent

REQUIRED = {name for name in os.environ.get("HOTLINE_REQUIRE", "").split(",") if name}
SWITCH_PARAMS = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("freeswitch", "asterisk")]
RUNS: dict[str, dict[str, Any]] = {}


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
        RUNS[request.param] = {"absent": str(reason)}
        pytest.skip(str(reason))
    RUNS[request.param] = {"version": hotline.switch.version, "calls": 0, "passed": 0, "failed": 0, "skipped": 0}
    try:
        with network.entered():
            hotline.start()
        yield hotline
    finally:
        with network.entered():
            hotline.close()
    if RUNS[request.param]["failed"] == 0:
        shutil.rmtree(home)


@pytest.fixture
def hotline(running: Hotline, network: Network) -> Iterator[Hotline]:
    """The running Hotline; what the test opens is in the Hotline's network."""
    with network.entered():
        yield running


@pytest.fixture(scope="session")
def calls_made() -> Callable[[Hotline, int], None]:
    """Counts calls for var/live/<switch>.json."""

    def count(hotline: Hotline, calls: int) -> None:
        RUNS[hotline.kind]["calls"] += calls

    return count


@pytest.fixture
def phones(request: pytest.FixtureRequest, hotline: Hotline) -> Iterator[Phones]:
    """Telephones. When the test is over all hang up, and nothing may be left on the switch."""
    made = hotline.phones(request.node.name.partition("[")[0])
    yield made
    RUNS[hotline.kind]["calls"] += made.calls
    made.close()
    hotline.until_idle()


@pytest.fixture
def softphone(hotline: Hotline, network: Network, programs: provision.Phones) -> Iterator[Any]:
    """Makes a baresip that is registered as one of the agents."""
    if network.reason:
        pytest.skip(f"baresip needs a network of its own, which needs root: {network.reason}")
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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    result = yield
    report = result.get_result()  # type: ignore[attr-defined]
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail") and _wanted(item):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which HOTLINE_REQUIRE forbids: {report.longrepr}"
    elif report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])  # one line for all tests that miss the same thing
    run = RUNS.get(_switch_of(item), {})
    if "calls" in run and (report.when == "call" or not report.passed):
        run[report.outcome] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for switch, run in RUNS.items():
        file = CHECKOUT / "var" / "live" / f"{switch}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"at": at, "required": switch in REQUIRED, **run}, indent=2) + "\n")


def _switch_of(item: pytest.Item) -> str:
    spec = getattr(item, "callspec", None)
    return str(spec.params.get("running", "")) if spec else ""


def _wanted(item: pytest.Item) -> bool:
    """Whether a skip of this test is a failure: unless it is for a switch that was not asked for."""
    return _switch_of(item) in REQUIRED | {""}
