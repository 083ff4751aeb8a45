"""appliance.yaml: the one configuration file, as a checked value.

Every key has a default, so an empty file is a valid one. Relative paths, also those inside SQLite
URLs, are relative to the file's own folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from config.document import load_file
from config.values import Duration, UserError, is_time_zone, zone_of_place

SQLITE = "sqlite:///"
IN_MEMORY = ("", ":memory:")


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


def _address(text: object) -> str:
    host, colon, port = str(text).rpartition(":")
    if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"'{text}' is not an address; write host:port, for example 127.0.0.1:8084")
    return str(text)


def _zone(text: str) -> str:
    if not is_time_zone(text):
        hint = zone_of_place(text) or " Write for example Asia/Shanghai or Europe/Berlin"
        raise ValueError(f"'{text}' is not a time zone.{hint}")
    return text


def _country(text: str) -> str:
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError(f"'{text}' is not a country; write two letters, for example CN, HK or GB")
    return text.upper()


def _url(text: object) -> str:
    address = str(text).removeprefix("http://").removesuffix("/")
    try:
        return f"http://{_address(address)}"
    except ValueError:
        raise ValueError(f"'{text}' is not the URL of ARI; write for example http://127.0.0.1:8088") from None


Address = Annotated[str, BeforeValidator(_address)]


Language = Literal["cmn", "yue", "en"]


class Section(BaseModel):
    model_config = ConfigDict(alias_generator=_hyphens, extra="forbid", frozen=True, populate_by_name=True)


class Simulated(Section):
    """The switch that needs no telephone: the terminal is the caller, agents answer by themselves."""

    agent_answers_after: Duration = 4.0
    agent_talks_for: Duration = 20.0


def _ports(text: object) -> tuple[int, int]:
    if isinstance(text, tuple):
        return text
    first, dash, last = str(text).partition("-")
    if not (dash and first.isdigit() and last.isdigit() and 1023 < int(first) < int(last) < 65536):
        raise ValueError(f"'{text}' is not a range of ports; write for example 16384-32767")
    return int(first), int(last)


Ports = Annotated[tuple[int, int], BeforeValidator(_ports)]
Port = Annotated[int, Field(gt=0, lt=65536)]


def _own_address(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not an IP address; write one of this machine, for example 192.0.2.10") from None
    return text


def _peer(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"'{text}' is not an IP address or a network; write for example 203.0.113.7 or 203.0.113.0/24, "
            "no host name: callers are let in by their address"
        ) from None
    return text


def _trunk_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,40}", text):
        raise ValueError(
            f"'{text}' cannot be a trunk's name; write up to 40 small letters, digits and hyphens, for example my-trunk"
        )
    return text


class FreeSwitch(Section):
    outbound: Address = "127.0.0.1:8084"
    inbound: Address = "127.0.0.1:8021"
    password_file: Path = Path("var/switch/freeswitch/event-socket-password")


class Asterisk(Section):
    url: Annotated[str, BeforeValidator(_url)] = "http://127.0.0.1:8088"
    user: str = "hotline"
    password_file: Path = Path("var/switch/asterisk/ari-password")


class Sip(Section):
    """Where the switch listens for telephones; `switch-config` writes it into what the switch includes."""

    listen: Annotated[str, AfterValidator(_own_address)] = "127.0.0.1"
    agents_port: Port = 5060
    trunk_port: Port = Field(5080, validate_default=True)  # agents-port alone may come to be the same
    rtp: Ports = (16384, 32767)

    @field_validator("trunk_port")
    @classmethod
    def _of_its_own(cls, port: int, others: ValidationInfo) -> int:
        if port == others.data.get("agents_port"):
            raise ValueError(
                f"agents-port and trunk-port are both {port}; write two different ports, for example 5060 and 5080"
            )
        return port


class Trunk(Section):
    """A provider or PBX: the addresses that callers come from, and where our own calls go ("" for none)."""

    peers: tuple[Annotated[str, AfterValidator(_peer)], ...] = ("127.0.0.0/8",)
    host: str = ""
    account: str = ""
    password: str = ""


class SwitchSection(Section):
    kind: Literal["simulated", "freeswitch", "asterisk"] = "simulated"
    simulated: Simulated = Simulated()
    freeswitch: FreeSwitch = Field(default_factory=FreeSwitch)
    asterisk: Asterisk = Field(default_factory=Asterisk)
    sip: Sip = Field(default_factory=Sip)
    trunks: Mapping[Annotated[str, AfterValidator(_trunk_name)], Trunk] = Field(
        default_factory=lambda: {"trunk": Trunk()}
    )


class Database(Section):
    url: str = "sqlite:///var/hotline.db"
    within: Duration = 5.0


class Crm(Section):
    url: str = "sqlite:///var/crm.db"
    demo: bool = True
    connections: int = Field(5, ge=1, le=100)


class Http(Section):
    listen: Address = "127.0.0.1:8080"


class VoiceSection(Section):
    """How one language is spoken, where that is not the vendor's usual way."""

    vendor: str = ""
    voice: str = ""
    pace: int = Field(0, ge=0, le=500)  # words per minute; 0 for the usual
    program: tuple[str, ...] = ()
    version: str = ""


