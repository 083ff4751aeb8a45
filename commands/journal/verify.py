"""Check that the journal has no holes and that every call ends at most once.

Prints calls=N ended=N open=N holes=N doubles=N; exit code 1 when something is wrong.

  ./appliance.py journal verify
"""

from __future__ import annotations

import argparse

from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    from journal.reader import verify

    verdict = verify(config.data_dir / "journal")
    print(verdict)
    return 0 if verdict.sound else 1
