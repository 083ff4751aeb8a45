"""Bring our tables to the version of this release.

All or nothing; calls may go on meanwhile. Nothing else is touched.

  ./appliance.py db upgrade
"""

from __future__ import annotations

import argparse

from commands.db import bring_up_to_date
from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    bring_up_to_date(config)
    return 0
