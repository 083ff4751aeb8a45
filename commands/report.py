"""Print the figures of queues, skills and agents from the journal, and draw the day.

Without --from it is today. The service level has four formulas that differ on callers who hang up; docs/figures.md
has them all.

  ./appliance.py report
  ./appliance.py report --from yesterday --to today --intervals
  ./appliance.py report --from "2026-11-23 08:00" --to "2026-11-23 18:00" --queue service --draw day.svg
  ./appliance.py report --from 2026-11-01 --every 24h --formula answered --csv > november.csv
  ./appliance.py report --journal var/what-if --json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands import journal_of, open_store
from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from acd.figures import Figures
    from journal.reader import Record
    from workforce.reporting import Choice, Report, Scope

FORMULAS = ("offered", "answered", "without-early", "early-as-served")
DAY = timedelta(days=1)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", metavar="TIME", help='"2026-11-23 08:00", a date, today or yesterday')
    parser.add_argument("--to", dest="until", metavar="TIME", help="the same; not included (default: now)")
    parser.add_argument("--queue", action="append", default=[], help="only this queue (repeat for more)")
    parser.add_argument("--agent", action="append", default=[], help="only this agent (repeat for more)")
    parser.add_argument("--skill", action="append", default=[], help="only calls for this skill (repeat for more)")
    parser.add_argument("--every", default="15m", metavar="TIME", help="intervals: 15m (default), 30m, 1h ... 24h")
    parser.add_argument("--intervals", action="store_true", help="print every interval, not only the totals")
    parser.add_argument(
        "--formula", choices=FORMULAS, default="offered", help="of the service level (default: offered)"
    )
    parser.add_argument("--short", default="5s", metavar="TIME", help="hanging up before this is a short abandon")
    parser.add_argument("--journal", type=Path, metavar="PATH", help="another journal, a folder or one file")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the day into an SVG file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--csv", action="store_true", help="print a line for every interval")


def run(args: argparse.Namespace, config: Config) -> int:
    from workforce.reporting import as_json, picture, report

    _check_names(args, config)
    choice = _choice(args, config)
    found = report(_figures(args, config, choice), choice)
    if args.draw:
        title = f"{choice.since:%Y-%m-%d %H:%M} to {choice.until:%Y-%m-%d %H:%M}"
        args.draw.write_text(picture(found, config.zone, title), encoding="utf-8")
    if args.json:
        print(json.dumps(as_json(found, config.zone), ensure_ascii=False))
    elif args.csv:
        _write_csv(found, config)
    else:
        _show(found, config, intervals=args.intervals)
    return 0


# --- what is asked ----------------------------------------------------------------------------------


def _records(args: argparse.Namespace, config: Config) -> Iterator[Record]:
    """Read one by one: a month of calls is more than fits into memory."""
    from journal.reader import records_of

    source = journal_of(args.journal, config)
    return iter(()) if source is None else records_of(source)


def _check_names(args: argparse.Namespace, config: Config) -> None:
    """A slip would be a table of zeros. Raises UserError for a queue or agent that is not here and never was."""
    from runtime.names import queue_names, unknown

    queues = queue_names(config.flows_dir) if args.queue else set()
    agents = _agents(config) if args.agent else set()
    if set(args.queue) <= queues and set(args.agent) <= agents:
        return
    for record in _records(args, config):  # of those that were removed it knows alone
        queues |= {str(record.get("queue", "")), *map(str, record.get("queues", ()))}
        agents.add(str(record.get("agent", "")))
    for option, asked, known in (("--queue", args.queue, queues), ("--agent", args.agent, agents)):
        for name in asked:
            if name not in known - {""}:
                raise unknown(option, name, known - {""})


def _agents(config: Config) -> set[str]:
    """Who works here now; nobody where the database cannot be asked, for a report needs none."""
    try:
        with open_store(config) as store:
            return {agent.id for agent in store.agents()}
    except UserError:
        return set()


def _choice(args: argparse.Namespace, config: Config) -> Choice:
    from workforce.reporting import Choice, whole_intervals

    every = _every(args.every)
    since, until = _time("--from", args.since, config), _time("--to", args.until, config)
    first, last = _span(args, config) if since is None or until is None else (since, until)
    since = since or first
    until = until or max(last, since + timedelta(seconds=1))
    if until <= since:
        raise UserError(f"--to {until:%Y-%m-%d %H:%M} is not after --from {since:%Y-%m-%d %H:%M}")
    since, until = whole_intervals(since, until, every)
    return Choice(
        since, until, tuple(args.queue), tuple(args.agent), tuple(args.skill), formula=args.formula, every=every
    )


def _span(args: argparse.Namespace, config: Config) -> tuple[datetime, datetime]:
    """What is reported where nothing is said: today until now, of another journal all of it."""
    now = datetime.now(config.zone)
    ends: list[str] = []
    for record in _records(args, config) if args.journal else ():
        ends = [ends[0] if ends else record["at"], record["at"]]
    if not ends:
        return now.replace(hour=0, minute=0, second=0, microsecond=0), now
    first, last = (datetime.fromisoformat(at).astimezone(config.zone) for at in ends)
    return first, last


def _time(option: str, text: str | None, config: Config) -> datetime | None:
    if text is None:
        return None
    today = datetime.now(config.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if text in {"today", "yesterday"}:
        return today if text == "today" else today - DAY
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option}: '{text}' is not a time; write 2026-11-23, \"2026-11-23 10:00\" or today") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=config.zone)


def _every(text: str) -> int:
    from acd.figures import QUARTER

    every = round(_seconds("--every", text) * 1000)
    if every < QUARTER or every % QUARTER or every > 24 * 4 * QUARTER:
        raise UserError(f"--every: '{text}' is not whole quarters of an hour; write for example 15m, 1h or 24h")
    return every


def _seconds(option: str, text: str) -> float:
    from config.values import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error


def _figures(args: argparse.Namespace, config: Config, choice: Choice) -> Figures:
    from acd.queues import load_queues
    from config.document import read_text
    from workforce.reporting import folded

    text, _ = read_text(config.flows_dir / "queues.yaml")
    rules, _ = load_queues(text or "{}", "queues.yaml")
    targets = {rule.name: rule.service_level[1] for rule in rules}
    return folded(
        _records(args, config),
        choice.until,
        targets=targets,
        short=round(_seconds("--short", args.short) * 1000),
        now=None if args.journal else datetime.now(config.zone),
    )


# --- what is printed --------------------------------------------------------------------------------


def _write_csv(found: Report, config: Config) -> None:
    import csv

    from workforce.reporting import as_rows

    rows = list(as_rows(found, config.zone))
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["kind", "name", "from"]
    writer = csv.DictWriter(sys.stdout, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _show(found: Report, config: Config, *, intervals: bool) -> None:
    from rich.console import Console

    from workforce.reporting import row

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 100
    choice = found.choice
    console.print(
        f"{choice.since:%Y-%m-%d %H:%M} to {choice.until:%Y-%m-%d %H:%M}, service level {choice.formula}, "
        f"short abandons below {found.figures.short / 1000:g} s"
    )
    if not any(found.scopes()):
        console.print("nothing is recorded for it")
    for kind, scopes in (("queue", found.queues), ("skill", found.skills)):
        if scopes:
            console.print(_table(kind, scopes, _CALL_COLUMNS, choice, config, intervals=intervals))
    if found.agents:
        console.print(_table("agent", found.agents, _AGENT_COLUMNS, choice, config, intervals=intervals))
    for scope in found.scopes():
        for name, said in (("results", "what came of the talks"), ("reasons", "not ready for")):
            if counted := row(scope.total, choice.formula).get(name):
                write = str if name == "results" else partial(_cell, "not_ready")
                told = ", ".join(f"{what or '?'} {write(value)}" for what, value in sorted(counted.items()))
                console.print(f"{scope.kind} {scope.name}, {said}: {told}")


_CALL_COLUMNS = {
    "offered": "calls",
    "answered": "answ",
    "abandoned": "aban",
    "abandoned_short": "short",
    "left": "left",
    "overflowed": "over",
    "service_level": "SL",
    "asa": "ASA",
    "longest_wait": "max",
    "aht": "AHT",
    "talk": "talk",
    "wrap_up": "wrap",
    "transfers": "xfer",
    "ring_no_answer": "RNA",
}
_AGENT_COLUMNS = {
    "calls": "calls",
    "aht": "AHT",
    "occupancy": "occ",
    "logged_on": "on",
    "ready": "ready",
    "busy": "talk",
    "wrap_up": "wrap",
    "not_ready": "away",
    "transfers": "xfer",
    "ring_no_answer": "RNA",
    "declined": "decl",
}
_SHARES = {"service_level", "occupancy"}
_TIMES = {"asa", "longest_wait", "aht", "talk", "wrap_up", "logged_on", "ready", "busy", "not_ready"}


def _table(
    kind: str, scopes: list[Scope], columns: dict[str, str], choice: Choice, config: Config, *, intervals: bool
) -> Any:
    from rich import box
    from rich.table import Table

    from workforce.reporting import row

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(kind, no_wrap=True, min_width=8)
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    form = "%H:%M" if choice.until - choice.since <= DAY else "%d. %H:%M"
    for scope in scopes:
        total = row(scope.total, choice.formula)
        table.add_row(scope.name, *(_cell(name, total[name]) for name in columns))
        for start, figures in sorted(scope.intervals.items()) if intervals else ():
            at = datetime.fromtimestamp(start / 1000, config.zone)
            values = row(figures, choice.formula)
            table.add_row(f" {at:{form}}", *(_cell(name, values[name]) for name in columns), style="dim")
    return table


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in _SHARES:
        return f"{value:.0%}"
    if name not in _TIMES:
        return str(value)
    if value < 100:
        return f"{value:.0f}s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes}:{seconds:02}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"
