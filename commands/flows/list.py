"""List the editions of the flows that were taken, and what each of them changed.

./appliance.py flows list
./appliance.py flows list --json
"""

from __future__ import annotations

import argparse
import json

from commands import local
from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(args: argparse.Namespace, config: Config) -> int:
    from runtime.flowbook import EDITIONS
    from runtime.history import History, texts_of

    history = History(config.data_dir / EDITIONS)
    editions = history.editions()
    if args.json:
        for edition in editions:
            facts = {"edition": edition.number, "at": edition.at, "taken": edition.taken, "changed": edition.changed}
            print(json.dumps(facts, ensure_ascii=False))
        return 0
    first: dict[str, int] = {}
    for edition in editions:
        like = first.setdefault(json.dumps(edition.digests, sort_keys=True), edition.number)
        again = f"  the same as {like}" if like != edition.number else ""
        never = "" if edition.taken else "  never in force"
        changed = ", ".join(edition.changed) or "files were removed"
        print(f"{edition.number:>6}  {local(edition.at, config)}  {changed}{again}{never}")
    last = history.last()
    if last is None:
        print("there is no edition yet; the first one is kept when the appliance starts")
    elif not last.same(texts_of(config.flows_dir, config.prompts_dir)):
        print(f"the files differ from edition {last.number}: see ./appliance.py flows diff and ./appliance.py check")
    return 0
