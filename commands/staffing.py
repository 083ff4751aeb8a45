"""Work out how many agents are needed, or what so many agents give, by Erlang C or Erlang A.

With --patience callers give up (Erlang A), without it they wait for ever (Erlang C). The goals may be
combined; without any it is 80/20. FILE says the same for many intervals; options go before what it says.

  ./appliance.py staffing --calls 120 --handling 3m
  ./appliance.py staffing --calls 120 --handling 3m --patience 2m --service-level 80/20 --abandoned 3%
  ./appliance.py staffing --calls 120 --handling 3m --agents 14
  ./appliance.py staffing --calls 120 --interval 15m --handling 3m --asa 10s --occupancy 85% --shrinkage 30% --json
  ./appliance.py staffing examples/staffing.yaml
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.appliance import Config
from config.values import UserError

if TYPE_CHECKING:
    from workforce.staffing import Demand, Staffed

GOALS = ("service_level", "asa", "abandoned", "occupancy")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="calls and goals for every interval (YAML)")
    parser.add_argument("--calls", metavar="N", help="calls that come in one interval")
    parser.add_argument("--interval", metavar="TIME", help="how long an interval is (default: 30m)")
    parser.add_argument("--handling", metavar="TIME", help="AHT, talk and wrap-up of one call, for example 3m")
    parser.add_argument("--patience", metavar="TIME", help="how long callers wait on average before they give up")
    parser.add_argument(
        "--service-level", metavar="X/T", help="goal: X %% answered within T seconds, for example 80/20"
    )
    parser.add_argument("--asa", metavar="TIME", help="goal: mean wait of those answered at most this")
    parser.add_argument("--abandoned", metavar="X%", help="goal: at most so many give up")
    parser.add_argument(
        "--occupancy", metavar="X%", help="goal: agents spend at most this share of their time on calls"
    )
    parser.add_argument(
        "--agents", metavar="N", help="so many agents: what they give, and the most calls for the goals"
    )
    parser.add_argument("--shrinkage", metavar="X%", help="paid time in which agents are not there for calls")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    from workforce.staffing import as_json, staffed

    demand = _demand(args)
    try:
        found = staffed(demand)
    except ValueError as error:
        raise UserError(str(error)) from error
    if args.json:
        print(json.dumps(as_json(demand, found)))
    else:
        _show(demand, found)
    return 0


def _demand(args: argparse.Namespace) -> Demand:
    from config.document import Document, parse, read_text
    from config.syntax import Tree
    from workforce.staffing import Demand

    given, written = _given(args), {}
    if args.file is not None:
        text, problems = read_text(args.file)
        document, wrong = parse(text, str(args.file)) if text is not None else (None, [])
        problems += wrong
        if document is not None and not problems:
            _, problems = document.validate(Demand)
        if problems or document is None:
            raise UserError("\n".join(map(str, problems)))
        written = document.get(())
    else:
        missing = [f"--{name}" for name in ("calls", "handling") if name not in given]
        if missing:
            raise UserError(f"give {' and '.join(missing)}, or a FILE; examples: ./appliance.py staffing --help")
    goal = written.get("goal", {}) | given.get("goal", {})
    demand, problems = Document("", Tree(written | given | {"goal": goal})).validate(Demand)
    if demand is None:
        raise UserError("\n".join(_about_option(problem.message) for problem in problems))
    return demand


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """What the options say, as the file would."""
    names = ("interval", "handling", "patience", "agents", "shrinkage")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.calls is not None:
        given["calls"] = {"each": args.calls}
    goal = {name.replace("_", "-"): value for name in GOALS if (value := getattr(args, name)) is not None}
    return given | ({"goal": goal} if goal else {})


def _about_option(message: str) -> str:
    """``goal.asa: ...`` as ``--asa: ...``."""
    where, colon, what = message.partition(": ")
    option = where.removeprefix("goal.").removesuffix(".each")
    return f"--{option}: {what}" if colon and option.replace("-", "").isalpha() else message


def _show(demand: Demand, found: list[Staffed]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    formula = "Erlang A" if demand.patience is not None else "Erlang C"
    console.print(f"{formula}, calls per {_span(demand.interval)}, handling {_span(demand.handling)}")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("" if len(found) == 1 else "from", no_wrap=True)
    paid = ["paid"] if demand.shrinkage else []
    within = f"≤{demand.aims.target:g} s"
    for name in ("calls", "load", "agents", *paid, within, "ASA", "leave", "busy"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("decided by", no_wrap=True)
    for each in found:
        service = each.service
        table.add_row(
            "" if len(found) == 1 else each.name,
            f"{each.calls:g}",
            f"{each.load:.1f}",
            str(each.agents),
            *([str(each.scheduled)] if paid else []),
            f"{service.within:.1%}",
            _span(service.speed_of_answer),
            f"{service.abandons:.1%}",
            f"{service.occupancy:.1%}",
            _decided(each),
        )
    console.print(table)
    if found[0].calls_possible is not None:
        console.print(f"{demand.agents} agents reach the goals with up to {found[0].calls_possible:.0f} calls")


def _decided(each: Staffed) -> str:
    """Which goal asks for the most agents; of equals the first."""
    return max(each.needed, key=lambda goal: each.needed[goal], default="")


def _span(seconds: float) -> str:
    if seconds == float("inf"):
        return "endless"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.3g} min"
