"""A house whose switch has a queue of its own beside ours: the same agents, music, announcements and strategy.

mod_callcenter on FreeSWITCH, app_queue on Asterisk. What they are told of agents goes over a connection that stays
open: the event socket, and the manager's.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from bench import _house, _menu
from bench._sip import HOST
from config.appliance import Config
from store.rows import Membership
from store.store import Store
from switch.freeswitch import esl
from switch.shared.clock import RealClock
from tests.live.sipp import free_port

AGENTS = tuple(str(6001 + number) for number in range(50))
RING = 10  # seconds
LONGEST = 1000  # callers
MEASURED, HEARD = "compared", "announced"  # one that all agents serve, and one that nobody serves and that speaks
FIRST, EVERY = 10, 15  # seconds before the first announcement, where that can be said, and between two of them


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which number leads into which queue."""

    measured: str
    heard: str


OURS, THEIRS = Numbers("7101", "7103"), Numbers("7102", "7104")

_FLOW = """
number: ["{number}"]
languages: [en]
start: wait
steps:
  wait: {{queue: {{name: {queue}}}, overflowed: end}}
  end: {{hangup: {{}}}}
"""
_MANNERS = f"""
  strategy: longest-idle
  music: calm
  whisper: false
  ring-for: {RING}s
  wrap-up: 0s
  longest-queue: {LONGEST}
  overflow: [{{after: 30m, exit: overflowed}}]
"""
_OUR_QUEUES = f"""
{MEASURED}:{_MANNERS}
{HEARD}:{_MANNERS}
  announce: {{position: true, wait: false, first: {FIRST}s, every: {EVERY}s, only-if-better: false}}
"""
_QUEUES_CONF = f"""
[general]
persistentmembers = no
autofill = yes

[manners](!)
strategy = leastrecent
musicclass = calm
timeout = {RING}
retry = 1
wrapuptime = 0
ringinuse = no
maxlen = {LONGEST}

[{HEARD}](manners)
announce-frequency = {EVERY}
min-announce-frequency = {EVERY}
announce-position = yes
announce-holdtime = no

[{MEASURED}](manners)
"""
_IN_ASTERISK = "[bench-queues]\n" + "".join(
    f"exten => {number},1,Answer(,i)\n same => n,Queue({queue})\n same => n,Hangup()\n"
    for number, queue in ((THEIRS.measured, MEASURED), (THEIRS.heard, HEARD))
)
_LEADS_THERE = "".join(f"exten => {number},1,Goto(bench-queues,${{EXTEN}},1)\n" for number in astuple(THEIRS))
_MANAGER = """
[bench]
secret = bench
read =
write = agent
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.0/8
"""
_CALLCENTER = """<include>
  <configuration name="callcenter.conf" description="the queues that ours are compared with">
    <queues>
      <queue name="{measured}">{manners}</queue>
      <queue name="{heard}">
        {manners}
        <param name="announce-sound" value="{sound}"/>
        <param name="announce-frequency" value="{every}"/>
      </queue>
    </queues>
    <agents>{agents}</agents>
    <tiers>{tiers}</tiers>
  </configuration>
</include>
"""
_CALLCENTERS_MANNERS = """
        <param name="strategy" value="longest-idle-agent"/>
        <param name="moh-sound" value="local_stream://calm"/>
        <param name="time-base-score" value="system"/>
        <param name="max-wait-time" value="0"/>
        <param name="max-wait-time-with-no-agent" value="0"/>
        <param name="tier-rules-apply" value="false"/>
"""
_IN_FREESWITCH = "".join(
    f"""
    <extension name="the queue {queue} that ours is compared with">
      <condition field="destination_number" expression="^{number}$">
        <action application="answer"/>
        <action application="callcenter" data="{queue}"/>
        <action application="hangup"/>
      </condition>
    </extension>
"""
    for number, queue in ((THEIRS.measured, MEASURED), (THEIRS.heard, HEARD))
)


class AsteriskWithQueue(_house.AsteriskWithMenus):
    def __init__(self, home: Path, config: Config, sounds: _menu.Sounds) -> None:
        super().__init__(home, config, sounds)
        self.manager_port = free_port(HOST)

    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        started = super()._command()
        self.change("modules.conf", lambda text: f"{text}\nrequire = app_queue.so\n")
        self.change(
            "manager.conf",
            lambda text: text.replace("[general]\n", f"[general]\nport = {self.manager_port}\n") + _MANAGER,
        )
        self.change("extensions.conf", lambda text: _inserted(text, "[from-trunk]\n", _LEADS_THERE) + _IN_ASTERISK)
        members = "".join(f"member => PJSIP/{agent}\n" for agent in AGENTS)
        (self.home / "etc" / "queues.conf").write_text(_QUEUES_CONF + members)
        return started


class FreeSwitchWithQueue(_house.FreeSwitchWithMenus):
    def _command(self) -> tuple[list[str], Mapping[str, str]]:
        started = super()._command()
        self._insert("modules.conf.xml", "<modules>\n", '<load module="mod_callcenter"/>\n')
        self._insert(
            "freeswitch.xml",
            '<section name="configuration">\n',
            '<X-PRE-PROCESS cmd="include" data="callcenter.conf.xml"/>\n',
        )
        self._insert("dialplan.xml", '<context name="hotline">\n', _IN_FREESWITCH)
        (self.conf / "callcenter.conf.xml").write_text(_callcenter(self._sounds.ask))
        return started

    def _insert(self, name: str, after: str, text: str) -> None:
        file = self.conf / name
        file.write_text(_inserted(file.read_text(), after, text))


