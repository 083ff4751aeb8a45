"""A whole Hotline for live tests: a real switch, and the appliance as its own process, in a private directory."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from config.appliance import Config, read
from cti.client import Control
from tests.live import heard, rtp
from tests.live.phones import Late, Phone, Phones
from tests.live.switches import CHECKOUT, SWITCHES, PrivateSwitch

FLOWS = Path(__file__).parent / "flows"
SHARED = CHECKOUT / "var" / "live"
READY_SECONDS = 30.0
T = TypeVar("T")

_CONFIG = """
switch:
  kind: {kind}
  freeswitch: {{outbound: "127.0.0.1:{ports[0]}", inbound: "127.0.0.1:{ports[1]}"}}
  asterisk: {{url: "http://127.0.0.1:{ports[1]}"}}
  sip: {{agents-port: {ports[2]}, trunk-port: {ports[3]}, rtp: 20000-24999}}
data-dir: var
flows-dir: flows
prompts-dir: {prompts}
database: {{url: "sqlite:///var/hotline.db"}}
crm: {{url: "sqlite:///var/crm.db"}}
http: {{listen: "127.0.0.1:8080"}}
"""


class Hotline:
    """Runs while a switch's tests last; `start` and `close` are called by the fixture."""

    def __init__(self, kind: str, home: Path) -> None:
        self.kind = kind
        self.home = home
        self.file = home / "appliance.yaml"
        self._process: subprocess.Popen[str] | None = None
        self._said: dict[tuple[str, str], rtp.Samples] = {}
        home.mkdir(parents=True)
        self.file.write_text(_CONFIG.format(kind=kind, prompts=CHECKOUT / "prompts", ports=_free_ports(4)))
        self.config: Config = read(self.file)
        self.switch: PrivateSwitch = SWITCHES[kind](home / kind, self.config)
        self._lay_out()

    # Its life

    def start(self) -> None:
        self.command("db", "init")
        self.command("prompts", "build")
        self.command("switch-config")
        self.switch.start()
        self.start_appliance()

    def close(self) -> None:
        self.stop_appliance()
        self.switch.stop()

    def start_appliance(self) -> None:
        """Returns when it printed ready."""
        log = (self.home / "appliance.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*_APPLIANCE, "--config", str(self.file), "run"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.home,
            )  # fmt: skip
        said: list[str] = []
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, said, ready), daemon=True).start()
        if not ready.wait(READY_SECONDS) or said != ["ready"]:
            raise Late(f"the appliance was not ready within {READY_SECONDS:g} s: {said}; see {log.name}")

    def stop_appliance(self) -> None:
        """As the machine does when it shuts down."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
                raise
            finally:
                self._process = None

    def kill_appliance(self) -> None:
        """As a crash does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(5)
        self._process = None

    # What it says of itself

    def command(self, *arguments: str, check: bool = True) -> str:
        """Runs ``./appliance.py`` with this configuration; what it printed."""
        done = subprocess.run(
            [*_APPLIANCE, "--config", str(self.file), *arguments],
            capture_output=True, text=True, cwd=self.home, timeout=120, check=False,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, f"{arguments} gave {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def status(self) -> dict[str, Any]:
        return Control(self.config.run_dir / "hotline.sock").ask("status")  # type: ignore[no-any-return]

    def queue(self, name: str) -> list[str]:
        """The ids of the calls that wait there, in order."""
        return next(queue["waiting"] for queue in self.status()["queues"] if queue["name"] == name)  # type: ignore[no-any-return]

    def agent_state(self, agent: str) -> str:
        return next(view["state"] for view in self.status()["agents"] if view["id"] == agent)  # type: ignore[no-any-return]

    def set_agent(self, agent: str, state: str, reason: str = "") -> None:
        Control(self.config.run_dir / "hotline.sock").ask("agents.state", agent=agent, state=state, reason=reason)

    def records(self, **fields: object) -> list[dict[str, Any]]:
        """The journal's records, those that have these fields."""
        found = []
        for segment in sorted((self.config.data_dir / "journal").glob("[0-9]*.jsonl")):
            for line in segment.read_text(encoding="utf-8").split("\n"):
                record = _record(line)
                if record and fields.items() <= record.items():
                    found.append(record)
        return found

    def call_of(self, caller: str, within: float = 5) -> str:
        """The id of the newest call from that number."""
        record = self.until(lambda: self.records(type="CallArrived", caller=caller)[-1:], within, f"{caller} to arrive")
        return str(record[0]["call"])

    def until(self, found: Callable[[], T], within: float, what: str) -> T:
        """Waits until `found()` is true; its value. Raises Late."""
        end = time.monotonic() + within
        while not (value := found()):
            if time.monotonic() > end:
                raise Late(f"waited {within:g} s for {what}; see {self.home}/appliance.log")
            time.sleep(0.05)
        return value

    def until_agent(self, agent: str, state: str, within: float = 10) -> None:
        self.until(lambda: self.agent_state(agent) == state, within, f"agent {agent} to be {state}")

    def until_idle(self, within: float = 15) -> None:
        """No call in the appliance, and no leg on the switch."""
        self.until(lambda: not self.status()["calls"], within, "the appliance to have no call")
        self.until(lambda: self.switch.channels() == 0, within, "the switch to have no channel")

    # What it would say

    def said(self, text: str, language: str = "cmn") -> rtp.Samples:
        """What ``appliance.py say`` makes of a text."""
        return self._spoken(text, language, [text])

    def prompt(self, prompt: str, language: str = "cmn") -> rtp.Samples:
        return self._spoken(prompt, language, ["--prompt", prompt])

    def _spoken(self, name: str, language: str, arguments: list[str]) -> rtp.Samples:
        if (name, language) not in self._said:
            out = self.home / f"said-{len(self._said):03d}.wav"
            self.command("say", *arguments, "--language", language, "--out", str(out))
            self._said[name, language] = heard.read_wav(out)
        return self._said[name, language]

    # Its data and its telephones

    def crm(self, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return _sql(self.config.crm.url, statement, values or {})

    def database(self, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return _sql(self.config.database.url, statement, values or {})

    def phones(self, name: str) -> Phones:
        return Phones(self.switch.trunk, self.switch.agents, self.home / "phones" / name)

    @cached_property
    def passwords(self) -> dict[str, str]:
        """SIP passwords by account."""
        said = self.command("switch-config", "--show-passwords")
        return dict(re.findall(r"phone (\S+): password (\S+)", said))

    def agent(self, phones: Phones, agent: str, *, tone: float = 1000.0) -> Phone:
        """An agent's telephone that is registered; the agent is still logged off."""
        phone = phones.agent(agent, self.passwords[agent], tone=tone)
        phone.register()
        return phone

    # Details

    def _lay_out(self) -> None:
        """Flows: the shipped ones, with ours for what they do not show or would show too slowly. Sounds are shared."""
        shutil.copytree(CHECKOUT / "flows", self.home / "flows")
        shutil.copytree(FLOWS, self.home / "flows", dirs_exist_ok=True)
        self.config.data_dir.mkdir()
        for name in ("sounds", "speech"):
            (SHARED / name).mkdir(parents=True, exist_ok=True)
            (self.config.data_dir / name).symlink_to(SHARED / name)

    @staticmethod
    def _listen(process: subprocess.Popen[str], said: list[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.strip())
            ready.set()
        ready.set()


_APPLIANCE = [sys.executable, str(CHECKOUT / "appliance.py")]


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback that are free for TCP and for UDP."""
    found: list[int] = []
    with contextlib.ExitStack() as taken:
        while len(found) < count:
            stream = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
            datagram = taken.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                datagram.bind(stream.getsockname())
                found.append(stream.getsockname()[1])
    return found


def _record(line: str) -> dict[str, Any] | None:
    """None for the line that is just being written."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return None


def _sql(url: str, statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    with sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10) as database:
        return database.execute(statement, values).fetchall()
