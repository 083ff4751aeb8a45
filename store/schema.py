"""The schema of our tables: which version the database has, and bringing it to ours, by Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
UPGRADE_SECONDS = 600.0
STATUS_SECONDS = 5.0
ONE_AT_A_TIME = 0x486F746C  # PostgreSQL's advisory lock, any number of ours


@dataclass(frozen=True, slots=True)
class Version:
    """The database's version and ours; "" where our tables were never made."""

    found: str
    wanted: str

    @property
    def current(self) -> bool:
        return self.found == self.wanted


def version(database: Database) -> Version:
    """Raises DatabaseFailed, also where an SQLite file does not exist yet."""
    return database.run(_version, within=STATUS_SECONDS)


def upgrade(database: Database, *, within: float = UPGRADE_SECONDS) -> tuple[Version, Version]:
    """Brings the tables to our version, all or nothing, and returns the versions before and after.

    The database must have been opened with `create`. Raises DatabaseFailed.
    """
    return database.run(_upgrade, within=within, writes=True)


def _version(connection: Connection) -> Version:
    found = MigrationContext.configure(connection).get_current_revision()
    return Version(found or "", ScriptDirectory.from_config(_config()).get_current_head() or "")


def _upgrade(connection: Connection) -> tuple[Version, Version]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
    before = _version(connection)
    if not before.current:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, _version(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
