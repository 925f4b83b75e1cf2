"""A database that a test has changed comes back to the next test as a migrated one, and empty."""

from collections.abc import Iterator
from typing import Final

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.databases import UsedDatabases

DEFINITIONS: Final = """
SELECT name, replaceAll(create_table_query, {name:String}, '') AS definition
FROM system.tables
WHERE database = {name:String}
ORDER BY name
"""
CHANGES: Final = (
    "CREATE TABLE `{name}`.other (x UInt8) ENGINE = Memory",
    "ALTER TABLE `{name}`.trace_texts ADD COLUMN other UInt8",
    "DROP TABLE `{name}`.skips",
    "RENAME TABLE `{name}`.item_skips TO `{name}`.skipped",
    "INSERT INTO `{name}`.schema_migrations (number, name, checksum) VALUES (9999, 'x', 'x')",
    "INSERT INTO `{name}`.eligible_teams (team_id, day) VALUES (1, '2026-11-07')",
)


@pytest.fixture
def name(used_databases: UsedDatabases, database: Database) -> Iterator[str]:
    """A migrated database beside that of the test."""
    name = used_databases.take()
    used_databases.make(name, lambda: pytest.fail("one was migrated for this process already"))
    yield name
    used_databases.give_back(name)


def test_a_changed_database_comes_back_migrated_and_empty(
    name: str, used_databases: UsedDatabases, default_database: Database, database: Database
) -> None:
    for change in CHANGES:
        default_database.execute(change.format(name=name))
    used_databases.give_back(name)
    assert used_databases.take() == name
    found, wanted = (default_database.rows(DEFINITIONS, name=each) for each in (name, database.name))
    assert found == wanted
    filled = "SELECT groupArray(name) FROM system.tables WHERE database = {name:String} AND total_rows > 0"
    assert default_database.value(filled, name=name) == ["schema_migrations"]
    of_migrations = "SELECT count() FROM {name:Identifier}.schema_migrations"
    assert default_database.value(of_migrations, name=name) == default_database.value(of_migrations, name=database.name)


def test_a_dropped_database_is_not_handed_on(used_databases: UsedDatabases, default_database: Database) -> None:
    name = used_databases.take()
    default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)
    used_databases.give_back(name)
    assert used_databases.take() != name
