"""The schema of our tables: which version the database has, and bringing it to ours, by Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store.database import Database, DatabaseFailed, Reason

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


def downgrade(database: Database, to: str, *, within: float = UPGRADE_SECONDS) -> tuple[Version, Version]:
    """Takes the tables back to an earlier version, as `upgrade` does; what only later ones have is dropped.

    Raises DatabaseFailed, also for a version that is not an earlier one.
    """
    return database.run(lambda connection: _downgrade(connection, to), within=within, writes=True)


def _version(connection: Connection) -> Version:
    found = MigrationContext.configure(connection).get_current_revision()
    return Version(found or "", ScriptDirectory.from_config(_config()).get_current_head() or "")


def _upgrade(connection: Connection) -> tuple[Version, Version]:
    before = _alone(connection)
    if not before.current:
        command.upgrade(_config(connection), "head")
    return before, _version(connection)


def _downgrade(connection: Connection, to: str) -> tuple[Version, Version]:
    before = _alone(connection)
    earlier = [
        script.revision for script in ScriptDirectory.from_config(_config()).iterate_revisions(before.found, "base")
    ]
    if to not in earlier[1:]:
        raise DatabaseFailed(Reason.WRONG, f"version {to} is not earlier; there are {', '.join(earlier[1:]) or 'none'}")
    command.downgrade(_config(connection), to)
    return before, _version(connection)


def _alone(connection: Connection) -> Version:
    """The version found, once nobody else is changing it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": ONE_AT_A_TIME})
    return _version(connection)


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
