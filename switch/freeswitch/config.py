"""What FreeSWITCH must be told of this installation, beside the hand-written files of `freeswitch-conf/`.

`write` fills the directory that those files include: passwords, addresses, agents, trunks and music.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

_ACCOUNT = re.compile(r"[0-9A-Za-z_.-]{1,40}")
_NUMBER = re.compile(r"[0-9+*#]{1,40}")
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_PATH = re.compile(r"[^\s;,!{}$\"'<>&|\\]+")
_HOST = re.compile(r"[0-9A-Za-z.:\[\]-]{1,255}")
_SECRET = re.compile(r"[!#%()+,./0-9:;=?@A-Z\[\]^_a-z~-]{1,200}")

RING_BACK = "tone_stream://%(1000,4000,440,480);loops=-1"  # what is heard where no music was configured


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where callers come from: a provider, or a PBX. `peers` are its addresses or networks.

    `route` is the host (and port) that our own calls outwards go to, "" for none; `account` and `password`
    register there. The first trunk with a route carries the outbound calls.
    """

    name: str = "trunk"
    peers: Sequence[str] = ("127.0.0.0/8",)
    route: str = ""
    account: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where FreeSWITCH and the appliance listen. `rtp` is the first and the last port for sound."""

    trunk: int = 5080
    agents: int = 5060
    event_socket: int = 8021
    outbound: str = "127.0.0.1:8084"
    rtp: tuple[int, int] = (16384, 32767)


def write(
    directory: Path,
    *,
    password: str,
    agents: Sequence[tuple[str, str, str]],
    music: Mapping[str, Path],
    sorry: Path | None = None,
    numbers: Sequence[str] = ("1000",),
    trunks: Sequence[Trunk] = (Trunk(),),
    listen: str = "127.0.0.1",
    external: str = "",
    ports: Ports = Ports(),
    log_level: str = "warning",
    sessions: int = 5000,
    sessions_per_second: int = 1000,
) -> None:
    """Writes the generated part of the configuration, readable by the owner and the directory's group only.

    `agents` are (SIP account, SIP password, name). `music` maps names of music to a WAV file or a directory of
    them; ``default`` is played wherever nothing else is known, else the first. `sorry` is the apology in a WAV
    file, `numbers` are the numbers by which agents can call the hotline. `sessions` legs at a time and
    `sessions_per_second` new ones are let in by SIP at all. Raises ValueError for what cannot
    stand in these files.
    """
    (directory / "gateways").mkdir(parents=True, exist_ok=True)
    streams = _streams(directory, music)
    variables = {
        "hotline_event_socket_password": _checked(_SECRET, password, "event socket's password"),
        "hotline_agents": _any_of(_checked(_ACCOUNT, account, "account") for account, _, _ in agents),
        "hotline_numbers": _any_of(_checked(_NUMBER, number, "number") for number in numbers),
        "hotline_trunk_route": _route(trunks),
        "hotline_music": "local_stream://default" if streams else RING_BACK,
        "hotline_sorry": _path(sorry) if sorry else "silence_stream://10",
        "hotline_sessions": str(sessions),
        "hotline_sessions_per_second": str(sessions_per_second),
        "hotline_log_level": _checked(_NAME, log_level, "log level"),
        **_places(listen, external, ports),
    }
    files = {
        "vars.xml": _set(variables),
        "agents.xml": "".join(_agent(*agent) for agent in agents),
        "acl.xml": _access(trunks),
        "music.xml": "".join(_stream(name, path) for name, path in streams.items()),
        **_gateways(trunks),
    }
    _put(directory, files)


def _put(directory: Path, files: Mapping[str, str]) -> None:
    """Writes these files, and leaves no other gateway."""
    for stale in set((directory / "gateways").glob("*.xml")) - {directory / name for name in files}:
        stale.unlink()
    for name, text in files.items():
        _replace(directory / name, f"<include>\n{text}</include>\n")


def _places(listen: str, external: str, ports: Ports) -> dict[str, str]:
    host = str(ipaddress.ip_address(listen))
    return {
        "hotline_event_socket_port": str(ports.event_socket),
        "hotline_outbound": _checked(_HOST, ports.outbound, "address for outbound sockets"),
        "hotline_listen": host,
        "hotline_external": _checked(_HOST, external or host, "external address"),
        "hotline_trunk_port": str(ports.trunk),
        "hotline_agents_port": str(ports.agents),
        "hotline_rtp_first": str(ports.rtp[0]),
        "hotline_rtp_last": str(ports.rtp[1]),
    }


def _set(variables: Mapping[str, str]) -> str:
    return "".join(
        f'  <X-PRE-PROCESS cmd="set" data={quoteattr(f"{name}={value}")}/>\n' for name, value in variables.items()
    )


def _any_of(texts: Iterable[str]) -> str:
    """The texts as alternatives of a regular expression; what matches nothing where there are none."""
    return "|".join(re.escape(text) for text in texts) or "(?!)"


def _route(trunks: Sequence[Trunk]) -> str:
    for trunk in trunks:
        if trunk.account:
            return f"sofia/gateway/{trunk.name}/$1"
        if trunk.route:
            return f"sofia/trunk/$1@{_checked(_HOST, trunk.route, 'route')}"
    return "error/NO_ROUTE_DESTINATION"


def _agent(account: str, password: str, name: str) -> str:
    account = _checked(_ACCOUNT, account, "account")
    shown = " ".join("".join(sign if sign.isalnum() or sign in " .-" else " " for sign in name).split()) or account
    return (
        f"  <user id={quoteattr(account)}>\n"
        f"    <params>\n"
        f'      <param name="password" value={quoteattr(_checked(_SECRET, password, "SIP password"))}/>\n'
        f"    </params>\n"
        f"    <variables>\n"
        f'      <variable name="hotline_account" value={quoteattr(account)}/>\n'
        f'      <variable name="user_context" value="hotline-agents"/>\n'
        f'      <variable name="effective_caller_id_number" value={quoteattr(account)}/>\n'
        f'      <variable name="effective_caller_id_name" value={quoteattr(shown)}/>\n'
        f"    </variables>\n"
        f"  </user>\n"
    )


def _access(trunks: Sequence[Trunk]) -> str:
    nodes = "".join(
        f'    <node type="allow" cidr={quoteattr(str(ipaddress.ip_network(peer, strict=False)))}/>\n'
        for trunk in trunks
        for peer in trunk.peers
    )
    return f'  <list name="trunks" default="deny">\n{nodes}  </list>\n'


def _gateways(trunks: Sequence[Trunk]) -> dict[str, str]:
    """A file for each trunk at which we register."""
    return {
        f"gateways/{_checked(_NAME, trunk.name, 'name of a trunk')}.xml": _gateway(trunk)
        for trunk in trunks
        if trunk.account
    }


def _gateway(trunk: Trunk) -> str:
    settings = {
        "proxy": _checked(_HOST, trunk.route, "route"),
        "username": _checked(_ACCOUNT, trunk.account, "account"),
        "password": _checked(_SECRET, trunk.password, "password of a trunk"),
        "register": "true",
        "retry-seconds": "20",
    }
    lines = "".join(
        f"    <param name={quoteattr(name)} value={quoteattr(value)}/>\n" for name, value in settings.items()
    )
    return f"  <gateway name={quoteattr(trunk.name)}>\n{lines}  </gateway>\n"


def _streams(directory: Path, music: Mapping[str, Path]) -> dict[str, Path]:
    """A directory per stream: mod_local_stream reads nothing else, so a single file gets one of its own."""
    streams: dict[str, Path] = {}
    for name, path in music.items():
        streams[_checked(_NAME, name, "name of music")] = path if path.is_dir() else _alone(directory, name, path)
    if streams:
        streams.setdefault("default", next(iter(streams.values())))
    return streams


def _alone(directory: Path, name: str, file: Path) -> Path:
    place = directory / "music" / name
    place.mkdir(parents=True, exist_ok=True)
    for stale in place.iterdir():
        stale.unlink()
    (place / file.name).symlink_to(file.absolute())
    return place


def _stream(name: str, path: Path) -> str:
    settings = {"rate": "8000", "channels": "1", "interval": "20", "timer-name": "soft", "shuffle": "false"}
    lines = "".join(f'    <param name="{setting}" value="{value}"/>\n' for setting, value in settings.items())
    return f"  <directory name={quoteattr(name)} path={quoteattr(_path(path))}>\n{lines}  </directory>\n"


def _path(path: Path) -> str:
    return _checked(_PATH, str(path.absolute()), "path")


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"FreeSWITCH's configuration cannot hold this {what}")
    return text


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.touch(0o640)
    fresh.chmod(0o640)
    os.chown(fresh, -1, file.parent.stat().st_gid)
    fresh.write_text(text)
    fresh.replace(file)
