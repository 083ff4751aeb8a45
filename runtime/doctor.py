"""What must be there for calls to be taken, looked at piece by piece."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from config.appliance import SQLITE, Config
from config.values import Diagnostic
from crm.callers import QUERY
from crm.catalogue import load_file
from crm.host import Host, Queries
from ivr.services import HostFailed
from runtime.flowbook import QUERIES
from runtime.switch_doctor import OF_SWITCH, Finding
from speech import recognisers, words
from speech.pool import Voices
from speech.port import CannotRecognise, CannotSpeak
from store.database import Database, DatabaseFailed, Reason
from store.schema import version
from switch.shared.clock import Clock, RealClock

FREE_BYTES = 1_000_000_000
NOBODY = "anonymous"
INIT = "make or upgrade the tables: ./appliance.py db init"


def examine(config: Config, check: Callable[[], Sequence[Diagnostic]]) -> Iterator[Finding]:
    """Every finding as it is made; what one looks at does not depend on the others.

    `check` says what is wrong in the flows and beside them.
    """
    clock = RealClock()
    for look in (_disk, _sounds, _speech, _tables, _crm):
        yield from look(config, clock)
    yield _flows(config, check())
    for look_at_switch in OF_SWITCH.get(config.switch.kind, ()):
        yield from look_at_switch(config, clock)


def _disk(config: Config, _clock: Clock) -> Iterator[Finding]:
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=config.data_dir):
            free = shutil.disk_usage(config.data_dir).free
    except OSError as error:
        yield Finding(
            False,
            f"disk: data-dir {config.data_dir} cannot be written: {error.strerror}",
            "let the user that the appliance runs as write there, or set data-dir in appliance.yaml to another folder",
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
    url = config.database.url
    if url.startswith("sqlite://") and not url.startswith(SQLITE):  # its folder would be taken for a host
        yield Finding(
            False,
            "database: database.url has two slashes after sqlite:, where it needs three",
            f'write in appliance.yaml: database: {{url: "{SQLITE}{url.removeprefix("sqlite://")}"}}',
        )
        return
    try:
        database = Database(url, clock, name="hotline", threads=1)
    except DatabaseFailed as error:
        yield Finding(False, f"database: {error}", "set database.url in appliance.yaml to such a URL")
        return
    try:
        found = version(database)
    except DatabaseFailed as error:
        yield Finding(False, f"database: {error}", _mended(url, error.reason))
        return
    finally:
        database.close()
    yield Finding(found.current, f"database: version {found.found or 'none'}, this release wants {found.wanted}", INIT)


def _mended(url: str, reason: Reason) -> str:
    """How a database of ours that does not tell its version comes to do so."""
    if url.startswith(SQLITE):
        file = Path(url.removeprefix(SQLITE))
        if not os.path.lexists(file):
            return INIT
        if reason is Reason.SLOW:
            return f"another program holds {file}: end it, or wait until it is done"
        return f"let the user that the appliance runs as read and write {file}; where it is no database, move it away"
    if reason is Reason.WRONG:
        return "see that the user in database.url may read and write in that database; its administrator can say"
    return (
        "start the database server, and see that database.url in appliance.yaml has its host, port, database, user "
        "and password"
    )


def _crm(config: Config, clock: Clock) -> Iterator[Finding]:
    mend = "check crm.url and flows/queries.yaml; a demo CRM is made by: ./appliance.py db init"
    file = config.flows_dir / QUERIES
    queries, problems = load_file(file) if file.exists() else ({}, [])
    if queries is not None and QUERY not in queries:
        yield Finding(True, f"crm: no query {QUERY} in {file}: callers are not recognised, and need not be")
        return
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


def _flows(config: Config, problems: Sequence[Diagnostic]) -> Finding:
    return Finding(
        not problems, f"flows: {len(problems)} problems in {config.flows_dir}", "see them: ./appliance.py check"
    )