class RecognitionSection(Section):
    """What understands one language: a vendor, and its model directory where it brings none."""

    vendor: str
    model: Path | None = None


def _network(text: object) -> object:
    try:
        return ip_network(str(text))
    except ValueError:
        raise ValueError(f"'{text}' is not a network; write for example 10.1.0.0/16 or 127.0.0.1/32") from None


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]


class Web(Section):
    """What the verb `http` may ask. `private`: networks of our own; `tokens`: files with a secret, by host."""

    private: tuple[Network, ...] = ()
    largest: int = Field(65_536, ge=1024, le=1_048_576)  # bytes of an answer
    at_once: int = Field(20, ge=1, le=200)
    tokens: Mapping[str, Path] = Field(default_factory=dict)
    ca_file: Path | None = None


def _beginning(text: object) -> object:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", str(text)):
        raise ValueError(f"'{text}' is not the beginning of a number; write for example +8621 or +852")
    return text


def _dialled(text: object) -> object:
    if not re.fullmatch(r"\+?[0-9]{1,20}", str(text)):
        raise ValueError(f"'{text}' is not a number; write digits, for example 110 or +862155550100")
    return text


Beginning = Annotated[str, BeforeValidator(_beginning)]


class Transfers(Section):
    """Where the verb `transfer` may send callers, and how often in a day."""

    agents: bool = True
    allowed: tuple[Beginning, ...] = ()
    refused: tuple[Beginning, ...] = ()
    numbers: tuple[Annotated[str, BeforeValidator(_dialled)], ...] = ()
    per_caller: int = Field(3, ge=1, le=10_000)
    per_day: int = Field(200, ge=1, le=1_000_000)


class Speech(Section):
    vendor: str = "espeak"
    workers: int = Field(2, ge=1, le=16)
    within: Duration = 10.0
    cache: int = Field(512, ge=16, le=1_000_000)  # MB
    voices: Mapping[Language, VoiceSection] = Field(default_factory=dict)
    recognition: Mapping[Language, RecognitionSection] = Field(default_factory=dict)


class JournalSection(Section):
    keep: Annotated[int, Field(ge=1, le=3650)] = 30  # days


def _server(text: object) -> str:
    return str(text) and _address(text)


def _email(text: str) -> str:
    account, at, domain = text.partition("@")
    if not (account and at and domain) or any(sign.isspace() for sign in text):
        raise ValueError(f"'{text}' is not an e-mail address; write for example hotline@example.org")
    return text


class Mail(Section):
    """The server that takes our e-mails about voice messages; "" for none."""

    server: Annotated[str, BeforeValidator(_server)] = ""
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password_file: Path = Path("var/mail-password")
    sender: Annotated[str, AfterValidator(_email)] = "hotline@localhost"
    within: Duration = 20.0


class RecordingsSection(Section):
    keep: Annotated[int, Field(ge=0, le=36_500)] = 90  # days; 0 for ever


