"""Show whether both databases can be reached and our tables are up to date.

Exit code 1 when one of them is not as it should be.

  ./appliance.py db status
"""

from __future__ import annotations

import argparse

from commands.db import shown
from config.appliance import SQLITE, Config


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    sound = [_ours(config), _crm(config)]
    return 0 if all(sound) else 1


def _ours(config: Config) -> bool:
    from store.database import Database, DatabaseFailed
    from store.schema import version
    from switch.shared.clock import RealClock

    where = f"database {shown(config.database.url)}:"
    try:
        database = Database(config.database.url, RealClock(), name="hotline", threads=1)
        found = version(database)
        database.close()
    except DatabaseFailed as error:
        hint = "; make it by: ./appliance.py db init" if config.database.url.startswith(SQLITE) else ""
        print(f"{where} {error}{hint}")
        return False
    if found.current:
        print(f"{where} up to date (version {found.found})")
    elif found.found:
        print(f"{where} version {found.found}, this release has {found.wanted}; run: ./appliance.py db upgrade")
    else:
        print(f"{where} has none of our tables; make them by: ./appliance.py db init")
    return found.current


def _crm(config: Config) -> bool:
    from sqlalchemy import inspect

    from store.database import Database, DatabaseFailed
    from switch.shared.clock import RealClock

    where = f"crm {shown(config.crm.url)}:"
    try:
        database = Database(config.crm.url, RealClock(), name="CRM", threads=1)
        tables = database.run(lambda connection: inspect(connection).get_table_names(), within=5.0)
        database.close()
    except DatabaseFailed as error:
        print(f"{where} {error}")
        return False
    print(f"{where} reached, {len(tables)} tables")
    return True
