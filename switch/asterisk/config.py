"""What Asterisk must be told of this installation, beside the hand-written files of `asterisk-conf/`.

`write` fills the directory that those files include as ``hotline/``: passwords, addresses, agents, trunks
and music. Everything else about Asterisk stands, with its reasons, in the hand-written files.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

APPLICATION = "hotline"  # the Stasis application
MEMORY = "HOTLINE"  # the channel variable that keeps what we remember; ari.conf shows it with every channel
TRANSFER = "hotline-transfer"  # the dialplan context that a transferred call continues in

_ACCOUNT = re.compile(r"(?!trunk)[0-9A-Za-z_.-]{1,40}")
_LOGIN = re.compile(r"[0-9A-Za-z_.+@-]{1,60}")
_NUMBER = re.compile(r"[0-9+*#]{1,40}")
_NAME = re.compile(r"[a-z0-9-]{1,40}")
_PATH = re.compile(r"[^\s;,&|${}\"'\\]+")


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where callers come from: a provider, or a PBX. `peers` are its addresses or networks.

    `contact` is where our own calls go (``sip:203.0.113.7``, "" for none); with `account` and `password`
    we register there and authenticate. The first trunk of an installation carries its outbound calls.
    """

    name: str = "trunk"
    peers: Sequence[str] = ("127.0.0.0/8",)
    contact: str = ""
    account: str = ""
    password: str = ""

    @property
    def endpoint(self) -> str:
        """Its name in Asterisk, which tells it from an agent's."""
        name = _checked(_NAME, self.name, "trunk's name")
        return name if name == "trunk" or name.startswith("trunk-") else f"trunk-{name}"

    @property
    def local(self) -> bool:
        """Whether its peers share this machine's addresses with the agents' phones, as in tests and demos."""
        return all(ipaddress.ip_network(peer, strict=False).is_loopback for peer in self.peers)


