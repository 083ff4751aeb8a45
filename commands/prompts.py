"""Prepare what callers will hear: speak all fixed texts ahead, make the music; or list the prompts.

./appliance.py prompts build
./appliance.py prompts list
./appliance.py prompts list --language yue
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from speech.library import Library


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["build", "list"], help="build: prepare all sounds; list: show all prompts")
    parser.add_argument("--language", metavar="LANGUAGE", help="list only cmn, yue or en")


def run(args: argparse.Namespace, config: Config) -> int:
    from speech.library import open_library
    from switch.shared.clock import RealClock

    library, pool = open_library(config, RealClock())
    try:
        return _list(library, args.language) if args.action == "list" else _build(library, config)
    finally:
        library.close()
        pool.close()


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
