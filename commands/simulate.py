"""Serve a day of callers by the queue engine itself, and compare what would be if: more agents, other rules.

FILE says who calls, who works when, and what is different in each variant. Every variant serves the same callers.
--set is one more variant; +2 and -1 count from what is written.

  ./appliance.py simulate examples/what-if.yaml
  ./appliance.py simulate examples/what-if.yaml --set agents.experts.count=+2 --draw what-if.svg
  ./appliance.py simulate examples/what-if.yaml --set queues.service.overflow.0.after=60s --json
  ./appliance.py simulate examples/what-if.yaml --replications 1 --journal var/what-if
  ./appliance.py report --journal var/what-if
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from acd.model import Millis
    from acd.records import Entry
    from workforce.confidence import Estimate
    from workforce.experiment import Estimates, Experiment
    from workforce.plan import Plan


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the plan (YAML)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="sets",
        metavar="PATH=VALUE",
        help="one more variant with this value, for example agents.experts.count=+2 (repeat for more)",
    )
    parser.add_argument("--replications", type=int, metavar="N", help="how often each variant is run")
    parser.add_argument("--seed", type=int, metavar="N", help="other callers")
    parser.add_argument("--journal", type=Path, metavar="OUT", help="write one replication's journal into this folder")
    parser.add_argument("--variant", metavar="NAME", help="whose journal is written (default: the plan as written)")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the curves of the day into an SVG file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    from workforce.experiment import Experiment, as_json

    experiment = Experiment(_plans(args, config))
    chosen = _chosen(args.variant, experiment)
    if args.journal:
        _check_free(args.journal)
    try:
        with _progress(experiment.rounds, quiet=args.json) as advance:
            for _ in experiment.run():
                advance()
        if args.journal:
            _write_journal(experiment, chosen, args.journal)
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from error
    if args.draw:
        from workforce.curves import picture

        args.draw.write_text(picture(experiment), encoding="utf-8")
    if args.json:
        print(json.dumps(as_json(experiment), ensure_ascii=False))
    else:
        _show(experiment)
    return 0


def _plans(args: argparse.Namespace, config: Config) -> list[Plan]:
    from workforce.plan import load_plans

    plans, problems = load_plans(args.file, config.zone, config.flows_dir, args.sets)
    if problems:
        told = (f"{each.path}: {each.message}" if each.path.startswith("--set ") else str(each) for each in problems)
        raise UserError("\n".join(told))
    for name, least in (("replications", 1), ("seed", None)):
        value = getattr(args, name)
        if value is not None and least is not None and not least <= value <= 1000:
            raise UserError(f"--{name}: {value} is out of range; from {least} to 1000")
    return [_with_options(plan, args) for plan in plans]


def _with_options(plan: Plan, args: argparse.Namespace) -> Plan:
    from dataclasses import replace

    given = {name: value for name in ("replications", "seed") if (value := getattr(args, name)) is not None}
    return replace(plan, entry=plan.entry.model_copy(update=given))


def _chosen(name: str | None, experiment: Experiment) -> Plan:
    from config.wording import suggestion

    plans = {variant.plan.name: variant.plan for variant in experiment.variants}
    if name is None:
        return experiment.variants[0].plan
    if name not in plans:
        raise UserError(f"--variant: there is no variant '{name}'.{suggestion(name, plans)}")
    return plans[name]


@contextmanager
def _progress(rounds: int, *, quiet: bool) -> Iterator[Any]:
    """A bar on a terminal's standard error; nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("replications"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("", total=rounds)
        yield lambda: progress.advance(task)


def _check_free(out: Path) -> None:
    """A journal is what happened, and may be one that is being written: none is written over, or added to."""
    from journal.reader import segments

    if out.suffix != ".jsonl":
        for old in segments(out):
            raise UserError(f"{old} is there already; name another folder for --journal, or remove it")
    elif out.exists():
        raise UserError(f"{out} is there already; name another file for --journal, or remove it")
    elif segments(out.parent):
        raise UserError(f"{out.parent} has a journal; name a file in another folder for --journal")


def _write_journal(experiment: Experiment, plan: Plan, out: Path) -> None:
    """The first replication as a journal that report, why and journal verify read."""
    file = out if out.suffix == ".jsonl" else out / "000001.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="ascii") as to:
        experiment.measure(plan, 0, _Writer(to))


class _Writer:
    """Writes records as the journal has them."""

    def __init__(self, to: IO[str]) -> None:
        self._to = to
        self._seq = 0

    def __call__(self, at: Millis, entry: Entry) -> None:
        from datetime import UTC, datetime

        type, call, facts = entry
        self._seq += 1
        moment = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
        record = {"seq": self._seq, "at": moment, "v": 1, "type": type, "call": call, **facts}
        self._to.write(json.dumps(record, separators=(",", ":")) + "\n")


# --- what is printed ----------------------------------------------------------------------------------

_COLUMNS = {
    "offered": "calls",
    "service_level": "service level",
    "asa": "ASA",
    "abandon_rate": "gave up",
    "longest_wait": "longest wait",
    "occupancy": "occupancy",
}
NARROW = 100  # columns of a terminal
_SHARES = {"service_level", "abandon_rate", "occupancy"}
_TIMES = {"asa", "longest_wait"}


def _show(experiment: Experiment) -> None:
    from rich.console import Console

    from workforce.experiment import differences, estimates

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 110
    base = experiment.variants[0]
    since, until = experiment.span(base.plan)
    console.print(
        f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}, {base.plan.entry.replications} replications, "
        "means with 95 % confidence; * differs from the plan as written"
    )
    queues = [name for name in base.runs[0].queues if any(run.queues[name]["offered"] for run in base.runs)]
    for scope in ["", *(queues if len(queues) > 1 else ())]:
        found, changes = {}, {}
        for variant in experiment.variants:
            runs, of_base = ([run.queues[scope] if scope else run.all for run in each.runs] for each in (variant, base))
            found[variant.plan.name] = estimates(runs)
            changes[variant.plan.name] = {} if variant is base else differences(runs, of_base)
        title = f"queue {scope}" if scope else "all calls"
        console.print(_table(title, found, changes, narrow=console.width < NARROW))
    for variant in experiment.variants:
        unserved = estimates([run.all for run in variant.runs]).get("unserved")
        if unserved and unserved.mean > 0:
            console.print(f"{variant.plan.name}: {unserved.mean:.1f} calls still waited when all was over")


def _table(title: str, found: dict[str, Estimates], changes: dict[str, Estimates], *, narrow: bool) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1 if narrow else 2, 0, 0), pad_edge=False)
    table.add_column(title, min_width=16, no_wrap=not narrow)
    names = {name: heading for name, heading in _COLUMNS.items() if any(each.get(name) for each in found.values())}
    if narrow:
        del names["longest_wait"]
    for heading in names.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for variant, values in found.items():
        cells = (_cell(name, values.get(name), changes[variant].get(name)) for name in names)
        table.add_row(variant, *cells)
    return table


def _cell(name: str, value: Estimate | None, change: Estimate | None) -> str:
    """``81.2 ±1.3%``, with a star where the variant differs from the plan as written."""
    if value is None:
        return "-"
    times, unit = (100.0, "%") if name in _SHARES else (1.0, " s") if name in _TIMES else (1.0, "")
    digits = 1 if unit else 0
    half = "" if value.half is None or not unit else f" ±{value.half * times:.{digits}f}"
    return f"{value.mean * times:.{digits}f}{half}{unit}{' *' if change and change.differs() else ''}"
