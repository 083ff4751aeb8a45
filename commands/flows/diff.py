"""Show what differs between two editions of the flows, or between an edition and the files as they are now.

Without numbers the last edition in force is compared with the files. The exit code is 1 when something differs.

  ./appliance.py flows diff
  ./appliance.py flows diff 7
  ./appliance.py flows diff 7 9
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping

from config.appliance import Config
from config.values import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", nargs="?", type=int, metavar="EDITION", help="an edition (default: the last)")
    parser.add_argument("after", nargs="?", type=int, metavar="EDITION", help="another one (default: the files now)")


def run(args: argparse.Namespace, config: Config) -> int:
    from runtime.flowbook import EDITIONS
    from runtime.history import History, NoSuchEdition, texts_of

    history = History(config.data_dir / EDITIONS)
    number = args.before
    if number is None:
        last = history.last()
        if last is None:
            raise UserError("there is no edition yet; the first one is kept when the appliance starts")
        number = last.number
    try:
        before = history.texts(number)
        after = texts_of(config.flows_dir, config.prompts_dir) if args.after is None else history.texts(args.after)
    except NoSuchEdition as error:
        raise UserError(f"{error}; see ./appliance.py flows list") from error
    lines = compared(before, after, f"edition {number}", "now" if args.after is None else f"edition {args.after}")
    sys.stdout.writelines(lines)
    return 1 if lines else 0


def compared(before: Mapping[str, str], after: Mapping[str, str], was: str, now: str) -> list[str]:
    """The differences of all files, in the form that `patch` reads."""
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = (texts.get(name, "").splitlines(keepends=True) for texts in (before, after))
        lines += [
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in difflib.unified_diff(old, new, f"{name}\t{was}", f"{name}\t{now}")
        ]
    return lines