class Limits(Section):
    calls: int = Field(200, ge=1, le=10_000)
    calls_per_second: int = Field(60, ge=1, le=1000)
    hub_lag: Duration = Field(0.25, ge=0.02, le=10)


class Config(Section):
    switch: SwitchSection = Field(default_factory=SwitchSection)
    database: Database = Field(default_factory=Database)
    crm: Crm = Field(default_factory=Crm)
    data_dir: Path = Path("var")
    flows_dir: Path = Path("flows")
    prompts_dir: Path = Path("prompts")
    http: Http = Field(default_factory=Http)
    web: Web = Field(default_factory=Web)
    transfers: Transfers = Field(default_factory=Transfers)
    speech: Speech = Field(default_factory=Speech)
    journal: JournalSection = Field(default_factory=JournalSection)
    limits: Limits = Field(default_factory=Limits)
    mail: Mail = Field(default_factory=Mail)
    recordings: RecordingsSection = Field(default_factory=RecordingsSection)
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    country: Annotated[str, AfterValidator(_country)] = "CN"

    _home: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def run_dir(self) -> Path:
        return self.data_dir / "run"

    @property
    def switch_dir(self) -> Path:
        """Where `switch-config` writes what the switch includes."""
        return self.data_dir / "switch"

    @property
    def sounds_dir(self) -> Path:
        """Music, beep and the switches' own fallback recordings."""
        return self.data_dir / "sounds"

    def patient(self) -> Self:
        """The same for commands, where no caller waits on the line for what is to be spoken."""
        patience = max(self.speech.within, 60.0)
        return self.model_copy(update={"speech": self.speech.model_copy(update={"within": patience})})

    def at(self, home: Path) -> Self:
        """The same configuration with every path absolute, from `home`."""
        freeswitch = self.switch.freeswitch
        asterisk = self.switch.asterisk
        switch = self.switch.model_copy(
            update={
                "freeswitch": freeswitch.model_copy(update={"password_file": home / freeswitch.password_file}),
                "asterisk": asterisk.model_copy(update={"password_file": home / asterisk.password_file}),
            }
        )
        placed = self.model_copy(
            update={
                "switch": switch,
                "speech": self.speech.model_copy(update={"recognition": _placed_models(self.speech, home)}),
                "data_dir": home / self.data_dir,
                "flows_dir": home / self.flows_dir,
                "prompts_dir": home / self.prompts_dir,
                "database": self.database.model_copy(update={"url": _placed_url(self.database.url, home)}),
                "mail": self.mail.model_copy(update={"password_file": home / self.mail.password_file}),
                "web": self.web.model_copy(
                    update={
                        "tokens": {host: home / file for host, file in self.web.tokens.items()},
                        "ca_file": self.web.ca_file and home / self.web.ca_file,
                    }
                ),
                "crm": self.crm.model_copy(update={"url": _placed_url(self.crm.url, home)}),
            }
        )
        placed._home = home
        return placed


def _placed_models(speech: Speech, home: Path) -> Mapping[Language, RecognitionSection]:
    return {
        language: one.model_copy(update={"model": home / one.model}) if one.model else one
        for language, one in speech.recognition.items()
    }


def _placed_url(url: str, home: Path) -> str:
    if not url.startswith(SQLITE) or url.removeprefix(SQLITE) in IN_MEMORY:
        return url
    return SQLITE + str(home / url.removeprefix(SQLITE))


def find(given: str | None, checkout: Path) -> Path:
    """The configuration file: `--config`, else HOTLINE_CONFIG, else the checkout's own."""
    return Path(given or os.environ.get("HOTLINE_CONFIG") or checkout / "appliance.yaml")


def read(path: Path) -> Config:
    """The configuration in a file. Raises UserError with every problem, one a line."""
    if not path.exists():
        raise UserError(f"{path}: no such configuration file; name another one with --config")
    config, problems = load_file(Config, path)
    if config is None:
        raise UserError("\n".join(map(str, problems)))
    return config.at(path.resolve().parent)
