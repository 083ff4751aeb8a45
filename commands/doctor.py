"""Look over this machine and its configuration: what is missing, and how to get it.

Exit code 0 when calls can be taken, 1 when something must be mended first.

  ./appliance.py doctor
"""

from __future__ import annotations

import argparse

from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    from commands.check import looked_through
    from runtime.doctor import examine

    healthy = True
    for finding in examine(config, lambda: looked_through((), config)[2]):
        print(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}")
        if not finding.ok:
            print(f"         mend it: {finding.mend}")
            healthy = False
    return 0 if healthy else 1
