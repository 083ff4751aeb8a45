"""Ten minutes of mixed callers on a real switch: what the appliance holds stays flat, and nothing is left at the end.

Not collected by itself: ``make soak`` names this file. SOAK_SECONDS says how long, SOAK_RATE how many callers a second
of each kind.
"""

import os
import signal
import statistics
import time
from dataclasses import asdict, dataclass

import psutil
import pytest

pytestmark = pytest.mark.live

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
RATE = float(os.environ.get("SOAK_RATE", "0.5"))
EVERY = 5.0  # seconds between two samples
RENEWED_AFTER = 200.0  # seconds: FreeSWITCH forgets a registration after five minutes
SETTLING = 30.0  # seconds in which the number of those who are there grows to what it stays
AGENTS = ("3027", "4027")
# Numbers, and for how many seconds they listen.
CROWD = (["7000", "1000"], 4.0), (["2027"], 10.0), (["2027"], 25.0), (["3000"], 9.0)
GROWTH, SLACK = 1.1, 5  # of the last third over the first, and what a mean of so few may be off by
LEFT = {"greenlets": 5, "sockets": 15, "files": 15}  # at the end over the beginning: connections kept for reuse

COUNTING = """
import gc, os, signal
def told(*_):
    from gevent import Greenlet  # not those that every thread of a pool has: pools grow to their size and stay there
    alive = sum(isinstance(each, Greenlet) and not each.dead for each in gc.get_objects())
    with open(os.environ["SOAK_GREENLETS"] + ".new", "w") as file:
        file.write(str(alive))
    os.replace(file.name, os.environ["SOAK_GREENLETS"])
signal.signal(signal.SIGUSR2, told)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the appliance holds. `memory`: MB that nobody else has."""

    memory: float
    greenlets: int
    sockets: int
    files: int
    channels: int


class Watcher:
    """Asks the process by a signal, and the machine, what it holds."""

    def __init__(self, hotline, told):
        self._hotline, self._told = hotline, told
        self._process = psutil.Process(hotline.status()["pid"])

    def look(self):
        self._told.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR2)
        self._hotline.until(self._told.exists, 10, "the process to count its greenlets")
        with self._process.oneshot():
            return Sample(
                memory=round(self._process.memory_full_info().uss / 1e6, 1),
                greenlets=int(self._told.read_text()),
                sockets=len(self._process.net_connections("all")),
                files=self._process.num_fds(),
                channels=self._hotline.switch.channels(),
            )


@pytest.fixture
def watcher(hotline, tmp_path, monkeypatch):
    """The appliance, started again so that it can count its greenlets."""
    (tmp_path / "sitecustomize.py").write_text(COUNTING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SOAK_GREENLETS", str(tmp_path / "greenlets"))
    hotline.stop_appliance()
    hotline.start_appliance()
    return Watcher(hotline, tmp_path / "greenlets")


def test_what_is_held_stays_flat_and_nothing_is_left(hotline, phones, watcher, crowds):
    telephones = [hotline.agent(phones, agent) for agent in AGENTS]
    for agent in AGENTS:
        hotline.set_agent(agent, "Ready")
    before = watcher.look()
    print(f"\n{hotline.kind} before: {before}")
    everybody = crowds(*CROWD, per_second=RATE, seed=0)
    samples = []
    registered = dict.fromkeys(AGENTS, 0.0)
    began = time.monotonic()
    while (at := time.monotonic() - began) < SECONDS + SETTLING:
        time.sleep(EVERY)  # the load itself
        for telephone in telephones:
            _put_down(telephone)
            if at > registered[telephone.account] + RENEWED_AFTER and telephone.call is None:
                telephone.register()
                registered[telephone.account] = at
        sample = watcher.look()
        print(f"{at:6.0f} s  {sample}")
        if at > SETTLING:
            samples.append(sample)
    assert [crowd.leave(90) for crowd in everybody] == [0] * len(CROWD), "a caller was refused or let down"
    hotline.until_idle(60)
    after = hotline.until(lambda: _at_rest(watcher, before), 60, "the appliance to let go of what it held")
    calls = len(hotline.records(type="CallEnded"))
    print(f"{hotline.kind} after {calls} calls: {after}")
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]
    for name in asdict(before):
        was, became = (statistics.mean(getattr(each, name) for each in part) for part in (first, last))
        print(f"{name}: first third {was:.1f}, last third {became:.1f}, at the end {getattr(after, name)}")
        assert became <= was * GROWTH + SLACK, f"{name} grew from {was:.1f} to {became:.1f}"


def _put_down(telephone):
    """Frees what the test itself holds for talks that are over."""
    for leg in telephone.calls:
        if leg.ended:
            leg.media.close()


def _at_rest(watcher, before):
    """The sample, once it holds as little as at the beginning."""
    now = watcher.look()
    print(f"  nobody calls any more: {now}")
    held = asdict(now)
    at_rest = now.channels == 0 and all(held[name] <= getattr(before, name) + more for name, more in LEFT.items())
    return now if at_rest else None
