"""A whole Hotline for live tests: a real switch, and the appliance as its own process, in a private directory."""

from __future__ import annotations

import contextlib
import functools
import itertools
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
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from config.appliance import Config, read
from ivr.language.templates import template
from speech.library import open_library
from store.rows import Membership
from store.store import Store
from switch.shared.clock import RealClock
from tests.live import heard, rtp
from tests.live.network import ENDS_WITH_US
from tests.live.phones import Late, Phone, Phones
from tests.live.switches import CHECKOUT, SWITCHES, PrivateSwitch

FLOWS = Path(__file__).parent / "flows"
SHARED = CHECKOUT / "var" / "live"
READY_SECONDS = 60.0
DESKS = 32
RECORDED = "5100"  # an agent whose talks are recorded
LAMP, PIN = "5101", "2580"  # a telephone with a mailbox, "night", and its PIN
STRUCK = "struck-while-it-rings-whispers-talks-or-wraps-up"  # the queue of test_killed.py
T = TypeVar("T")

# The agents of the queues in flows/queues.more: id, queue, what is special.
SPECIALISTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("5001", "important", {}),
    ("5002", "claims", {"skills": {"claims": 5}}),
    ("5003", "claims", {}),
    ("5004", "together", {}),
    ("5005", "together", {}),
    ("5006", "together", {}),
    ("5007", "away", {"phone": "tel:5550007"}),
    ("5008", "off-hook", {"permanent": True}),
    *((agent, STRUCK, {}) for agent in ("5011", "5012", "5013", "5014")),
)

_CONFIG = """
switch:
  kind: {kind}
  freeswitch: {{outbound: "127.0.0.1:{ports[0]}", inbound: "127.0.0.1:{ports[1]}"}}
  asterisk: {{url: "http://127.0.0.1:{ports[1]}"}}
  sip: {{agents-port: {ports[2]}, trunk-port: {ports[3]}, rtp: 20000-24999}}
  trunks: {{trunk: {{host: "127.0.0.1:{ports[4]}"}}}}
data-dir: var
flows-dir: flows
prompts-dir: prompts
database: {{url: "sqlite:///var/hotline.db"}}
crm: {{url: "sqlite:///var/crm.db"}}
http: {{listen: "127.0.0.1:8080"}}
speech: {{recognition: {{en: {{vendor: pocketsphinx}}}}}}
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A queue, the number that leads into it, and those who serve it."""

    queue: str
    number: str
    agents: tuple[str, str]


