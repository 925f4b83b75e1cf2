"""Migrations: once each, from anywhere, and loud when something is wrong."""

import threading

import pytest

from llma_assets.clickhouse import Database, MigrationError, connect, migrate
from llma_assets.clickhouse.migrate import Migration, shipped_migrations
from llma_assets.settings import Settings

FIRST = Migration.parse(
    "9001_first.sql",
    "-- why; this\nCREATE TABLE IF NOT EXISTS one (a Int64, b String DEFAULT ';') ENGINE = MergeTree ORDER BY a;\n\n"
    "CREATE TABLE IF NOT EXISTS two (a Int64) ENGINE = MergeTree ORDER BY a; -- end\n",
)


def tables(database: Database) -> set[str]:
    rows = database.rows("SELECT name FROM system.tables WHERE database = {name:String}", name=database.name)
    return {row["name"] for row in rows}


def test_statements_are_split_at_line_ends_only() -> None:
    assert len(FIRST.statements) == 2
    assert "DEFAULT ';')" in FIRST.statements[0]


def test_shipped_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in shipped_migrations()] == list(range(1, len(shipped_migrations()) + 1))


def test_a_second_run_applies_nothing(database: Database) -> None:
    assert migrate(database, [FIRST]) == ["9001_first.sql"]
    assert migrate(database, [FIRST]) == []
    assert {"one", "two"} <= tables(database)


def test_a_half_applied_migration_is_completed(database: Database) -> None:
    database.execute(FIRST.statements[0])
    assert migrate(database, [FIRST]) == ["9001_first.sql"]
    assert {"one", "two"} <= tables(database)


def test_migrating_from_many_threads_at_once_gives_one_schema(settings: Settings) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            connect(settings).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect(settings) as database:
        assert database.value("SELECT count() FROM schema_migrations FINAL") == len(shipped_migrations())


def test_a_changed_migration_is_reported_with_what_to_do(database: Database) -> None:
    migrate(database, [FIRST])
    changed = Migration.parse(FIRST.name, "CREATE TABLE three (a Int64) ENGINE = Memory;")
    with pytest.raises(MigrationError, match=r"9001_first.sql was changed .* next number"):
        migrate(database, [changed])
    assert "three" not in tables(database)


def test_a_failing_statement_is_named_with_its_file(database: Database) -> None:
    broken = Migration.parse("9002_broken.sql", "SELECT 1;\n-- a comment\nCREATE TABLE broken (a Nonsense);\n")
    with pytest.raises(MigrationError, match=r"9002_broken.sql, statement 2 of 2 \(CREATE TABLE broken") as caught:
        migrate(database, [broken])
    assert caught.value.code != 0
    assert database.value("SELECT count() FROM schema_migrations WHERE number = 9002") == 0


def test_a_file_of_another_name_is_refused() -> None:
    with pytest.raises(MigrationError, match="NNNN_words"):
        Migration.parse("pipeline.sql", "SELECT 1;")
