"""The command line: one file per command, found by import.

A command module has a docstring (its first line is the help, the rest examples) and two functions,
``arguments(parser)`` and ``run(args, config) -> int``; ``REHEARSES = True`` where its calls are not real ones, so
that what the appliance would log of them is no news. A package of commands (``journal/``) is a group:
``journal verify``."""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog

from config.appliance import Config, find, read
from config.values import UserError

EXAMPLES = """\
./appliance.py call 1000 --caller 13800000001 --keys "1 202611# 1"
./appliance.py check
./appliance.py run
./appliance.py agents --help"""


def main(argv: Sequence[str], home: Path) -> int:
    """Runs one command line and returns its exit code; a mistake of the user is one clear line and exit code 2."""
    parser = command_line()
    args = parser.parse_args(argv)
    if args.command is None:
        args.of.print_help()
        return 2
    _log_to_stderr(_level(args))
    try:
        return int(args.command.run(args, read(find(args.config, home))))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last stop before the person at the terminal
        return _told(error)


def _told(error: Exception) -> int:
    """Says in one line what went wrong, and returns the exit code for it."""
    match error:
        case BrokenPipeError():
            sys.stderr.close()
            return 141
        case UserError():
            print(error, file=sys.stderr)
            return error.exit_code
        case OSError(filename=str() as file):
            print(f"{file}: {error.strerror}", file=sys.stderr)
            return 2
    name = type(error).__name__
    print(f"an error of the program itself: {name}; details for its authors: {_kept()}", file=sys.stderr)
    return 70


def _kept() -> str:
    """Where the traceback of the error in hand is kept; itself, where no file takes it."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="hotline-error-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
    except OSError as error:
        return f"{traceback.format_exc()}(no file can be written: {error.strerror or error})"
    return file.name


def data_folder(config: Config) -> None:
    """Makes the data directory where there is none. Raises UserError where nothing can be written into it."""
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=config.data_dir):
            pass
    except OSError as error:
        raise UserError(f"data-dir: {config.data_dir} cannot be written: {error.strerror}") from error


def local(time: str, config: Config) -> str:
    """An ISO time as the appliance's clock on the wall shows it, with the zone's name."""
    return f"{datetime.fromisoformat(time).astimezone(config.zone):%Y-%m-%d %H:%M:%S} {config.time_zone}"


def command_line() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="./appliance.py",
        description="Hotline: an IVR and ACD appliance for FreeSWITCH and Asterisk.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.set_defaults(command=None, config=None, verbose=False, of=parser)
    _add_commands(parser, __name__, __path__)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every command understands, before its name and after it."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="the configuration (default: HOTLINE_CONFIG, else appliance.yaml)",
    )
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help="log more to stderr")


def _add_commands(parser: argparse.ArgumentParser, package: str, path: Sequence[str]) -> None:
    choices = parser.add_subparsers(metavar="COMMAND")
    for found in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        module = importlib.import_module(f"{package}.{found.name}")
        help, _, examples = (module.__doc__ or "").strip().partition("\n")
        below = choices.add_parser(
            found.name.replace("_", "-"),
            help=help,
            description=help,
            epilog=examples.strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _fill(below, module, found.ispkg)


def _fill(parser: argparse.ArgumentParser, module: ModuleType, is_group: bool) -> None:
    if is_group:
        parser.set_defaults(of=parser)
        _add_commands(parser, module.__name__, list(module.__path__))
        return
    add_options(parser)
    module.arguments(parser)
    parser.set_defaults(command=module)


PERSONAL = {"caller", "caller_name", "name", "number", "digits", "keys", "text", "transcript"}


def _mask(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keeps personal data out of the log: it stands only in keys of these names, by the rule of the house."""
    for key in PERSONAL & event.keys():
        event[key] = "***"
    return event


def _level(args: argparse.Namespace) -> int:
    if args.verbose:
        return logging.DEBUG
    return logging.ERROR if getattr(args.command, "REHEARSES", False) else logging.INFO


def _log_to_stderr(level: int) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _mask,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


@contextmanager
def open_store(config: Config) -> Iterator[Any]:
    """The store, for one command. Raises UserError."""
    from store.store import Store, StoreFailed
    from switch.shared.clock import RealClock

    try:
        store = Store(config.database.url, RealClock(), threads=1, within=config.database.within)
    except StoreFailed as error:
        raise UserError(f"database.url: {error}") from error
    try:
        yield store
    except StoreFailed as error:
        mend = "make or upgrade the tables with: ./appliance.py db init"
        raise UserError(f"database.url: {error}; {mend}") from error
    finally:
        store.close()


def tell(config: Config, what: str) -> None:
    """A running appliance sees a change at once; one that does not run sees it when it starts."""
    from cti.client import Control

    try:
        Control(config.run_dir / "hotline.sock").ask(what)
    except UserError:
        return


def journal_of(given: Path | None, config: Config) -> Path | None:
    """The journal that is meant, None where no call has been taken yet. Raises UserError where another is none."""
    from journal.reader import records_of

    if given is None:
        own = config.data_dir / "journal"
        return own if own.is_dir() else None
    if not given.exists():
        raise UserError(f"--journal {given}: there is no such file or folder")
    if next(records_of(given), None) is None:
        raise UserError(f"--journal {given}: this is no journal; name a folder with files like 000001.jsonl, or one")
    return given
