"""A hub that is held, and a service that does not serve, are noticed; systemd is told the truth."""

import gc
import time
from datetime import UTC, datetime

import gevent
import pytest
from gevent import socket
from structlog.testing import capture_logs

from runtime.admission import Admission
from runtime.systemd import Systemd
from runtime.watchdog import AWAY_SECONDS, Heart, HubWatch, Service
from switch.shared.clock import RealClock, VirtualClock

LONG = 20.0


def hold_the_hub(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


def test_what_held_the_hub_is_named_and_admission_hears_of_it():
    class Told(Admission):
        late = 0.0

        def looked(self, lag):
            self.late = max(self.late, lag)

    admission = Told(RealClock(), calls=1, per_second=1, lag=1.0)
    watch = HubWatch(RealClock(), admission)
    with capture_logs() as logs:
        watch.start()
        gevent.sleep(0.15)
        hold_the_hub(1.2)
        with gevent.Timeout(LONG):
            while not logs:
                gevent.sleep(0.01)
        watch.stop()
    assert admission.late > 0.9
    assert logs[0]["event"] == "the hub was held: all calls waited"
    assert "hold_the_hub" in logs[0]["by"]


@pytest.fixture
def systemd(tmp_path):
    """A systemd that listens, and what it was told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(LONG)
        yield Systemd({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}), listener


def told(listener):
    listener.setblocking(False)
    found = []
    try:
        while True:
            found.append(listener.recv(1000).decode())
    except BlockingIOError:
        return found


def test_systemd_hears_from_us_only_while_calls_are_served(systemd):
    told_to, listener = systemd
    failing = ""
    heart = Heart(told_to, lambda: failing)
    heart.beat()
    assert told(listener) == ["WATCHDOG=1\nSTATUS=calls are taken"]
    failing = "the ACD does not answer"
    heart.beat()
    heart.beat()
    assert told(listener) == ["STATUS=the ACD does not answer"]
    failing = ""
    heart.beat()
    assert told(listener) == ["WATCHDOG=1\nSTATUS=calls are taken"]


def test_the_interval_is_systemds(systemd):
    assert systemd[0].watches_for == 30.0


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "30000000"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere"},
    ],
)
def test_a_process_that_systemd_does_not_watch_goes_without(environment):
    systemd = Systemd(environment)
    assert systemd.watches_for is None
    systemd.tell("READY=1")
    Heart(systemd, lambda: "never asked").run()


def test_an_abstract_address_is_understood():
    name = f"hotline-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        Systemd({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1")
        assert told(listener) == ["READY=1"]
    gc.collect()


class Parts:
    """What the service is asked about."""

    def __init__(self):
        self.clock = VirtualClock(datetime(2026, 11, 24, tzinfo=UTC))
        self.connected, self.acd, self.journal_stuck, self.stuck = True, True, False, 0
        self.service = Service(
            self.clock,
            connected=lambda: self.connected,
            acd_answers=lambda: self.acd,
            journal_stuck=lambda: self.journal_stuck,
            stuck=lambda: self.stuck,
        )

    def pass_time(self, seconds):
        self.clock.run_until(lambda: False, longest=seconds)


def test_all_is_well_until_a_part_does_not_do_its_work():
    parts = Parts()
    assert parts.service.failing() == ""
    parts.acd = False
    assert parts.service.failing() == "the ACD does not answer"
    parts.acd, parts.stuck = True, 2
    assert parts.service.failing() == "2 calls came in and were not begun with"
    parts.journal_stuck = True
    assert parts.service.failing() == "the journal takes no records"


def test_a_switch_may_be_away_for_as_long_as_its_own_upgrade_takes():
    parts = Parts()
    parts.connected = False
    parts.pass_time(AWAY_SECONDS)
    assert parts.service.failing() == ""
    parts.pass_time(1)
    assert parts.service.failing() == "the switch is away"
    parts.connected = True
    assert parts.service.failing() == ""
