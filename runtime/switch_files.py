"""The files that the configured switch includes: writing them, and which of them are outdated."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from config.appliance import Config
from config.values import UserError
from runtime.music import SORRY, pieces
from runtime.switches import LEGS_PER_CALL, password_of
from store.rows import Agent
from switch.asterisk import config as asterisk
from switch.freeswitch import config as freeswitch


def kept_password(file: Path) -> str:
    """The password in a file, made at the first time: 32 hexadecimal digits, readable by its owner and group."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(descriptor, "w") as fresh:
            fresh.write(secrets.token_hex(16) + "\n")
    return password_of(file)


def write_configuration(config: Config, agents: Sequence[Agent], numbers: Sequence[str]) -> list[Path]:
    """Writes what the configured switch includes, and returns the directory and the password's file."""
    directory = config.switch_dir / config.switch.kind
    return [directory, _write(config, agents, numbers, directory)]


def outdated(config: Config, agents: Sequence[Agent], numbers: Sequence[str]) -> list[str]:
    """The files that `write_configuration` would write otherwise than they are. Raises UserError."""
    directory = config.switch_dir / config.switch.kind
    with tempfile.TemporaryDirectory(prefix="hotline-switch-") as scratch:
        _write(config, agents, numbers, Path(scratch))
        written = {file.relative_to(scratch): file for file in Path(scratch).glob("*.*")}
        return sorted(
            str(name)
            for name, file in written.items()
            if _text(directory / name) != file.read_text().replace(scratch, str(directory.absolute()))
        )


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def _write(config: Config, agents: Sequence[Agent], numbers: Sequence[str], directory: Path) -> Path:
    try:
        if config.switch.kind == "freeswitch":
            return _write_freeswitch(config, agents, numbers, directory)
        return _write_asterisk(config, agents, numbers, directory)
    except ValueError as error:
        raise UserError(str(error)) from error


def _write_freeswitch(config: Config, agents: Sequence[Agent], numbers: Sequence[str], directory: Path) -> Path:
    sip, settings = config.switch.sip, config.switch.freeswitch
    freeswitch.write(
        directory,
        password=kept_password(settings.password_file),
        agents=[(agent.phone, agent.password, agent.name) for agent in agents if agent.account],
        music=_music(config),
        sorry=_sorry(config),
        numbers=numbers,
        trunks=[
            freeswitch.Trunk(name, peers=trunk.peers, route=trunk.host, account=trunk.account, password=trunk.password)
            for name, trunk in config.switch.trunks.items()
        ],
        listen=sip.listen,
        ports=freeswitch.Ports(
            trunk=sip.trunk_port,
            agents=sip.agents_port,
            event_socket=int(settings.inbound.rpartition(":")[2]),
            outbound=settings.outbound,
            rtp=sip.rtp,
        ),
        sessions=LEGS_PER_CALL * config.limits.calls,
        sessions_per_second=LEGS_PER_CALL * config.limits.calls_per_second,
    )
    return settings.password_file


def _write_asterisk(config: Config, agents: Sequence[Agent], numbers: Sequence[str], directory: Path) -> Path:
    sip, settings = config.switch.sip, config.switch.asterisk
    asterisk.write(
        directory,
        password=kept_password(settings.password_file),
        user=settings.user,
        ari=urlsplit(settings.url).netloc,
        agents={agent.phone: agent.password for agent in agents if agent.account},
        music=music_folders(config, directory),
        sorry=_sorry(config),
        numbers=numbers,
        trunks=[
            asterisk.Trunk(
                name,
                peers=trunk.peers,
                contact=f"sip:{trunk.host}" if trunk.host else "",
                account=trunk.account,
                password=trunk.password,
            )
            for name, trunk in config.switch.trunks.items()
        ],
        listen=sip.listen,
        agents_port=sip.agents_port,
        trunk_port=sip.trunk_port,
        rtp=sip.rtp,
    )
    return settings.password_file


def _music(config: Config) -> dict[str, Path]:
    """Every piece of music by its name; the first one is also what is played where nothing else is named."""
    found = pieces(config.sounds_dir)
    if not found:
        raise UserError(f"no music in {config.sounds_dir}; make it with: ./appliance.py prompts build")
    return {"default": next(iter(found.values())), **found}


def music_folders(config: Config, directory: Path) -> dict[str, Path]:
    """A folder in `directory` for every piece of music. Raises UserError where there is no music."""
    return {name: _folder(directory, name, file) for name, file in _music(config).items()}


def _folder(directory: Path, name: str, file: Path) -> Path:
    """A folder with this one file in it: Asterisk's music is folders."""
    folder = directory / "music" / name
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.iterdir():
        stale.unlink()
    (folder / file.name).symlink_to(file)
    return folder


def _sorry(config: Config) -> Path | None:
    found = config.sounds_dir / f"{SORRY}.wav"
    return found if found.exists() else None
