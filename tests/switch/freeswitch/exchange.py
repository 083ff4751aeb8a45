"""A private FreeSWITCH for tests: our configuration, on loopback ports that were free a moment ago."""

from __future__ import annotations

import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import gevent
import numpy as np

from runtime.coded_music import coded
from switch.freeswitch import config, private
from switch.freeswitch.client import Inbound
from tests.live import heard

PASSWORD = "a-test-password"
ACCOUNTS = {"1001": "secret-of-1001", "1002": "secret-of-1002"}
LOW, MUSIC, HIGH = 440.0, 700.0, 1000.0  # Hz; prompts of the contract are low and high


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now, neither for UDP nor for TCP."""
    held: list[socket.socket] = []
    found: list[int] = []
    while len(found) < count:
        tcp, udp = (socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        held += [tcp, udp]
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        found.append(port)
    for each in held:
        each.close()
    return found


@dataclass
class Exchange:
    home: Path
    ports: config.Ports
    process: subprocess.Popen[bytes] | None = None

    @property
    def music(self) -> dict[str, Path]:
        return coded({"calm": self.home / "music.wav", "short": self.home / "short.wav"}, self.home / "coded")

    def start(self) -> None:
        binary = private.find()
        assert binary is not None
        argv, environment = private.start_command(binary, self.home, self.home / "generated")
        with (self.home / "out").open("wb") as out:
            self.process = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.home
            )
        with gevent.Timeout(30, AssertionError("FreeSWITCH did not start")):
            self.wait_ready()

    def wait_ready(self) -> None:
        """Until calls can come: the event socket answers before the SIP profiles listen."""
        while not self._listens():
            gevent.sleep(0.05)
        inbound = Inbound("127.0.0.1", self.ports.event_socket, PASSWORD, on_up=lambda: None)
        inbound.start()
        try:
            while not (inbound.connected and inbound.api("sofia status").count("RUNNING") == 2):
                gevent.sleep(0.05)
        finally:
            inbound.stop()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports.event_socket)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)


def prepare(home: Path) -> Exchange:
    trunk, agents, event_socket, outbound = free_ports(4)
    ports = config.Ports(trunk, agents, event_socket, f"127.0.0.1:{outbound}", rtp=(20000, 21999))
    music = home / "music.wav"
    heard.write_wav(music, tone(MUSIC, 20))
    heard.write_wav(home / "short.wav", tone(MUSIC, 1))
    sorry = home / "sorry.wav"
    heard.write_wav(sorry, tone(1500.0, 1))
    config.write(
        home / "generated",
        password=PASSWORD,
        agents=[(account, secret, f"Agent {account}") for account, secret in ACCOUNTS.items()],
        music={"calm": music},
        sorry=sorry,
        ports=ports,
        log_level="info",
    )
    return Exchange(home, ports)


def tone(frequency: float, seconds: float) -> np.ndarray:
    return (0.3 * 32767 * np.sin(2 * np.pi * frequency * np.arange(round(8000 * seconds)) / 8000)).astype(np.int16)
