"""Tell from the journal why a call waited, who was able for it and what they did, and why that agent got it.

CALL is the call's id, or enough of its beginning; `status` and the journal name it.

  ./appliance.py why 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed
  ./appliance.py why 1b9d --json
  ./appliance.py why general-1 --journal var/what-if
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from commands import journal_of
from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from acd.model import QueueName, QueueRule
    from acd.story import Story
    from journal.reader import Record


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", metavar="CALL", help="the call's id, or its beginning")
    parser.add_argument("--journal", type=Path, metavar="PATH", help="another journal, a folder or one file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    from acd.story import as_json
    from acd.why import why
    from journal.reader import records_of

    source = journal_of(args.journal, config)
    if source is None:
        own = config.data_dir / "journal"
        raise UserError(f"nothing is recorded yet: {own} is made when the appliance runs (./appliance.py run)")
    call = _call(args.call, source)
    story = why(records_of(source), call, _rules(config))
    if args.json:
        print(json.dumps(as_json(story), ensure_ascii=False))
    else:
        _show(story, config)
    return 0


def _call(asked: str, source: Path) -> str:
    """The id that is meant. Raises UserError where none is, or more than one."""
    from journal.reader import records_of

    found: dict[str, None] = {}
    latest: dict[str, None] = {}
    for record in records_of(source):
        call = _of_caller(record)
        if call.startswith(asked) and asked:
            found[call] = None
        if call:
            latest.pop(call, None)
            latest[call] = None
    if asked in found:
        return asked
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise UserError(f"'{asked}' may be {_some(found)}; write more of the call's id")
    some = f"; the latest calls are {_some(list(reversed(latest)))}" if latest else ""
    raise UserError(f"the journal {source} knows no call '{asked}'{some}")


def _of_caller(record: Record) -> str:
    return str(record.get("call", "")) if record["type"] in {"CallArrived", "CallReturned", "CallQueued"} else ""


def _some(calls: Mapping[str, None] | list[str]) -> str:
    named = list(calls)[:5]
    return ", ".join(named) + (" ..." if len(calls) > len(named) else "")


def _rules(config: Config) -> dict[QueueName, QueueRule]:
    """The queues as they are now, for what an old journal does not say of them."""
    from acd.queues import load_queues
    from config.document import read_text

    text, _ = read_text(config.flows_dir / "queues.yaml")
    rules, _ = load_queues(text or "{}", "queues.yaml")
    return {rule.name: rule for rule in rules}


def _show(story: Story, config: Config) -> None:
    from datetime import datetime

    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    for line in story.lines:
        at = datetime.fromisoformat(line.at).astimezone(config.zone)
        table.add_row(f"{at:%H:%M:%S}", line.text)
    console = Console(markup=False, emoji=False, highlight=False)
    if story.lines:
        first = datetime.fromisoformat(story.lines[0].at).astimezone(config.zone)
        console.print(f"call {story.call}, {first:%Y-%m-%d}")
        console.print(table)
    else:
        console.print(f"call {story.call} is in the journal, but nothing was recorded that says why")