def _inserted(text: str, after: str, more: str) -> str:
    assert text.count(after) == 1
    return text.replace(after, after + more)


def _callcenter(sound: Path) -> str:
    agents = "".join(
        f'<agent name="{agent}" type="callback" contact="[leg_timeout={RING}]sofia/agents/{agent}%hotline" '
        'status="On Break" max-no-answer="0" wrap-up-time="0" reject-delay-time="1" busy-delay-time="1"/>\n'
        for agent in AGENTS
    )
    tiers = "".join(f'<tier agent="{agent}" queue="{MEASURED}" level="1" position="1"/>\n' for agent in AGENTS)
    return _CALLCENTER.format(
        measured=MEASURED,
        heard=HEARD,
        manners=_CALLCENTERS_MANNERS,
        sound=sound,
        every=EVERY,
        agents=agents,
        tiers=tiers,
    )


class Side(Protocol):
    """One of the two queues, and how its agents are told to be at work."""

    @property
    def name(self) -> str: ...

    @property
    def numbers(self) -> Numbers: ...

    def ready(self, agent: str) -> None: ...

    def not_ready(self, agent: str) -> None: ...


@contextmanager
def sides(house: _house.House) -> Iterator[tuple[Side, Side]]:
    """Ours and theirs; everybody is logged on in both, and nobody is at work."""
    for agent in AGENTS:
        house.set_agent(agent, "NotReady")
    theirs: AppQueue | Callcenter
    match house.switch:
        case AsteriskWithQueue() as asterisk:
            theirs = AppQueue(asterisk.manager_port)
        case FreeSwitchWithQueue() as freeswitch:
            theirs = Callcenter(freeswitch)
        case other:
            raise TypeError(f"{other.kind} has no queue of its own here")
    try:
        for agent in AGENTS:
            theirs.not_ready(agent)
        yield Hotlines(house), theirs
    finally:
        theirs.close()


class QueueHouse(_house.House):
    """Has the agents of the comparison, our queue, and a switch with a queue of its own."""

    switches: ClassVar = {"freeswitch": FreeSwitchWithQueue, "asterisk": AsteriskWithQueue}

    def _furnish(self) -> None:
        super()._furnish()
        for number, queue in ((OURS.measured, MEASURED), (OURS.heard, HEARD)):
            (self.home / "flows" / f"bench-{queue}.yaml").write_text(_FLOW.format(number=number, queue=queue))
        with (self.home / "flows" / "queues.yaml").open("a") as queues:
            queues.write(_OUR_QUEUES)

    def _add_agents(self) -> None:
        super()._add_agents()
        store = Store(self.config.database.url, RealClock())
        for agent in AGENTS:
            store.add_agent(agent, f"Agent {agent}", skills={}, queues=[Membership(MEASURED)])
        store.close()


def opened(kind: str) -> AbstractContextManager[QueueHouse]:
    """See `_house.opened`."""
    return _house.opened_as(QueueHouse, kind)


@dataclass(frozen=True, slots=True)
class Hotlines:
    """Ours: agents are moved over the control socket, as by the commands."""

    house: _house.House
    name: str = "hotline"
    numbers: Numbers = OURS

    def ready(self, agent: str) -> None:
        self.house.set_agent(agent, "Ready")

    def not_ready(self, agent: str) -> None:
        self.house.set_agent(agent, "NotReady")


class AppQueue:
    """Asterisk's: agents are paused over the manager."""

    name, numbers = "app_queue", THEIRS

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=5)
        self._replies = self._socket.makefile("rb")
        self._replies.readline()  # what it is
        self._ask(Action="Login", Username="bench", Secret="bench", Events="off")

    def ready(self, agent: str) -> None:
        self._ask(Action="QueuePause", Queue=MEASURED, Interface=f"PJSIP/{agent}", Paused="false")

    def not_ready(self, agent: str) -> None:
        self._ask(Action="QueuePause", Queue=MEASURED, Interface=f"PJSIP/{agent}", Paused="true")

    def close(self) -> None:
        self._socket.close()

    def _ask(self, **fields: str) -> None:
        self._socket.sendall("".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n")
        said = b""
        while (line := self._replies.readline()).strip():
            said += line
        if b"Response: Success" not in said:
            raise RuntimeError(f"{fields['Action']}: {said.decode(errors='replace')}")


class Callcenter:
    """FreeSWITCH's: agents' status is set over the event socket."""

    name, numbers = "mod_callcenter", THEIRS

    def __init__(self, switch: FreeSwitchWithQueue) -> None:
        freeswitch = switch.config.switch.freeswitch
        host, _, port = freeswitch.inbound.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=5)
        self._framing = esl.Framing()
        self._read()
        self._ask(f"auth {freeswitch.password_file.read_text().strip()}")

    def ready(self, agent: str) -> None:
        self._ask(f"api callcenter_config agent set status {agent} 'Available'")

    def not_ready(self, agent: str) -> None:
        self._ask(f"api callcenter_config agent set status {agent} 'On Break'")

    def close(self) -> None:
        self._socket.close()

    def _ask(self, line: str) -> None:
        self._socket.sendall(esl.command(line))
        if not (said := self._read().answer).startswith("+OK"):
            raise RuntimeError(f"{line.split(maxsplit=1)[0]}: {said}")

    def _read(self) -> esl.Message:
        while True:
            for message in self._framing:
                return message
            if not (data := self._socket.recv(65536)):
                raise ConnectionError("FreeSWITCH has closed the event socket")
            self._framing.feed(data)
