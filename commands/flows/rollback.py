"""Put the files of an edition back, all of them or only those that are named; new calls then get that edition.

The files are checked first, as they would then be; what is wrong is printed, and nothing is changed. Files as
they are now are kept as an edition of their own, so that nothing is lost. A running appliance takes the change
at once; calls in progress end on the flows that they began with.

  ./appliance.py flows rollback 7
  ./appliance.py flows rollback 7 flows/hotline.yaml
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from config.appliance import Config
from config.values import Diagnostic, UserError

TAKEN_WITHIN = 120.0  # seconds: big flows are read for up to a minute, and the CRM is asked of the queries


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("edition", type=int, metavar="EDITION", help="a number of ./appliance.py flows list")
    parser.add_argument("files", nargs="*", default=[], metavar="FILES", help="only these, such as flows/hotline.yaml")


def run(args: argparse.Namespace, config: Config) -> int:
    from runtime.flowbook import EDITIONS
    from runtime.history import History, NoSuchEdition, put_back, texts_of

    history = History(config.data_dir / EDITIONS)
    now = texts_of(config.flows_dir, config.prompts_dir)
    try:
        wanted = _only(args.files, now, history.texts(args.edition))
    except NoSuchEdition as error:
        raise UserError(f"{error}; see ./appliance.py flows list") from error
    if wanted == now:
        print(f"the files are as they were in edition {args.edition}")
        return 0
    problems = _problems(wanted, now, config)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    kept = history.keep(now, datetime.now(UTC), taken=False)
    put_back(wanted, config.flows_dir, config.prompts_dir)
    print(f"put back from edition {args.edition}; the files as they were are edition {kept.number}")
    return _told(config)


def _only(files: Sequence[str], now: Mapping[str, str], edition: Mapping[str, str]) -> dict[str, str]:
    """The files as they are to be. Raises UserError."""
    if not files:
        return dict(edition)
    unknown = [file for file in files if file not in edition]
    if unknown:
        raise UserError(f"the edition has no file {unknown[0]}; it has {', '.join(sorted(edition))}")
    return {**now, **{file: edition[file] for file in files}}


def _problems(texts: Mapping[str, str], now: Mapping[str, str], config: Config) -> list[Diagnostic]:
    """What would be wrong if these were the files; the CRM is asked of the queries that are not there now."""
    from commands.check import against_crm, surroundings
    from crm.catalogue import load
    from runtime.flowbook import QUERIES, QUERY_TEXT, read_book
    from runtime.history import FLOWS, PROMPTS

    with tempfile.TemporaryDirectory(prefix="hotline-rollback-") as scratch:
        home = Path(scratch)
        for name, text in texts.items():
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_bytes(text.encode())
        around = surroundings(config)
        book, problems = read_book(home / FLOWS, home / PROMPTS, around, recordings=config.prompts_dir)
        if book is not None:
            before = load(now.get(QUERY_TEXT, "{}"), QUERIES)[0] or {}
            changed = {name: query for name, query in book.queries.items() if before.get(name) != query}
            problems = against_crm(home / FLOWS / QUERIES, changed, config) if changed else []
        return [
            Diagnostic(str(Path(one.path).relative_to(home)), one.line, one.column, one.message) for one in problems
        ]


def _told(config: Config) -> int:
    """Lets a running appliance take the files now; 1 where it does not."""
    from cti.client import Control

    socket = config.run_dir / "hotline.sock"
    if not socket.exists():
        print("no appliance is running here; its next start uses them")
        return 0
    problems = Control(socket, reply_within=TAKEN_WITHIN).ask("flows.reload")["problems"]
    for problem in problems:
        print(problem)
    if not problems:
        print("the running appliance has taken them")
    return 1 if problems else 0