class Hotline:
    """Runs while a switch's tests last; `start` and `close` are called by the fixture. `switch`: not the usual one."""

    def __init__(self, kind: str, home: Path, switch: type[PrivateSwitch] | None = None) -> None:
        self.kind = kind
        self.home = home
        self.file = home / "appliance.yaml"
        self.passwords: dict[str, str] = {}  # SIP passwords by account
        self._process: subprocess.Popen[str] | None = None
        self._desks = deque(Desk(f"desk-{n}", f"{2000 + n}", (f"{3000 + n}", f"{4000 + n}")) for n in range(DESKS))
        self._count = itertools.count(1)
        self._speaker = ThreadPoolExecutor(1)  # the library's greenlets belong to one thread
        home.mkdir(parents=True)
        self.file.write_text(_CONFIG.format(kind=kind, ports=free_ports(5)))
        self.config: Config = read(self.file)
        self.switch: PrivateSwitch = (switch or SWITCHES[kind])(home / kind, self.config)
        self._lay_out()
        self._library = self._speaker.submit(open_library, self.config, RealClock()).result()

    # Its life

    def start(self) -> None:
        self.command("db", "init")
        self._speaker.submit(self._add_agents).result()
        self.command("prompts", "build")
        said = self.command("switch-config", "--show-passwords")
        self.passwords = dict(re.findall(r"phone (\S+): password (\S+)", said))
        self.switch.start()
        self.start_appliance()

    def close(self) -> None:
        self.stop_appliance()
        self.switch.stop()
        for part in self._library:
            self._speaker.submit(part.close).result()
        self._speaker.shutdown()

    def start_appliance(self) -> None:
        """Returns when it printed ready."""
        log = (self.home / "appliance.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*ENDS_WITH_US, *_APPLIANCE, "--config", str(self.file), "run"],
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

    def freeze_appliance(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw_appliance(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

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
        return self._ask({"do": "status"})

    def queue(self, name: str) -> list[str]:
        """The ids of the calls that wait there, in order."""
        return next(queue["waiting"] for queue in self.status()["queues"] if queue["name"] == name)  # type: ignore[no-any-return]

    def agent_state(self, agent: str) -> str:
        return next(view["state"] for view in self.status()["agents"] if view["id"] == agent)  # type: ignore[no-any-return]

    def set_agent(self, agent: str, state: str, reason: str = "") -> None:
        self._ask({"do": "agents.state", "agent": agent, "state": state, "reason": reason})

    def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Over the control socket, as the commands do; from any thread."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(str(self.config.run_dir / "hotline.sock"))
            control.sendall(json.dumps(request).encode() + b"\n")
            with control.makefile("rb") as replies:
                reply = json.loads(replies.readline())
        assert reply["ok"], reply
        return dict(reply["result"])

    def records(self, **fields: object) -> list[dict[str, Any]]:
        """The journal's records, those that have these fields."""
        found = []
        for segment in sorted((self.config.data_dir / "journal").glob("[0-9]*.jsonl")):
            for line in segment.read_text(encoding="utf-8").split("\n"):
                record = _record(line)
                if record and fields.items() <= record.items():
                    found.append(record)
        return found

    def call_of(self, caller: str, within: float = 5, *, besides: Collection[str] = ()) -> str:
        """The id of the newest call from that number, which is none of those known already."""

        def newest() -> list[str]:
            arrived = (str(record["call"]) for record in self.records(type="CallArrived", caller=caller))
            return [call for call in arrived if call not in besides][-1:]

        return self.until(newest, within, f"{caller} to arrive")[0]

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

    def say(self, text: str, language: str = "cmn") -> rtp.Samples:
        """What ``appliance.py say TEXT`` makes."""
        out = self.home / f"say-{next(self._count)}.wav"
        self.command("say", text, "--language", language, "--out", str(out))
        return heard.read_wav(out)

    def prompt(self, prompt: str, language: str = "cmn", **values: object) -> rtp.Samples:
        """A prompt of the catalogue, filled in."""
        return self._speaker.submit(self._spoken, prompt, language, tuple(values.items())).result()

    def opening(self, prompt: str, language: str = "cmn") -> rtp.Samples:
        """The first two seconds of a prompt, for those who do not want to hear all of it."""
        return self.prompt(prompt, language)[: 2 * rtp.RATE]

    @functools.cache  # noqa: B019 - a Hotline lives as long as its tests
    def _spoken(self, prompt: str, language: str, values: tuple[tuple[str, object], ...]) -> rtp.Samples:
        library, _ = self._library
        phrase = template(library.catalogue_text(prompt, language)).speech(dict(values), language)
        return np.concatenate([heard.read_wav(sound.path) for sound in library.text(phrase, language)])

    # Its data and its telephones

    def crm(self, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return _sql(self.config.crm.url, statement, values or {})

    def database(self, statement: str, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        return _sql(self.config.database.url, statement, values or {})

    def phones(self, name: str) -> Phones:
        return Phones(self.switch.trunk, self.switch.agents, self.home / "phones" / name)

    def somewhere(self, phones: Phones, *, tone: float = 1000.0) -> Phone:
        """A telephone behind the trunk, which rings for any number that is dialled there."""
        port = int(self.config.switch.trunks["trunk"].host.rpartition(":")[2])
        phone = phones.agent("somewhere", "", tone=tone, port=port)
        phone.plug_in()
        return phone

    def desk(self) -> Desk:
        """A queue that no other story uses, with two agents, who are logged off."""
        desk = self._desks.popleft()
        self._desks.append(desk)  # used again when all others were
        for agent in desk.agents:
            self.set_agent(agent, "LoggedOff")
        return desk

    def agent(self, phones: Phones, agent: str, *, tone: float = 1000.0) -> Phone:
        """An agent's telephone that is registered; the agent is still logged off."""
        phone = phones.agent(agent, self.passwords[agent], tone=tone)
        phone.register()
        return phone

    # Details

    def _lay_out(self) -> None:
        """Flows: the shipped ones, with ours for what they do not show or would show too slowly. Sounds are shared."""
        flows, unwanted = self.home / "flows", shutil.ignore_patterns("*.test.yaml", "*.template", "*.more")
        shutil.copytree(CHECKOUT / "flows", flows, ignore=unwanted)
        shutil.copytree(FLOWS, flows, dirs_exist_ok=True, ignore=unwanted)
        shutil.copytree(CHECKOUT / "prompts", self.home / "prompts")
        manners = (FLOWS / "queues.yaml").read_text().partition("service:")[2]
        with (flows / "queues.yaml").open("a") as queues:
            for desk in self._desks:
                queues.write(f"\n{desk.queue}:{manners}")
                text = (FLOWS / "desk.template").read_text().format(number=desk.number, queue=desk.queue)
                (flows / f"{desk.queue}.yaml").write_text(text)
        for name in ("queues", "queries"):
            with (flows / f"{name}.yaml").open("a") as file:
                file.write((FLOWS / f"{name}.more").read_text())
        self.config.data_dir.mkdir()
        for name in ("sounds", "speech"):
            (SHARED / name).mkdir(parents=True, exist_ok=True)
            (self.config.data_dir / name).symlink_to(SHARED / name)

    def _add_agents(self) -> None:
        store = Store(self.config.database.url, RealClock())
        for desk in self._desks:
            for agent in desk.agents:
                store.add_agent(agent, f"Agent {agent}", skills={}, queues=[Membership(desk.queue)])
        for agent, queue, facts in SPECIALISTS:
            store.add_agent(agent, f"Agent {agent}", queues=[Membership(queue)], **({"skills": {}} | facts))
        store.add_agent(RECORDED, "Recorded", skills={}, queues=[Membership("recorded")])
        store.add_agent(LAMP, "Lamp", skills={}, queues=[])
        store.add_mailbox("night", phones=[LAMP], pin=PIN)
        store.close()

    @staticmethod
    def _listen(process: subprocess.Popen[str], said: list[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.strip())
            ready.set()
        ready.set()


_APPLIANCE = [sys.executable, str(CHECKOUT / "appliance.py")]


def free_ports(count: int) -> list[int]:
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
