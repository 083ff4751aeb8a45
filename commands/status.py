"""Show what a running appliance is doing: switch, queues, agents, calls.

./appliance.py status
./appliance.py status --json
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace, config: Config) -> int:
    from cti.client import Control

    status = Control(config.run_dir / "hotline.sock").ask("status")
    if args.json:
        print(json.dumps(status, ensure_ascii=False))
    else:
        _show(status)
    return 0


def _show(status: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)  # names and problems are shown as they are
    state = "ready" if status["ready"] else "not ready: the switch does not answer"
    console.print(f"{state} (pid {status['pid']}, {status['switch']})")
    for trouble in status["troubles"]:
        console.print(f"trouble: {trouble}")
    console.print(f"edition {status['edition']} of the flows")
    for flow in status["flows"]:
        console.print(f"flow {flow['name']}, version {flow['version']}, answers {', '.join(flow['numbers'])}")
    queues = Table("queue", "waiting", "longest wait")
    for queue in status["queues"]:
        queues.add_row(queue["name"], str(len(queue["waiting"])), f"{queue['longest_wait']:.0f} s")
    console.print(queues)
    agents = Table("agent", "name", "state", "reason", "call")
    for agent in status["agents"]:
        agents.add_row(agent["id"], agent["name"], agent["state"], agent["reason"], agent["call"] or "")
    console.print(agents)
    calls = Table("call", "dialled", "flow", "at step", "seconds")
    for call in status["calls"]:
        calls.add_row(call["id"], call["dialled"], call["flow"], call["step"], f"{call['seconds']:.0f}")
    console.print(calls)
