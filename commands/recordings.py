"""List the recordings of calls, and where each file lies.

./appliance.py recordings
./appliance.py recordings --queue service --agent 1001
./appliance.py recordings --call sim-1 --json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection

from commands import open_store
from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--call", default="", help="those of one call, by its id")
    parser.add_argument("--queue", default="", help="those of one queue's talks")
    parser.add_argument("--agent", default="", help="those of one agent's talks")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="the newest so many (100)")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: argparse.Namespace, config: Config) -> int:
    with open_store(config) as store:
        found = store.recordings.list(call=args.call, queue=args.queue, agent=args.agent, limit=max(1, args.limit))
        if not found:
            _check_names(args, config, [agent.id for agent in store.agents()])
    rows = [
        {
            "id": each.id,
            "call": each.call,
            "flow": each.flow,
            "queue": each.queue,
            "agent": each.agent,
            "started": each.started.astimezone(config.zone).isoformat(timespec="seconds"),
            "seconds": round(each.seconds, 1),
            "keep_until": each.keep_until.astimezone(config.zone).isoformat() if each.keep_until else None,
            "path": each.path,
        }
        for each in found
    ]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        where = f"{row['queue']}/{row['agent']}" if row["queue"] else row["flow"]
        print(f"{row['started']}  {row['seconds']:>7} s  {where:<20}  {row['call']}  {row['path']}")
    if not rows:
        print("no recordings")
    return 0


def _check_names(args: argparse.Namespace, config: Config, agents: Collection[str]) -> None:
    """Raises UserError for a queue or an agent that there is not: it is a slip, and nobody would see it."""
    from runtime.names import queue_names, unknown

    queues = queue_names(config.flows_dir)
    for option, name, known in (("--queue", args.queue, queues), ("--agent", args.agent, agents)):
        if name and name not in known:
            raise unknown(option, name, known)
