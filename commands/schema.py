"""Print or write the JSON Schemas of flows and what stands beside them, for editors that check while you type.

An editor with a YAML language server (VS Code, Neovim, Emacs, JetBrains) finds the schema by a line in the file:

  # yaml-language-server: $schema=../docs/schema/flow.json

The schemas in docs/schema know the language; those that this command makes also offer the house's own names: its
prompts, queues, queries, calendars, mailboxes and languages.

  ./appliance.py schema
  ./appliance.py schema queues
  ./appliance.py schema --write flows/.schema
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from config.appliance import Config
from config.values import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        nargs="?",
        default="flow",
        help="flow (unless given), queues, calendars, queries, reasons, scenarios or catalogue",
    )
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the schemas of all kinds into a folder")


def run(args: argparse.Namespace, config: Config) -> int:
    from commands.check import surroundings
    from config.wording import choices
    from runtime.flowbook import read_beside
    from runtime.schemas import KINDS, known_names, schema_of

    if args.kind not in KINDS:
        raise UserError(f"no kind of file '{args.kind}'; there are {choices(KINDS)}")
    known = known_names(read_beside(config.flows_dir, config.prompts_dir, surroundings(config)).house)
    if args.write is None:
        print(_json(schema_of(args.kind, known)))
        return 0
    args.write.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        file = args.write / f"{kind}.json"
        file.write_text(f"{_json(schema_of(kind, known))}\n", encoding="utf-8")
        print(file)
    return 0


def _json(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2)
