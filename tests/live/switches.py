"""Real switches for the live tests: found on this machine, run privately with our configuration, killed and stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from config.appliance import Config
from provision import asterisk
from provision.debs import Tree, Unavailable
from switch.freeswitch import private
from tests.live.network import ENDS_WITH_US

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0


class Absent(Exception):
    """There is no such switch on this machine; the text says where was looked."""


class PrivateSwitch:
    """A switch of the tests' own. `home` keeps its logs and state; `config` says where it listens."""

    kind = ""
    version = ""

    def __init__(self, home: Path, config: Config) -> None:
        self.home = home
        self.config = config
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True, exist_ok=True)

    @property
    def trunk(self) -> tuple[str, int]:
        return self.config.switch.sip.listen, self.config.switch.sip.trunk_port

    @property
    def agents(self) -> tuple[str, int]:
        return self.config.switch.sip.listen, self.config.switch.sip.agents_port

    @property
    def output(self) -> Path:
        return self.home / "output.log"

    def start(self) -> None:
        """Returns when it takes calls."""
        command, environment = self._command()
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*ENDS_WITH_US, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.home,
                env=os.environ | environment,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while not self._takes_calls():
            if self._process.poll() is not None or time.monotonic() > end:
                said = self.output.read_text(errors="replace")[-2000:]
                self.kill()
                raise AssertionError(f"{self.kind} did not start; {self.output} ends with:\n{said}")
            time.sleep(0.1)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a crash does: nothing is said to anybody."""
        self._end(signal.SIGKILL)

    def channels(self) -> int:
        """How many legs live on the switch."""
        raise NotImplementedError

    def listed(self) -> str:
        """The legs that live on the switch, for people to read."""
        raise NotImplementedError

    def told(self, command: str) -> str:
        """What the switch's own console answers."""
        raise NotImplementedError

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        raise NotImplementedError

    def _takes_calls(self) -> bool:
        raise NotImplementedError


class FreeSwitch(PrivateSwitch):
    """FreeSWITCH with freeswitch-conf/, and what `switch-config` wrote for it."""

    kind = "freeswitch"

    def __init__(self, home: Path, config: Config) -> None:
        super().__init__(home, config)
        self._program = _freeswitch()
        said = subprocess.run(
            [str(self._program), "-version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
        found = re.search(r"version: (\S+)", said)
        self.version = f"FreeSWITCH {found[1]}" if found else said.strip()

    def channels(self) -> int:
        return int(re.search(r"(\d+) total", self.told("show channels count"))[1])  # type: ignore[index]

    def listed(self) -> str:
        return self.told("show channels")

    def told(self, command: str) -> str:
        host, _, port = self.config.switch.freeswitch.inbound.rpartition(":")
        password = self.config.switch.freeswitch.password_file.read_text().strip()
        with socket.create_connection((host, int(port)), timeout=5) as link, link.makefile("rb") as replies:
            _read_frame(replies.readline, replies.read)
            link.sendall(f"auth {password}\n\n".encode())
            _read_frame(replies.readline, replies.read)
            link.sendall(f"api {command}\n\n".encode())
            return _read_frame(replies.readline, replies.read)

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        return private.start_command(self._program, self.home, self.config.switch_dir / "freeswitch")

    def _takes_calls(self) -> bool:
        try:
            return self.told("sofia status").count("RUNNING") >= 2
        except (OSError, EOFError):
            return False


class Asterisk(PrivateSwitch):
    """The private Asterisk of provision/, with asterisk-conf/ and what `switch-config` wrote for it."""

    kind = "asterisk"

    def __init__(self, home: Path, config: Config) -> None:
        super().__init__(home, config)
        self._tree = _asterisk()
        self.version = f"Asterisk {asterisk.version(self._tree)}"

    def channels(self) -> int:
        return int(re.search(r"(\d+) active channel", self.told("core show channels count"))[1])  # type: ignore[index]

    def listed(self) -> str:
        return self.told("core show channels concise")

    def told(self, command: str) -> str:
        console = self._tree.command(asterisk.PROGRAM, "-C", str(self._settings), "-rx", command)
        return subprocess.run(console, capture_output=True, text=True, timeout=10, check=False).stdout

    @property
    def _settings(self) -> Path:
        return self.home / "etc" / "asterisk.conf"

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        etc = self.home / "etc"
        etc.mkdir(exist_ok=True)
        for file in asterisk.CONFIGURATION.glob("*.conf"):
            _link(etc / file.name, file)
        _link(etc / "hotline", self.config.switch_dir / "asterisk")
        self._settings.write_text(asterisk.directories(self._tree, self.home))
        return list(self._tree.command(asterisk.PROGRAM, "-f", "-C", str(self._settings))), {}

    def _takes_calls(self) -> bool:
        return "System uptime" in self.told("core show uptime") and "trunk-udp" in self.told("pjsip show transports")


def _link(link: Path, to: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(to)


def _freeswitch() -> Path:
    """Raises Absent."""
    found = private.find()
    if found is None:
        raise Absent("no FreeSWITCH here: PATH, /usr/local/freeswitch or FREESWITCH_PREFIX")
    return found


def _asterisk() -> Tree:
    """Raises Absent."""
    try:
        return asterisk.prepare(CHECKOUT / "var" / "asterisk")
    except Unavailable as reason:
        raise Absent(f"no private Asterisk: {reason}") from reason


def _read_frame(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> str:
    """One message of the event socket: its body, or its headers where it has none. Raises EOFError."""
    head = []
    while (line := readline()) != b"\n":
        if not line:
            raise EOFError
        head.append(line.decode())
    text = "".join(head)
    length = re.search(r"Content-Length: (\d+)", text)
    return read(int(length[1])).decode() if length else text


SWITCHES: Mapping[str, type[PrivateSwitch]] = {"freeswitch": FreeSwitch, "asterisk": Asterisk}