def write(
    directory: Path,
    *,
    password: str,
    agents: Mapping[str, str],
    music: Mapping[str, Path],
    sorry: Path | None = None,
    numbers: Sequence[str] = ("1000",),
    trunks: Sequence[Trunk] = (Trunk(),),
    user: str = "hotline",
    ari: str = "127.0.0.1:8088",
    listen: str = "127.0.0.1",
    agents_port: int = 5060,
    trunk_port: int = 5080,
    rtp: tuple[int, int] = (10000, 10999),
) -> None:
    """Writes the generated part of the configuration; readable by the owner and the directory's group only.

    `agents` maps SIP accounts to SIP passwords, `music` names of music to directories of WAV files (``default``
    is played wherever nothing else was asked for), `sorry` is the apology in a WAV file, `numbers` are the numbers
    by which agents can call the hotline. Raises ValueError for what cannot stand in these files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = {
        "ari.conf": _ari(user, password),
        "manager.conf": _manager(user, password),
        "http.conf": _http(ari),
        "rtp.conf": f"rtpstart = {rtp[0]}\nrtpend = {rtp[1]}\n",
        "globals.conf": _globals(sorry, trunks),
        "extensions.conf": _extensions(agents, numbers),
        "musiconhold.conf": _music(music),
        "pjsip.conf": _pjsip(agents, trunks, listen, agents_port, trunk_port),
    }
    for name, text in files.items():
        _replace(
            directory / name, f"; Written by `appliance.py switch-config`: changes are lost with the next run.\n{text}"
        )


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f".{file.name}.new")
    fresh.touch(0o640)
    fresh.chmod(0o640)
    os.chown(fresh, -1, file.parent.stat().st_gid)
    fresh.write_text(text)
    fresh.replace(file)


def _ari(user: str, password: str) -> str:
    return f"[{_checked(_NAME, user, 'ARI user')}]\ntype = user\nread_only = no\npassword = {_secret(password)}\n"


def _manager(user: str, password: str) -> str:
    """May send notices to telephones, from this machine, and nothing else."""
    return (
        f"[{_checked(_NAME, user, 'ARI user')}]\nsecret = {_secret(password)}\nread =\nwrite = system\n"
        "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 127.0.0.0/8\npermit = ::1/128\n"
    )


def _http(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"bindaddr = {ipaddress.ip_address(host.strip('[]'))}\nbindport = {int(port)}\n"


def _globals(sorry: Path | None, trunks: Sequence[Trunk]) -> str:
    apology = _path(sorry.with_suffix("")) if sorry else "vm-sorry"
    outbound = trunks[0].endpoint if trunks else "trunk"
    return f"HOTLINE_APP = {APPLICATION}\nHOTLINE_SORRY = {apology}\nHOTLINE_TRUNK = {outbound}\n"


def _extensions(agents: Mapping[str, str], numbers: Sequence[str]) -> str:
    lines = ["[hotline-numbers]"]
    for number in numbers:
        lines += [
            f"exten => {_checked(_NUMBER, number, 'number')},1,Set(HOTLINE_DIALLED={number})",
            " same => n,Set(HOTLINE_ACCOUNT=${CHANNEL(endpoint)})",
            " same => n,Goto(hotline,take,1)",
        ]
    lines += ["", "[hotline-agents]"]
    for account in agents:
        lines += [
            f"exten => {_checked(_ACCOUNT, account, 'account')},1,Set(TIMEOUT(absolute)=${{HOTLINE_LONGEST}})",
            f" same => n,Dial(PJSIP/{account},60)",
            " same => n,Hangup()",
        ]
    return "\n".join(lines) + "\n"


def _music(music: Mapping[str, Path]) -> str:
    return "".join(
        f"[{_checked(_NAME, name, 'music')}]\nmode = files\ndirectory = {_path(directory)}\nsort = alpha\n\n"
        for name, directory in music.items()
    )


def _pjsip(agents: Mapping[str, str], trunks: Sequence[Trunk], listen: str, agents_port: int, trunk_port: int) -> str:
    address = ipaddress.ip_address(listen)
    host = f"[{address}]" if address.version == 6 else str(address)
    media = "" if address.is_unspecified else f"media_address = {address}\nbind_rtp_to_media_address = yes\n"
    parts = [
        _section("agents-udp", type="transport", protocol="udp", bind=f"{host}:{agents_port}"),
        _section("trunk-udp", type="transport", protocol="udp", bind=f"{host}:{trunk_port}"),
    ]
    for account, secret in agents.items():
        parts += _agent(_checked(_ACCOUNT, account, "account"), _secret(secret), media)
    for trunk in trunks:
        parts += _trunk(trunk, media, trunk_port)
    return "\n".join(parts)


def _agent(account: str, password: str, media: str) -> list[str]:
    return [
        f"[{account}](agent)\naors = {account}\nauth = {account}\ntransport = agents-udp\n{media}",
        f"[{account}](agent-aor)\n",
        f"[{account}](agent-auth)\nusername = {account}\npassword = {password}\n",
    ]


def _trunk(trunk: Trunk, media: str, port: int) -> list[str]:
    name = trunk.endpoint
    # Neighbours on this machine are not told apart by address, so there the port that was called says it.
    known_by = (
        {"match_request_uri": f"/:{port}([^0-9]|$)/"}
        if trunk.local
        else {"match": ",".join(map(_network, trunk.peers))}
    )
    permitted = f"deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = {','.join(map(_network, trunk.peers))}\n"
    parts = [_section(f"{name}-identify", type="identify", endpoint=name, **known_by)]
    endpoint = f"[{name}](trunk)\ntransport = trunk-udp\n{permitted}{media}"
    if trunk.contact:
        contact = _checked(re.compile(r"sips?:[^\s;,\"<>]+"), trunk.contact, "contact")
        endpoint += f"aors = {name}\n"
        parts.append(_section(name, type="aor", contact=contact, qualify_frequency="60"))
    if trunk.account:
        account, secret = _checked(_LOGIN, trunk.account, "account"), _secret(trunk.password)
        endpoint += f"outbound_auth = {name}\nfrom_user = {account}\n"
        parts += [
            _section(name, type="auth", auth_type="userpass", username=account, password=secret),
            _section(
                f"{name}-registration", type="registration", transport="trunk-udp", outbound_auth=name,
                server_uri=trunk.contact, client_uri=re.sub("^(sips?:)", rf"\g<1>{account}@", trunk.contact),
                retry_interval="20", forbidden_retry_interval="300", max_retries="100000",
            ),
        ]  # fmt: skip
    return [endpoint, *parts]


def _section(section: str, **settings: str) -> str:
    return f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _path(path: Path) -> str:
    return _checked(_PATH, str(path.absolute()), "path")


def _secret(text: str) -> str:
    if not text or not text.isprintable() or text != text.strip():
        raise ValueError("a password must be printable text without spaces at its ends")
    return text.replace(";", "\\;")


def _checked(wanted: re.Pattern[str], text: str, what: str) -> str:
    if not wanted.fullmatch(text):
        raise ValueError(f"'{text}' cannot be a {what} in Asterisk's configuration")
    return text
