"""A whole Hotline on a real switch, to be measured: that of the live tests, with menus to compare and room for load."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import psutil

from bench import _menu
from config.appliance import Config
from tests.live.hotline import Hotline
from tests.live.network import ENDS_WITH_US, Network
from tests.live.sipp import free_port
from tests.live.switches import CHECKOUT, SWITCHES, Absent, Asterisk, FreeSwitch

KINDS = tuple(SWITCHES)
LIFTED = "limits: {calls: 4000, calls-per-second: 1000}\n"  # the machine is measured, not the limits of admission
H = TypeVar("H", bound="House")


class FreeSwitchWithMenus(FreeSwitch):
    def __init__(self, home: Path, config: Config, sounds: _menu.Sounds) -> None:
        super().__init__(home, config)
        self._sounds = sounds
        self.bare_port = free_port("127.0.0.1")

    @property
    def conf(self) -> Path:
        return self.home / "conf"

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        command, environment = super()._command()
        shutil.copytree(CHECKOUT / "freeswitch-conf", self.conf, dirs_exist_ok=True)
        dialplan = self.conf / "dialplan.xml"
        dialplan.write_text(_menu.freeswitch_dialplan(dialplan.read_text(), self._sounds, self.bare_port))
        command[command.index("-conf") + 1] = str(self.conf)
        return command, environment


class AsteriskWithMenus(Asterisk):
    def __init__(self, home: Path, config: Config, sounds: _menu.Sounds) -> None:
        super().__init__(home, config)
        self._sounds = sounds

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        command = super()._command()
        self.change("extensions.conf", lambda shipped: _menu.asterisk_dialplan(shipped, self._sounds))
        return command

    def change(self, name: str, change: Callable[[str], str]) -> None:
        """Puts a changed copy in place of a shipped file, which is only linked to."""
        file = self.home / "etc" / name
        text = change(file.read_text())
        file.unlink()
        file.write_text(text)


class House(Hotline):
    """A Hotline whose switch has the measured menus in its own dialplan too."""

    switches: ClassVar[Mapping[str, type[FreeSwitchWithMenus | AsteriskWithMenus]]] = {
        "freeswitch": FreeSwitchWithMenus,
        "asterisk": AsteriskWithMenus,
    }

    def __init__(self, kind: str, home: Path, limits: str = LIFTED) -> None:
        super().__init__(kind, home)
        self._limits = limits
        self.sounds = _menu.Sounds(*(home / f"{name}.wav" for name in ("ask", "tell", "low", "high")))
        self.switch = self.switches[kind](home / kind, self.config, self.sounds)
        self._furnish()

    def start(self) -> None:
        """Starts the switch and the appliance; both sides of a comparison then have the same sounds."""
        super().start()
        for text, file in ((_menu.ASK, self.sounds.ask), (_menu.TELL, self.sounds.tell)):
            self.command("say", text, "--language", "en", "--out", str(file))

    def waiting(self, calls: int, within: float = 60.0) -> int:
        """How many callers wait in the queue, once so many do, or after `within` seconds."""
        end = time.monotonic() + within
        while (waiting := len(self.queue("bench"))) < calls and time.monotonic() < end:
            time.sleep(0.2)
        return waiting

    def quiet(self, within: float = 20.0) -> None:
        """Returns when no call is left on either side, having ended those that were left behind."""
        end = time.monotonic() + within / 2
        while self.switch.channels() and time.monotonic() < end:
            time.sleep(0.2)
        if self.switch.channels():
            self.switch.told("hupall" if self.kind == "freeswitch" else "channel request hangup all")
        self.until_idle(within)

    def deferred(self) -> int:
        """How often callers were left to the switch's fallback."""
        return int(self.status()["deferred"])

    def end(self, call: str) -> None:
        """Ends one call at the switch, as its caller would."""
        if self.kind == "freeswitch":
            self.switch.told(f"uuid_kill {call}")
            return
        for channel in self.switch.listed().splitlines():
            name, *_, unique = channel.split("!")
            if unique.strip() == call:
                self.switch.told(f"channel request hangup {name}")

    @property
    def processes(self) -> Processes:
        ours = int((self.config.run_dir / "hotline.pid").read_text())
        switch = self.switch._process
        assert switch is not None
        return Processes(psutil.Process(switch.pid), psutil.Process(ours))

    @contextmanager
    def bare_controller(self) -> Iterator[Processes]:
        """Runs bench/_bare.py for FreeSWITCH's callers; the processes that then work."""
        assert isinstance(self.switch, FreeSwitchWithMenus)
        sounds = [str(self.sounds.ask), str(self.sounds.tell)]
        command = [sys.executable, "-m", "bench._bare", str(self.switch.bare_port), *sounds, _menu.KEY]
        with subprocess.Popen([*ENDS_WITH_US, *command], stdout=subprocess.PIPE, cwd=CHECKOUT) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"ready\n"
                yield Processes(self.processes.switch, psutil.Process(process.pid))
            finally:
                process.terminate()

    def _furnish(self) -> None:
        flows, recordings = self.home / "flows", self.home / "prompts" / "en"
        recordings.mkdir(exist_ok=True)
        with self.file.open("a") as settings:
            settings.write(self._limits)
        for name, flow in _menu.FLOWS.items():
            (flows / name).write_text(flow)
        with (flows / "queues.yaml").open("a") as queues:
            queues.write(_menu.QUEUE)
        for name, file, frequency in (
            ("bench-low", self.sounds.low, _menu.LOW),
            ("bench-high", self.sounds.high, _menu.HIGH),
        ):
            _menu.write_tone(file, frequency)
            shutil.copy(file, recordings / f"{name}.wav")


@dataclass(frozen=True, slots=True)
class Processes:
    """The two whose costs are told: the switch, and the appliance with those that it started."""

    switch: psutil.Process
    ours: psutil.Process

    def seconds(self) -> tuple[float, float]:
        """Processor time so far, in user and system mode."""
        return _seconds(self.switch), sum(map(_seconds, [self.ours, *self.ours.children(recursive=True)]))

    def bytes(self) -> tuple[int, int]:
        """Memory that is theirs alone; of the appliance that of its main process, which has the calls."""
        return self.switch.memory_full_info().uss, self.ours.memory_full_info().uss


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def opened(kind: str, limits: str = LIFTED) -> AbstractContextManager[House]:
    """A running House on that switch, in a network and a directory of its own. Raises FileNotFoundError."""
    return opened_as(House, kind, limits)


@contextmanager
def opened_as(house_of: Callable[[str, Path, str], H], kind: str, limits: str = LIFTED) -> Iterator[H]:
    """The same for one that is furnished further."""
    home = Path(tempfile.mkdtemp(prefix="hotline-bench-"))
    network = Network()
    try:
        try:
            house = house_of(kind, home / "hotline", limits)  # outside: a switch that is not unpacked yet is fetched
        except Absent as absent:
            raise FileNotFoundError(str(absent)) from absent
        with network.entered():
            try:
                house.start()
                yield house
            finally:
                house.close()
    finally:
        network.close()
        shutil.rmtree(home, ignore_errors=True)
