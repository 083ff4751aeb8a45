"""The appliance as a service of the machine: one process, started, watched, reloaded, stopped."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import structlog
from gevent.event import Event

from config.values import UserError
from journal.writer import JournalBroken
from runtime.assembly import Appliance
from runtime.rounds import Round
from runtime.systemd import Systemd
from runtime.watchdog import Heart, HubWatch, Service
from switch.port import SwitchLost

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.05
LOOK_SECONDS = 1.0  # between two looks whether another appliance has taken the switch
FLOWS_SECONDS = 0.5  # a change is taken when two looks find it the same


class GaveWay(UserError):
    """A newer appliance serves in this one's place. To be started again would only take the calls back from it."""

    exit_code = 3


@contextmanager
def only_one(pid_file: Path) -> Iterator[None]:
    """Holds the pid file for this process. Raises UserError when another appliance holds it."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with pid_file.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise UserError(f"an appliance is running already (pid {file.read().strip()}, {pid_file})") from None
        if not pid_file.exists() or not pid_file.samefile(f"/dev/fd/{file.fileno()}"):
            raise UserError(f"an appliance is just stopping here ({pid_file}); try again")
        _write_pid(file.fileno())
        try:
            yield
        finally:
            pid_file.unlink(missing_ok=True)


def _write_pid(file: int) -> None:
    """For people; that the file is held is what keeps others out. A full disk is no reason to take no calls."""
    try:
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
    except OSError as error:
        log.error("the process id cannot be written; calls are taken all the same", error=error.strerror)


def serve_until(
    appliance: Appliance, stop: Event, *, on_ready: Callable[[], None], systemd: Systemd | None = None
) -> None:
    """Takes calls until `stop` is set; `on_ready` is called once, as soon as the switch is there.

    `systemd` hears that too, and from then on that calls are served, as long as they are.
    Raises UserError where no calls can be taken, and GaveWay where another appliance takes them from now on.
    """
    watchers: list[gevent.Greenlet[..., None]] = []
    hub = HubWatch(appliance.clock, appliance.admission)
    flows = Round(lambda: _look_at_flows(appliance), appliance.clock)
    systemd = systemd or Systemd({})
    appliance.drain.on_drained = stop.set
    try:
        _start(appliance)
        hub.start()
        flows.start()
        while not stop.is_set() and not _took_up(appliance):
            if appliance.switch.superseded:
                raise UserError("an appliance that counts as newer drives this switch; only one can")
            stop.wait(POLL_SECONDS)
        if not stop.is_set():
            appliance.recovery.start()
            on_ready()
            appliance.ears.start()
            systemd.tell("READY=1")
            watchers.append(gevent.spawn(Heart(systemd, _service(appliance).failing).run))
            while not stop.wait(LOOK_SECONDS):
                if appliance.switch.superseded:
                    raise GaveWay("a newer appliance has taken over this switch and its calls; this one gives way")
    finally:
        systemd.tell("STOPPING=1")
        hub.stop()
        flows.stop()
        gevent.killall(watchers)
        appliance.stop()


def _start(appliance: Appliance) -> None:
    try:
        appliance.start()
    except OSError as error:
        raise UserError(f"no calls can be taken: {error.strerror or error}") from error


def _took_up(appliance: Appliance) -> bool:
    """Takes up, as soon as the switch is there, what the last life left on it."""
    try:
        if appliance.switch.connected:
            appliance.recovery.take_up()
            return True
    except SwitchLost:
        pass
    return False


def _service(appliance: Appliance) -> Service:
    return Service(
        appliance.clock,
        connected=lambda: appliance.switch.connected,
        acd_answers=appliance.acd.answers,
        journal_stuck=lambda: appliance.journal.stuck,
        stuck=appliance.desk.stuck,
    )


def _look_at_flows(appliance: Appliance) -> float:
    """Takes an edit of the flows as soon as the file is saved; a wrong one is logged, and the last good one goes on.

    In between the queries in force are tried in the CRM, once it answers.
    """
    gevent.sleep(FLOWS_SECONDS)  # before the first look, too: what a start has to do comes first
    if not appliance.flowbook.saved():
        appliance.flowbook.try_queries()
        return 0.0
    try:
        problems = appliance.house.take_edit()
    except JournalBroken as error:
        log.error("flows: a change cannot be written down", error=str(error))
        return 0.0
    for problem in problems:
        log.error("flows: a change was not taken", problem=str(problem))
    if not problems:
        log.info("flows: a change was taken", edition=appliance.flowbook.edition.number)
    return 0.0
