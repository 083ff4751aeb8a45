"""Take our tables back to an earlier version, before going back to an earlier release.

All or nothing. What only later versions have is dropped; stop the appliance first.

  ./appliance.py db downgrade 0002
"""

from __future__ import annotations

import argparse

from commands.db import our_database
from config.appliance import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", help="the version to go back to; 'db status' shows the present one")


def run(args: argparse.Namespace, config: Config) -> int:
    from store.schema import downgrade

    with our_database(config) as database:
        before, after = downgrade(database, args.version)
    print(f"database: our tables were taken back from version {before.found} to {after.found}")
    return 0
