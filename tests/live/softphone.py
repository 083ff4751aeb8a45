"""baresip as an agent's telephone: a real softphone with its own SIP, RTP and jitter buffer.

It is told what to do over its control socket (netstrings with JSON). It refuses to work on a machine that has only
loopback, so it runs in the tests' own Network. What it heard is read from its sound dumps once a call has ended.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live import heard, rtp
from tests.live.network import ENDS_WITH_US, INTERFACE
from tests.live.phones import Late
from tests.live.sipp import free_port

_CONFIG = """
poll_method epoll
sip_listen {local}:{port}
net_interface {interface}
rtp_ports 40000-49998
audio_player aufile,{home}/played.wav
audio_source aufile,{home}/says.wav
audio_srate 8000-8000
audio_channels 1-1
snd_path {home}
ctrl_tcp_listen {local}:{control}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module account.so
module ctrl_tcp.so
module menu.so
"""
_ACCOUNT = (
    "<sip:{account}@{to[0]}:{to[1]};transport=udp>;auth_user={account};auth_pass={password};"
    "regint=60;audio_codecs=PCMA/8000/1;answermode=manual\n"
)
LONGEST = 180  # seconds of sound to say: baresip hangs up when its file ends


@dataclass(frozen=True)
class Program:
    command: Sequence[str]
    modules: Path


class Softphone:
    """Registers when made, unless `register` is false; rings until the test answers or declines."""

    def __init__(
        self,
        program: Program,
        account: str,
        password: str,
        *,
        to: tuple[str, int],
        home: Path,
        tone: float = 1000.0,
        local: str = "127.0.0.1",
    ) -> None:
        self.account = account
        self.home = home
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._answers: list[str] = []
        self._changed = threading.Condition()
        self._local, self._control = local, _free_tcp_port(local)
        home.mkdir(parents=True)
        heard.write_wav(home / "says.wav", rtp.tone(tone)(0, LONGEST * rtp.RATE))
        (home / "config").write_text(
            _CONFIG.format(
                home=home,
                local=local,
                port=free_port(local),
                interface=INTERFACE,
                control=self._control,
                modules=program.modules,
            )
        )
        (home / "accounts").write_text(_ACCOUNT.format(account=account, password=password, to=to))
        (home / "contacts").touch()
        with (home / "baresip.out").open("wb") as out:
            self._process = subprocess.Popen(
                [*ENDS_WITH_US, *program.command, "-f", str(home)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=home,
            )
        self._link = self._connected()
        threading.Thread(target=self._read, name=f"baresip-{account}", daemon=True).start()
        self._registered()

    # What the test does

    def answer(self) -> None:
        self._ask("accept")

    def hang_up(self) -> None:
        """Ends the call, or declines it while it rings (486)."""
        self._ask("hangup")

    def dial(self, number: str) -> None:
        self._ask("dial", number)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._link.close()

    # What the test learns

    def wait_for(self, kind: str, count: int = 1, within: float = 10) -> dict[str, Any]:
        """Waits for the `count`-th event of that kind, such as CALL_INCOMING, CALL_ESTABLISHED or CALL_CLOSED."""

        def found() -> dict[str, Any] | None:
            matching = [event for name, event in self.events if name == kind]
            return matching[count - 1] if len(matching) >= count else None

        with self._changed:
            self._changed.wait_for(lambda: found() is not None, within)
            event = found()
        if event is None:
            kinds = [name for name, _ in self.events]
            raise Late(f"{self.account}: no {kind} within {within:g} s but {kinds}; see {self.home}/baresip.out")
        return event

    def heard(self) -> list[rtp.Samples]:
        """What was heard in each call that has ended, in order."""
        return [heard.read_wav(path) for path in sorted(self.home.glob("dump-*-dec.wav"))]

    # The control socket

    def _connected(self) -> socket.socket:
        end = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection((self._local, self._control))
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise Late(f"baresip did not start; see {self.home}/baresip.out") from None
                time.sleep(0.05)

    def _registered(self) -> None:
        """Asks until it is registered: the event may have come before there was a control socket."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            asked = len(self._answers)
            self._ask("reginfo")
            with self._changed:
                self._changed.wait_for(lambda asked=asked: len(self._answers) > asked, 1)
                if any("OK" in answer for answer in self._answers):
                    return
            time.sleep(0.1)
        raise Late(f"{self.account} could not register; see {self.home}/baresip.out")

    def _ask(self, command: str, params: str = "") -> None:
        data = json.dumps({"command": command, "params": params}).encode()
        self._link.sendall(b"%d:%s," % (len(data), data))

    def _read(self) -> None:
        waiting = b""
        while True:
            try:
                data = self._link.recv(65536)
            except OSError:
                return
            if not data:
                return
            waiting = _netstrings(waiting + data, self._told)

    def _told(self, text: bytes) -> None:
        message = json.loads(text)
        if message.get("event"):
            with self._changed:
                self.events.append((message["type"], message))
                self._changed.notify_all()
        else:
            with self._changed:
                self._answers.append(str(message.get("data")))
                self._changed.notify_all()


def _netstrings(data: bytes, on_message: Callable[[bytes], None]) -> bytes:
    """Gives every whole netstring away, and returns the rest."""
    while found := re.match(rb"(\d+):", data):
        end = found.end() + int(found[1])
        if len(data) <= end:
            break
        on_message(data[found.end() : end])
        data = data[end + 1 :]
    return data


def _free_tcp_port(address: str) -> int:
    with socket.create_server((address, 0)) as probe:
        return int(probe.getsockname()[1])
