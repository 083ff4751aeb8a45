"""Make or upgrade our tables, and fill what is empty with the demo.

Safe to run again: what is there stays. New tables get the mailboxes of the shipped flow and, while
`crm.demo` is on, four agents (1001 to 1004, each with a random SIP password) and, where the CRM is
an SQLite file without any table, made-up customers and orders.

  ./appliance.py db init
"""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.db import bring_up_to_date, crm_database, fill_crm, our_tables, shown
from config.appliance import SQLITE, Config
from config.values import UserError

CUSTOMERS, ORDERS = 200, 800


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace, config: Config) -> int:
    bring_up_to_date(config)
    _begin_tables(config)
    if config.crm.demo:
        _begin_crm(config)
    return 0


def _begin_tables(config: Config) -> None:
    from store.demo import add_agents, add_boxes
    from store.store import Store, StoreFailed
    from switch.shared.clock import RealClock

    store = Store(config.database.url, RealClock(), threads=1, within=config.database.within)
    try:
        if boxes := add_boxes(store):
            print(f"database: {boxes} mailboxes added")
        if config.crm.demo and (agents := add_agents(store)):
            print(f"database: {agents} demo agents added")
    except StoreFailed as error:
        raise UserError(f"database.url {shown(config.database.url)}: {error}") from error
    finally:
        store.close()


def _begin_crm(config: Config) -> None:
    from crm.demo import complete, vacant

    if not config.crm.url.startswith(SQLITE):
        print("crm: left as it is (a demo would be made by: ./appliance.py db demo)")
        return
    try:
        file = Path(config.crm.url.removeprefix(SQLITE))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o640)
    except OSError as error:
        raise UserError(f"crm.url {shown(config.crm.url)}: {error.strerror}") from error
    with crm_database(config) as database:
        empty = vacant(database, besides=our_tables())
        completed = not empty and complete(database)
    if empty:
        fill_crm(config, CUSTOMERS, ORDERS)
    elif completed:
        print("crm: the demo's tickets have a key now")
    else:
        print("crm: left as it is, it has tables already")
