"""What must be there for calls to be taken, looked at piece by piece."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from config.appliance import Config
from crm.callers import QUERY
from crm.catalogue import load_file
from crm.host import Host, Queries
from ivr.services import HostFailed
from runtime.flowbook import QUERIES, read_book
from runtime.switch_doctor import OF_SWITCH, Finding
from speech import recognisers, words
from speech.pool import Voices
from speech.port import CannotRecognise, CannotSpeak
from store.database import Database, DatabaseFailed
from store.schema import version
from switch.shared.clock import Clock, RealClock

FREE_BYTES = 1_000_000_000
NOBODY = "anonymous"


def examine(config: Config) -> Iterator[Finding]:
    """Every finding as it is made; what one looks at does not depend on the others."""
    clock = RealClock()
    for look in (_disk, _sounds, _speech, _tables, _crm, _flows, *OF_SWITCH.get(config.switch.kind, ())):
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
