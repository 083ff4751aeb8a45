"""The migrations make what store/tables.py says, on both databases, however often they are run."""

import gevent
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from store import schema
from store.database import DatabaseFailed
from store.tables import metadata


def test_a_new_database_gets_every_table(database):
    before, after = schema.upgrade(database)
    assert (before.found, before.current, after.current) == ("", False, True)
    found = database.run(lambda c: set(inspect(c).get_table_names()), within=20)
    assert found == {*metadata.tables, "alembic_version"}
    assert {"agents", "mailboxes", "messages", "interactions"} <= found


def test_the_migrations_and_the_tables_do_not_differ(database):
    schema.upgrade(database)
    assert database.run(differences, within=20) == []


def differences(connection):
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(database):
    schema.upgrade(database)
    before, after = schema.upgrade(database)
    assert before == after
    assert schema.version(database).current


def test_upgrades_at_the_same_time_do_not_disturb_each_other(database):
    upgrades = [gevent.spawn(schema.upgrade, database) for _ in range(3)]
    done = sorted(before.found for before, _ in [upgrade.get(timeout=30) for upgrade in upgrades])
    ours = schema.version(database).wanted
    assert done == ["", ours, ours]


def test_an_upgrade_that_fails_leaves_nothing_behind(database):
    database.run(lambda c: c.execute(text("create table folds (x integer)")), within=20, writes=True)
    with pytest.raises(DatabaseFailed, match="folds"):
        schema.upgrade(database)
    assert database.run(lambda c: inspect(c).get_table_names(), within=20) == ["folds"]


def versions() -> list[str]:
    """All of them, the latest first."""
    return sorted((file.name[:4] for file in (schema.MIGRATIONS / "versions").glob("0*.py")), reverse=True)


def test_every_migration_can_be_taken_back_and_made_again_without_loss_of_a_row(database):
    schema.upgrade(database)
    agent = text("insert into agents (id, name, skills, queues, phone, password, state, reason) values "
                 "('1001', '张伟', '{}', '[]', '1001', 'secret', 'Ready', '')")  # fmt: skip
    database.run(lambda c: c.execute(agent), within=20, writes=True)
    for earlier in versions()[1:]:
        assert schema.downgrade(database, earlier)[1].found == earlier
    assert schema.upgrade(database)[1].current
    assert database.run(lambda c: c.execute(text("select id, name from agents")).all(), within=20) == [("1001", "张伟")]
    assert database.run(differences, within=20) == []


def test_a_version_that_is_not_an_earlier_one_is_refused_and_changes_nothing(database):
    schema.upgrade(database)
    for wrong in ("9999", versions()[0], "base", ""):
        with pytest.raises(DatabaseFailed, match="is not earlier; there are 0"):
            schema.downgrade(database, wrong)
    assert schema.version(database).current


def test_a_database_without_tables_has_no_version(database):
    assert not schema.version(database).current


def test_the_version_of_a_missing_file_is_a_failure(opened, tmp_path):
    with pytest.raises(DatabaseFailed):
        schema.version(opened(f"sqlite:///{tmp_path}/missing.db"))
