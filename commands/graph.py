"""Draw a flow: as SVG for a browser, or as Mermaid text for a wiki.

Without FLOW the only flow of flows-dir is drawn. What is wrong is drawn as well, and told on stderr: steps that
are named and not there have a red, dashed line.

  ./appliance.py graph hotline > hotline.svg
  ./appliance.py graph flows/hotline.yaml --mermaid
  ./appliance.py graph flows/hotline.yaml --output hotline.svg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from config.appliance import Config
from config.values import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FLOW", help="its file or its name (default: the only one)"
    )
    parser.add_argument("--mermaid", action="store_true", help="Mermaid text instead of SVG")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write into a file instead of stdout")


def run(args: argparse.Namespace, config: Config) -> int:
    from config.document import parse, read_text
    from ivr.language.chart import chart, mermaid
    from ivr.language.drawing import svg
    from ivr.language.reader import read

    file = _named(args.file, config.flows_dir) if args.file else _only_flow(config.flows_dir)
    text, problems = read_text(file)
    document, wrong = parse(text, str(file)) if text is not None else (None, [])
    draft = read(document) if document is not None else None
    for problem in [*problems, *wrong, *(draft.problems if draft else [])]:
        print(problem, file=sys.stderr)
    if draft is None or not draft.steps:
        return 1
    drawn = mermaid(chart(draft)) if args.mermaid else svg(chart(draft))
    if args.output:
        args.output.write_text(drawn, encoding="utf-8")
    else:
        sys.stdout.write(drawn)
    return 0


def _named(file: Path, flows_dir: Path) -> Path:
    """The file, or the flow of that name in flows-dir."""
    flow = flows_dir / f"{file}.yaml"
    return flow if not file.exists() and flow.is_file() else file


def _only_flow(flows_dir: Path) -> Path:
    from runtime.flowbook import flow_files

    flows = flow_files(flows_dir)
    if len(flows) != 1:
        raise UserError(
            f"there are {len(flows)} flows in {flows_dir}; name one: {', '.join(flow.stem for flow in flows)}"
        )
    return flows[0]
