"""What must be there for calls to be taken, looked at piece by piece."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.appliance import Config
from config.values import UserError
from crm.callers import QUERY
from crm.catalogue import load_file
from crm.host import Host, Queries
from ivr.services import HostFailed
from runtime.flowbook import QUERIES, read_book
from runtime.switches import password_of
from speech import recognisers, words
from speech.pool import Voices
from speech.port import CannotRecognise, CannotSpeak
from store.database import Database, DatabaseFailed
from store.schema import version
from switch.freeswitch import private as freeswitch
from switch.shared.clock import Clock, RealClock

DEFAULT_PASSWORDS = frozenset({"ClueCon", "1234", "password", "hotline", "asterisk", "secret"})
SHORT_PASSWORD = 16
FREE_BYTES = 1_000_000_000
CONNECT_SECONDS = 2.0
NOBODY = "anonymous"


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    mend: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Every finding as it is made; what one looks at does not depend on the others."""
    clock = RealClock()
    for look in (_disk, _sounds, _speech, _tables, _crm, _flows, *_OF_SWITCH.get(config.switch.kind, ())):
        yield from look(config, clock)


def _disk(config: Config, _clock: Clock) -> Iterator[Finding]:
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(config.data_dir).free
    except OSError as error:
        yield Finding(
            False, f"disk: {error.filename}: {error.strerror}", "set data-dir to a folder that can be written"
        )
        return
    yield Finding(
        free > FREE_BYTES,
        f"disk: {free / 1e9:.1f} GB free for journal and messages in {config.data_dir}",
        "make room, or put data-dir on a larger disk",
    )


def _sounds(config: Config, _clock: Clock) -> Iterator[Finding]:
    for name in ("calm.wav", "beep.wav", "fallback-sorry.wav"):
        path = config.sounds_dir / name
        yield Finding(path.is_file(), f"sounds: {path}", "make music and spoken prompts: ./appliance.py prompts build")


def _speech(config: Config, _clock: Clock) -> Iterator[Finding]:
    """Whether every language's voice really says something, and every recogniser has what it needs."""
    voices = Voices(config.speech)
    try:
        for language in words.languages():
            yield _voice(voices, language)
    finally:
        voices.close()
    for understood, one in config.speech.recognition.items():
        try:
            recognisers.find(one.vendor).check(understood, str(one.model or ""))
        except CannotRecognise as error:
            yield Finding(False, f"recognition: {error}", "see speech.recognition in appliance.yaml and docs/speech.md")
        else:
            yield Finding(True, f"recognition: {understood} by {one.vendor}")


def _voice(voices: Voices, language: str) -> Finding:
    try:
        vendor = voices.voice(language).vendor
        voices.speak(words.join(words.digits("1", language)), language)
    except CannotSpeak as error:
        return Finding(False, f"speech: {language}: {error}", "see speech in appliance.yaml and docs/speech.md")
    return Finding(True, f"speech: {language} is spoken by {vendor}")


def _tables(config: Config, clock: Clock) -> Iterator[Finding]:
    mend = "make or upgrade the tables: ./appliance.py db init"
    try:
        database = Database(config.database.url, clock, name="hotline", threads=1)
        try:
            found = version(database)
        finally:
            database.close()
    except DatabaseFailed as error:
        yield Finding(False, f"database: {error}", mend)
        return
    yield Finding(found.current, f"database: version {found.found or 'none'}, this release wants {found.wanted}", mend)


def _crm(config: Config, clock: Clock) -> Iterator[Finding]:
    mend = "check crm.url and flows/queries.yaml; a demo CRM is made by: ./appliance.py db init"
    queries, problems = load_file(config.flows_dir / QUERIES)
    if queries is None:
        yield Finding(False, f"crm: {problems[0]}", "see all problems: ./appliance.py check")
        return
    try:
        host = Host(config.crm.url, clock, connections=1)
    except HostFailed as error:
        yield Finding(False, f"crm: {error}", mend)
        return
    try:
        Queries(host, queries).query(QUERY, {"number": NOBODY})
    except HostFailed as error:
        yield Finding(False, f"crm: callers cannot be recognised: {error}", mend)
    else:
        yield Finding(True, "crm: answers, callers can be recognised")
    finally:
        host.close()


def _flows(config: Config, _clock: Clock) -> Iterator[Finding]:
    _, problems = read_book(config.flows_dir, config.prompts_dir)
    yield Finding(
        not problems, f"flows: {len(problems)} problems in {config.flows_dir}", "see them: ./appliance.py check"
    )


def _freeswitch(config: Config, _clock: Clock) -> Iterator[Finding]:
    settings = config.switch.freeswitch
    found = freeswitch.find()
    yield Finding(
        found is not None,
        f"freeswitch: {found or 'not on this machine'}",
        "install it, or name its folder in FREESWITCH_PREFIX; one on another machine is as good if it answers below",
    )
    yield from _secret(settings.password_file)
    yield _answers("event socket", settings.inbound, "start FreeSWITCH with freeswitch-conf/ (docs/freeswitch.md)")
    yield from _readable(config, "freeswitch")


def _asterisk(config: Config, _clock: Clock) -> Iterator[Finding]:
    settings = config.switch.asterisk
    yield from _secret(settings.password_file)
    yield _answers("ari", urlsplit(settings.url).netloc, "start Asterisk with asterisk-conf/ (docs/asterisk.md)")
    yield from _readable(config, "asterisk")


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


def _answers(what: str, address: str, mend: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS):
            return Finding(True, f"{what}: {address} answers")
    except OSError as error:
        return Finding(False, f"{what}: {address}: {error.strerror or error}", mend)


def _readable(config: Config, program: str) -> Iterator[Finding]:
    """The switch, which may run as a user of its own, plays from our folders and records into one of them."""
    user = _user_of(program)
    if user is None:
        yield Finding(True, f"audio: {program} does not run here now, so whether it may read our audio was not checked")
        return
    for directory, needed in (
        (config.sounds_dir, 5),
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


_OF_SWITCH: dict[str, tuple[Callable[[Config, Clock], Iterator[Finding]], ...]] = {
    "freeswitch": (_freeswitch,),
    "asterisk": (_asterisk,),
}
