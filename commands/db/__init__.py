"""Our tables and the demo CRM: make, upgrade, look.

./appliance.py db init
./appliance.py db status
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from config.appliance import SQLITE, Config
from config.values import UserError

if TYPE_CHECKING:
    from store.database import Database
    from store.schema import Version


@contextmanager
def our_database(config: Config) -> Iterator[Database]:
    """The database of our tables; an SQLite file is made when missing. Its failures are the user's to mend."""
    with _opened("database.url", config.database.url, create=True) as database:
        yield database


@contextmanager
def crm_database(config: Config) -> Iterator[Database]:
    """The database of the CRM, as it is."""
    with _opened("crm.url", config.crm.url, create=False) as database:
        yield database


def bring_up_to_date(config: Config) -> None:
    """Brings our tables to the version of this release and says what was done."""
    from store.schema import upgrade

    with our_database(config) as database:
        before, after = upgrade(database)
    print(f"database: {change(before)} (version {after.found})")


def fill_crm(config: Config, customers: int, orders: int) -> None:
    """Makes the demo CRM, with progress."""
    from datetime import datetime

    from crm import demo

    told = 0

    def progress(done: int, wanted: int) -> None:
        nonlocal told
        if done * 10 // wanted > told:
            told = done * 10 // wanted
            print(f"crm: {done:,} of {wanted:,} customers and orders", flush=True)

    today = datetime.now(config.zone).date()
    with crm_database(config) as database:
        demo.fill(database, customers=customers, orders=orders, today=today, besides=our_tables(), progress=progress)


def our_tables() -> frozenset[str]:
    """The names of all tables of ours, which may share a database with the CRM's."""
    from store.tables import metadata

    return frozenset(metadata.tables) | {"alembic_version"}


def change(before: Version) -> str:
    if before.current:
        return "our tables are up to date"
    return f"our tables were upgraded from version {before.found}" if before.found else "our tables were made"


def shown(url: str) -> str:
    """The URL without its password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(not a URL)"


@contextmanager
def _opened(key: str, url: str, *, create: bool) -> Iterator[Database]:
    from store.database import Database, DatabaseFailed
    from switch.shared.clock import RealClock

    try:
        if create and url.startswith(SQLITE):
            Path(url.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        database = Database(url, RealClock(), name=key.partition(".")[0], threads=1, create=create)
        try:
            yield database
        finally:
            database.close()
    except DatabaseFailed as error:
        raise UserError(f"{key} {shown(url)}: {error}") from error
    except OSError as error:
        raise UserError(f"{key} {shown(url)}: {error.strerror}") from error
