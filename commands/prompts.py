"""Prepare what callers will hear: speak texts ahead, make the music, list prompts, take in recordings.

./appliance.py prompts build
./appliance.py prompts list --language yue
./appliance.py prompts missing --language cmn            # what the studio has to record, with its text
./appliance.py prompts import delivery --check           # delivery/cmn/welcome.wav, delivery/en/welcome.wav, ...
./appliance.py prompts import delivery/cmn --language cmn --replace
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from commands import data_folder
from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from speech.importing import Judged
    from speech.library import Library

_ACTIONS = {
    "build": "prepare all sounds",
    "list": "show all prompts",
    "missing": "show what has no recording",
    "import": "take in a folder of recordings",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=list(_ACTIONS), help="; ".join(f"{name}: {what}" for name, what in _ACTIONS.items())
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="for import: where the recordings are")
    parser.add_argument("--language", choices=["cmn", "yue", "en"], help="only this one; all files of FOLDER are in it")
    parser.add_argument(
        "--words", action="store_true", help="missing: also the words that numbers and dates are made of"
    )
    parser.add_argument("--check", action="store_true", help="import: judge the recordings, and take none")
    parser.add_argument("--replace", action="store_true", help="import: also in place of recordings that are there")
    parser.add_argument("--new", action="store_true", help="import: also under ids that the catalogue does not have")
    parser.add_argument("--json", action="store_true", help="missing, import: print JSON")


def run(args: argparse.Namespace, config: Config) -> int:
    from speech.library import open_library
    from switch.shared.clock import RealClock

    if (args.action == "import") != (args.folder is not None):
        raise UserError("write: ./appliance.py prompts import FOLDER; no other action takes a folder")
    if args.action in {"build", "import"}:
        data_folder(config)
    library, voices = open_library(config.patient(), RealClock())
    try:
        match args.action:
            case "build":
                return _build(library, config)
            case "list":
                return _list(library, args.language)
            case "missing":
                return _missing(library, config, args)
            case _:
                return _import(library, config, args)
    finally:
        library.close()
        voices.close()


def _build(library: Library, config: Config) -> int:
    from provision import music
    from speech.port import CannotSpeak

    try:
        music.make(config.sounds_dir)
        with _progress("spoken prompts") as advanced:
            filled = library.fill(advanced, _texts_of_flows(config))
        spoken = [sound for language in music.FALLBACK_IN for sound in library.prompt("fallback-sorry", language)]
        music.keep(config.sounds_dir, "fallback-sorry.wav", music.fallback(spoken))
    except CannotSpeak as error:
        raise UserError(f"the prompts cannot be spoken: {error}") from error
    except OSError as error:
        raise UserError(f"{error.filename or config.sounds_dir}: {error.strerror}") from error
    for failure in filled.failed:
        print(f"not spoken: {failure}", file=sys.stderr)
    print(
        f"prompts: {filled.spoken} spoken now, {filled.kept} at hand already, {filled.recorded} recorded; "
        f"music and tones in {config.sounds_dir}"
    )
    return 1 if filled.failed else 0


def _texts_of_flows(config: Config) -> list[tuple[str, str]]:
    """What flows say in words of their own, variable parts apart. Nothing where they are wrong: `check` says why."""
    from ivr.language.phrases import Texts
    from runtime.flowbook import read_book
    from speech.words import join

    book, _ = read_book(config.flows_dir, config.prompts_dir)
    said = [value for flow in book.flows for step in flow.steps.values() for _, value in step.does] if book else []
    return [
        (join(text.speech({}, language)), language)
        for phrase in said
        if isinstance(phrase, Texts)
        for language, text in phrase.by_language.items()
        if text.fixed
    ]


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; nothing where there is none."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _list(library: Library, language: str | None) -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table("prompt", "language", "is", "text")
    for name, texts in library.catalogue.texts.items():
        for spoken_in, text in texts.items():
            if language in (None, spoken_in):
                table.add_row(name, spoken_in, "recorded" if library.recorded(name, spoken_in) else "spoken", text)
    Console(markup=False, emoji=False, highlight=False).print(table)
    return 0


def _missing(library: Library, config: Config, args: argparse.Namespace) -> int:
    """All that has no recording; the exit code is 1 where callers can be told nothing at all."""
    from rich.console import Console
    from rich.table import Table

    from runtime.notices import PROMPTS as WRITTEN
    from speech import words
    from speech.importing import unrecorded

    languages = [args.language] if args.language else _languages_of_flows(config)
    texts: dict[str, Mapping[str, str]] = {
        prompt: of for prompt, of in library.catalogue.texts.items() if prompt not in WRITTEN
    }
    if args.words:
        for language in languages:
            for prompt, word in words.parts(language).items():
                texts[prompt] = {**texts.get(prompt, {}), language: word}
    of_language = {
        prompt: [language for language in languages if language in by_language or not prompt.startswith("words/")]
        for prompt, by_language in texts.items()
    }
    recorded = {(name, each) for name, asked in of_language.items() for each in asked if library.recorded(name, each)}
    rows = [
        row
        for name, by_language in texts.items()
        for row in unrecorded({name: by_language}, recorded, of_language[name])
    ]
    if args.json:
        print(
            json.dumps(
                [dict(zip(("prompt", "language", "text"), row, strict=True)) for row in rows], ensure_ascii=False
            )
        )
    else:
        table = Table("prompt", "language", "without a recording it is")
        for name, language, text in rows:
            table.add_row(name, language, f"spoken: {text}" if text else "NOTHING: no text either")
        Console(markup=False, emoji=False, highlight=False).print(table)
    return 0 if all(text for _, _, text in rows) else 1


def _languages_of_flows(config: Config) -> list[str]:
    """The languages that some flow speaks; all where the flows are wrong."""
    from runtime.flowbook import read_book
    from speech import words

    book, _ = read_book(config.flows_dir, config.prompts_dir)
    spoken = {language for flow in book.flows for language in flow.languages} if book else set(words.languages())
    return [language for language in words.languages() if language in spoken]


def _import(library: Library, config: Config, args: argparse.Namespace) -> int:
    """Judges every file of a delivery and takes the good ones; the exit code is 1 where one was refused."""
    from speech import words
    from speech.importing import deliveries, judged

    if not args.folder.is_dir():
        raise UserError(f"{args.folder}: there is no such folder")
    refused = found = 0
    for file, language, prompt in deliveries(args.folder, args.language):
        known = {name: texts.get(language, "") for name, texts in library.catalogue.texts.items()}
        verdict = judged(file, language, prompt, known | dict(words.parts(language)), new=args.new)
        outcome = verdict.refused or _taken(verdict, config.prompts_dir, args)
        good = outcome in {"imported", "unchanged", "good"}
        found, refused = found + 1, refused + (not good)
        _tell(verdict, outcome if good else "refused", "" if good else outcome, as_json=args.json)
    if not found:
        raise UserError(
            f"{args.folder}: there are no recordings in its folders cmn, yue and en; for a folder in one language add "
            "--language"
        )
    if not args.json:
        print(
            f"{found - refused} of {found} recordings are good{'' if args.check else ' and in place'}", file=sys.stderr
        )
    return 1 if refused else 0


def _taken(verdict: Judged, prompts_dir: Path, args: argparse.Namespace) -> str:
    from speech.importing import place

    if args.check:
        return "good"
    try:
        return place(verdict, prompts_dir, replace=args.replace)
    except OSError as error:
        raise UserError(f"{error.filename or prompts_dir}: {error.strerror}") from error


def _tell(verdict: Judged, outcome: str, why: str, *, as_json: bool) -> None:
    facts = {"seconds": round(verdict.seconds, 2), "level": round(verdict.level, 1), "format": verdict.form}
    if as_json:
        name = {"file": str(verdict.file), "prompt": verdict.prompt, "language": verdict.language}
        remarks = {"why": why, "remarks": list(verdict.remarks)}
        print(json.dumps({**name, "outcome": outcome, **facts, **remarks}, ensure_ascii=False))
        return
    heard = f" ({facts['seconds']} s, {facts['level']} dBFS, {facts['format']})" if verdict.form and not why else ""
    print(f"{outcome}: {verdict.file}{heard}{': ' + why if why else ''}")
    for remark in verdict.remarks:
        print(f"  note: {remark}")
