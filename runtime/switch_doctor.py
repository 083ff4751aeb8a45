"""What calls need of the switch: that it lets us in, has read what was written for it, and reaches our audio."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.appliance import Config
from config.values import UserError
from runtime.flowbook import read_book
from runtime.switch_files import outdated
from runtime.switches import coded_music_dir, password_of
from store.store import Store, StoreFailed
from switch.asterisk import ari
from switch.asterisk.http import Refused
from switch.freeswitch import client as event_socket
from switch.freeswitch import private as freeswitch
from switch.freeswitch.music import MODULE
from switch.port import SwitchLost
from switch.shared.clock import Clock

DEFAULT_PASSWORDS = frozenset({"ClueCon", "1234", "password", "hotline", "asterisk", "secret"})
SHORT_PASSWORD = 16
SET_FOR_FREESWITCH = re.compile(r'data="(hotline_\w+)=(.*)"/>')
OF_THE_LOGIN = "hotline_event_socket_password"


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    mend: str = ""


def _freeswitch(config: Config, clock: Clock) -> Iterator[Finding]:
    settings = config.switch.freeswitch
    found = freeswitch.find()
    yield Finding(
        found is not None,
        f"freeswitch: {found or 'not on this machine'}",
        "install it, or name its folder in FREESWITCH_PREFIX; one on another machine is as good if it answers below",
    )
    yield from _secret(settings.password_file)
    yield from _written(config, clock)
    if settings.password_file.is_file():
        yield from _event_socket(config, password_of(settings.password_file))
    yield from _readable(config, "freeswitch")


def _event_socket(config: Config, password: str) -> Iterator[Finding]:
    """Whether FreeSWITCH lets us in, and runs with what was written for it."""
    address = config.switch.freeswitch.inbound
    host, _, port = address.rpartition(":")
    try:
        seen = event_socket.look(host.strip("[]"), int(port), password, modules=[MODULE])
    except event_socket.PasswordRefused:
        yield Finding(
            False,
            f"event socket: FreeSWITCH at {address} has another password than {config.switch.freeswitch.password_file}",
            "it has not read what switch-config wrote since: restart it with freeswitch-conf/ (docs/freeswitch.md)",
        )
        return
    except (OSError, SwitchLost) as error:
        why = getattr(error, "strerror", None) or error
        yield Finding(
            False, f"event socket: {address}: {why}", "start FreeSWITCH with freeswitch-conf/ (docs/freeswitch.md)"
        )
        return
    yield Finding(True, f"event socket: {seen.version} lets us in at {address}")
    written = SET_FOR_FREESWITCH.findall(_read(config.switch_dir / "freeswitch" / "vars.xml"))
    other = [name for name, value in written if name != OF_THE_LOGIN and seen.variables.get(name) != value]
    yield Finding(
        not other,
        f"freeswitch runs with {'what was written for it' if not other else 'other ' + ', '.join(other)}",
        "let it read what was written: fs_cli -x reloadxml, and where an address or a port is another, restart it",
    )
    yield Finding(
        True,
        f"music: freeswitch has {MODULE}"
        if MODULE in seen.modules
        else f"music: freeswitch lacks {MODULE}, so music costs it more than it needs to (docs/freeswitch.md)",
    )


def _asterisk(config: Config, clock: Clock) -> Iterator[Finding]:
    settings = config.switch.asterisk
    yield from _secret(settings.password_file)
    yield from _written(config, clock)
    if settings.password_file.is_file():
        yield from _ari(config, password_of(settings.password_file))
    yield from _readable(config, "asterisk")


def _ari(config: Config, password: str) -> Iterator[Finding]:
    """Whether Asterisk lets us in, and has read what was written for it."""
    settings = config.switch.asterisk
    start = "start Asterisk with asterisk-conf/ (docs/asterisk.md)"
    try:
        version, read = ari.look(settings.url, user=settings.user, password=password)
    except Refused as refused:
        if refused.status != 401:
            yield Finding(False, f"ari: {settings.url} answers {refused}", start)
            return
        yield Finding(
            False,
            f"ari: Asterisk at {settings.url} refuses {settings.user} with the password in {settings.password_file}",
            "it has not read what switch-config wrote since: asterisk -rx 'core reload' (docs/asterisk.md)",
        )
        return
    except SwitchLost as lost:
        yield Finding(False, f"ari: {settings.url}: {lost}", start)
        return
    yield Finding(True, f"ari: {version} lets us in at {settings.url}")
    files = (config.switch_dir / "asterisk").glob("*.conf")
    written = datetime.fromtimestamp(int(max((file.stat().st_mtime for file in files), default=0)), UTC)
    yield Finding(
        read >= written,
        f"asterisk has read its configuration at {read:%F %T %Z}, which was written at {written:%F %T %Z}",
        "let it read what was written: asterisk -rx 'core reload'; where an address or a port is another, restart it",
    )


def _written(config: Config, clock: Clock) -> Iterator[Finding]:
    """Whether agents, numbers and settings are still those that the files for the switch were written of."""
    book, _ = read_book(config.flows_dir, config.prompts_dir)
    try:
        if book is None or not (config.switch_dir / config.switch.kind).is_dir():
            return  # said above and below
        store = Store(config.database.url, clock, threads=1, within=config.database.within)
        try:
            agents = store.agents()
        finally:
            store.close()
        other = outdated(config, agents, [number for flow in book.flows for number in flow.numbers])
    except (StoreFailed, UserError):
        return
    yield Finding(
        not other,
        f"configuration: {config.switch_dir / config.switch.kind} is "
        f"{'older than agents, flows or settings: ' + ', '.join(other) if other else 'as it would be written now'}",
        "write it anew: ./appliance.py switch-config; then let the switch read it",
    )


def _secret(file: Path) -> Iterator[Finding]:
    mend = f"make a generated one: remove {file}, then ./appliance.py switch-config"
    try:
        password = password_of(file)
    except UserError as error:
        yield Finding(False, f"password: {error}", "write it: ./appliance.py switch-config")
        return
    weak = password in DEFAULT_PASSWORDS or len(password) < SHORT_PASSWORD
    yield Finding(not weak, f"password: {file} is {'a default or short one' if weak else 'a generated one'}", mend)
    open_to_all = bool(file.stat().st_mode & stat.S_IROTH)
    yield Finding(not open_to_all, f"password: {file} is not readable by everybody", f"chmod o-r {file}")


def _readable(config: Config, program: str) -> Iterator[Finding]:
    """The switch, which may run as a user of its own, plays from our folders and records into one of them."""
    user = _user_of(program)
    if user is None:
        yield Finding(True, f"audio: {program} does not run here now, so whether it may read our audio was not checked")
        return
    for directory, needed in (
        (config.sounds_dir, 5),
        *([(coded, 5)] if (coded := coded_music_dir(config)).is_dir() else []),
        (config.data_dir / "speech", 5),
        (config.prompts_dir, 5),
        (config.data_dir / "messages", 7),
        *([(config.data_dir / "utterances", 7)] if config.speech.recognition else []),
        (config.data_dir / "recordings", 7),
    ):
        closed = next((part for part in reversed((directory, *directory.parents)) if not _may(user, part, 1)), None)
        if closed is None and not _may(user, directory, needed):
            closed = directory
        yield Finding(
            closed is None,
            f"audio: {program} may {'read' if needed == 5 else 'write'} {directory}",
            f"give its user {user.uid} access to {closed}, or run it as the appliance's own user",
        )


@dataclass(frozen=True, slots=True)
class _User:
    uid: int
    groups: frozenset[int]


def _user_of(program: str) -> _User | None:
    """As whom a program of that name runs on this machine."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() != program:
                continue
            status = dict(
                line.split(":\t", 1) for line in (comm.parent / "status").read_text().splitlines() if ":\t" in line
            )
        except OSError:
            continue  # it ended while we looked
        gids = [status["Gid"].split()[1], *status["Groups"].split()]
        return _User(int(status["Uid"].split()[1]), frozenset(map(int, gids)))
    return None


def _may(user: _User, path: Path, needed: int) -> bool:
    """Whether the mode bits give the user what `needed` says (4 read, 2 write, 1 enter)."""
    try:
        found = path.stat()
    except OSError:
        return path.parent.exists() and not path.exists()  # not made yet
    if user.uid == 0:
        return True
    shift = 6 if found.st_uid == user.uid else 3 if found.st_gid in user.groups else 0
    return (found.st_mode >> shift) & needed == needed


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


OF_SWITCH: dict[str, tuple[Callable[[Config, Clock], Iterator[Finding]], ...]] = {
    "freeswitch": (_freeswitch,),
    "asterisk": (_asterisk,),
}
