"""A whole hotline on the private Asterisk, in a directory of its own: tables, demo CRM, switch, appliance.

Nothing of the real appliance is touched but the cache of what was spoken, which is shared.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gevent
import yaml
from gevent import subprocess

from acd.model import AgentState
from config.appliance import SQLITE, Config, read
from config.values import UserError
from provision import asterisk
from provision.debs import Tree
from runtime.flowbook import BESIDE, CALENDARS, flow_files, read_book
from runtime.music import SORRY
from runtime.switch_files import kept_password, music_folders
from speech.catalogue import Catalogue
from store.rows import Agent
from store.store import Store
from switch.shared.clock import RealClock

CHECKOUT = Path(__file__).resolve().parent.parent
ASTERISK, PHONES = CHECKOUT / "var" / "asterisk", CHECKOUT / "var" / "phones"  # where `make switches` puts them too
CALLER = "13800000001"  # a customer of the demo CRM: order 202611 is hers
READY_SECONDS = 60.0
SHARED = ("speech", "sounds")


@dataclass(frozen=True, slots=True)
class Site:
    """Where telephones reach the hotline, and with which passwords."""

    address: str
    port: int
    number: str
    caller_password: str
    agents: tuple[Agent, ...]
    prompts: Catalogue


def lay_out(config: Config, listen: str) -> Config:
    """The directory of the demo with its configuration, and what that says. Raises UserError."""
    home = (config.data_dir / "demo" / "asterisk").absolute()
    home.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        (config.data_dir / name).mkdir(exist_ok=True)
        _link(home / name, config.data_dir.absolute() / name)
    _lay_out_flows(config, home / "flows")
    written = home / "appliance.yaml"
    written.write_text(yaml.safe_dump(_settings(config, home, listen), allow_unicode=True, sort_keys=False))
    return read(written)


def _settings(config: Config, home: Path, listen: str) -> dict[str, object]:
    taken: set[int] = set()
    agents_port, trunk_port = (_free(socket.SOCK_DGRAM, listen, port, taken) for port in (5060, 5080))
    ari_port = _free(socket.SOCK_STREAM, "127.0.0.1", 8088, taken)
    return {
        "switch": {
            "kind": "asterisk",
            "asterisk": {"url": f"http://127.0.0.1:{ari_port}", "password-file": "ari-password"},
            "sip": {"listen": listen, "agents-port": agents_port, "trunk-port": trunk_port},
        },
        "data-dir": ".",
        "flows-dir": "flows",
        "prompts-dir": str(config.prompts_dir.absolute()),
        "database": {"url": f"{SQLITE}{home / 'hotline.db'}"},
        "crm": {"url": f"{SQLITE}{home / 'crm.db'}"},
        "speech": config.speech.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "time-zone": config.time_zone,
        "country": config.country,
    }


def _lay_out_flows(config: Config, flows: Path) -> None:
    """The real files, so that an edit is heard at once; only the calendars never close."""
    book, problems = read_book(config.flows_dir, config.prompts_dir)
    if book is None:
        raise UserError("\n".join(map(str, problems)))
    flows.mkdir(exist_ok=True)
    for stale in flows.iterdir():
        stale.unlink()
    for file in flow_files(config.flows_dir):
        _link(flows / file.name, file.absolute())
    for name in BESIDE - {CALENDARS}:
        _link(flows / name, (config.flows_dir / name).absolute())
    always = {name: {"zone": config.time_zone, "open": {"daily": "00:00-24:00"}} for name in book.calendars.names}
    (flows / CALENDARS).write_text(yaml.safe_dump(always))


@contextmanager
def running(demo: Config, tree: Tree) -> Iterator[Site]:
    """Asterisk and the appliance of a laid-out demo, until the block ends. Raises UserError, Unavailable."""
    book, problems = read_book(demo.flows_dir, demo.prompts_dir)
    if book is None:
        raise UserError("\n".join(map(str, problems)))
    store = Store(demo.database.url, RealClock(), threads=1)
    try:
        agents = tuple(store.agents())
        for agent in agents:
            store.set_agent_state(agent.id, AgentState.LOGGED_OFF.value, "")  # nobody is left from the last demo
    finally:
        store.close()
    sip, password = demo.switch.sip, kept_password(demo.data_dir / "caller-password")
    site = asterisk.Site(
        agents={**{agent.phone: agent.password for agent in agents if agent.account}, CALLER: password},
        music=music_folders(demo, demo.switch_dir / "asterisk"),
        sorry=demo.sounds_dir / f"{SORRY}.wav",
        numbers=[number for flow in book.flows for number in flow.numbers],
        listen=sip.listen,
        agents_port=sip.agents_port,
        trunk_port=sip.trunk_port,
        ari_port=int(demo.switch.asterisk.url.rpartition(":")[2]),
        rtp=sip.rtp,
        password=kept_password(demo.switch.asterisk.password_file),
    )
    with asterisk.running(tree, demo.data_dir / "asterisk", site), _appliance(demo):
        address = "127.0.0.1" if ipaddress.ip_address(sip.listen).is_unspecified else sip.listen
        yield Site(address, sip.agents_port, book.flows[0].numbers[0], password, agents, book.prompts)


@contextmanager
def _appliance(demo: Config) -> Iterator[None]:
    """The appliance as a process of its own, from its `ready` until the block ends."""
    log = demo.data_dir / "appliance.log"
    command = [sys.executable, str(CHECKOUT / "appliance.py"), "--config", str(demo.data_dir / "appliance.yaml"), "run"]
    with log.open("wb") as said:
        # In a session of its own: Ctrl-C is for us, who then stop it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
        )
    try:
        assert process.stdout is not None
        ready = gevent.with_timeout(READY_SECONDS, process.stdout.readline, timeout_value=b"")
        if ready.strip() != b"ready":
            raise UserError(f"the appliance did not start; see {log}")
        yield
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def usable(listen: str) -> str:
    """An address of this machine. Raises UserError."""
    try:
        address = ipaddress.ip_address(listen)
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((listen, 0))
    except (ValueError, OSError) as error:
        raise UserError(f"--listen: '{listen}' is not an address of this machine, such as 127.0.0.1") from error
    return listen


def _free(kind: socket.SocketKind, address: str, wanted: int, taken: set[int]) -> int:
    """That port where it is free, else any free one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in (wanted, *[0] * 20):
        with socket.socket(family, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if found not in taken:
            taken.add(found)
            return found
    raise UserError(f"no port of {address} is free")


def _link(link: Path, to: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(to)
