"""Statements for a cluster: every migration is rewritten in one place, and ClickHouse's parser takes what comes out.

No cluster runs here: none of these statements is executed.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clickhouse.layout import SEQUENTIAL, WHOLE_TABLES, Layout, LayoutError
from llma_assets.clickhouse.migrate import migrate, shipped_migrations
from llma_assets.clickhouse.queries import CREATE_DATABASE, CREATE_SCHEMA_MIGRATIONS
from llma_assets.clickhouse.retention import WRITTEN_AT, keep_for
from llma_assets.settings import Settings, SettingsError
from llma_assets_tests.databases import BorrowedClient

ROOT = Path(__file__).resolve().parents[2]
SINGLE, REPLICATED = Layout(), Layout("main", storage_policy="tiered")
SHARDED = Layout("main", sharded=True)
STATEMENTS = [CREATE_SCHEMA_MIGRATIONS, *(each for one in shipped_migrations() for each in one.statements)]
PARSED = "SELECT formatQuerySingleLine({statement:String})"
FIRST_WORDS = re.compile(r"\s*(SELECT|WITH|INSERT INTO|DELETE FROM|ALTER TABLE|CREATE TABLE|CREATE DATABASE)\b")
COMMENTS = re.compile(r"^\s*--[^\n]*\n", re.MULTILINE)


def bare(statement: str) -> str:
    return COMMENTS.sub("", statement)


def parsed(database: Database, statement: str) -> str:
    """The statement as ClickHouse's parser understands it; raises where it does not."""
    return str(database.value(PARSED, statement=statement))


def test_one_server_gets_the_migrations_as_they_are() -> None:
    assert [SINGLE.statements(each) for each in STATEMENTS] == [[each] for each in STATEMENTS]


@pytest.mark.parametrize("layout", [REPLICATED, SHARDED], ids=["replicated", "sharded"])
def test_the_parser_takes_every_migration_as_it_is_rewritten(database: Database, layout: Layout) -> None:
    for statement in STATEMENTS:
        for each in layout.statements(statement):
            text = parsed(database, bare(each))
            assert "ON CLUSTER main" in text or "ON CLUSTER 'main'" in text
            assert "non_replicated" not in text
            if text.startswith("CREATE TABLE") and "ENGINE = Distributed" not in text:
                assert re.search(r"ENGINE = ReplicatedReplacingMergeTree\('/clickhouse/tables/", text), text


def test_a_table_of_teams_lies_on_one_shard_behind_a_table_of_its_name(database: Database) -> None:
    (statement,) = [each for each in STATEMENTS if "EXISTS clustering_runs" in each]
    local, front = SHARDED.statements(statement)
    assert parsed(database, bare(local)).startswith("CREATE TABLE IF NOT EXISTS clustering_runs_local ON CLUSTER")
    path = "'/clickhouse/tables/{shard}/{database}/clustering_runs_local', '{replica}', committed_at"
    assert f"ReplicatedReplacingMergeTree({path})" in local
    assert "Distributed('main', currentDatabase(), 'clustering_runs_local', cityHash64(team_id))" in front


def test_every_table_is_one_of_teams_or_known_to_have_none() -> None:
    for statement in STATEMENTS:
        if found := re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", statement):
            is_of_teams = re.search(r"^ORDER BY \(team_id", statement, re.MULTILINE) is not None
            assert is_of_teams != (found.group(1) in WHOLE_TABLES), found.group(1)


def test_tables_without_a_team_are_whole_on_every_server() -> None:
    (made,) = SHARDED.statements(CREATE_SCHEMA_MIGRATIONS)
    assert "'/clickhouse/tables/all/{database}/schema_migrations', '{shard}-{replica}'" in made
    (made,) = REPLICATED.statements(CREATE_SCHEMA_MIGRATIONS)
    assert "'/clickhouse/tables/all/{database}/schema_migrations', '{replica}'" in made


def test_a_storage_policy_stands_beside_other_settings(database: Database) -> None:
    (claims,) = [each for each in STATEMENTS if "EXISTS alert_claims" in each]
    for layout in (REPLICATED, Layout(storage_policy="tiered")):
        (made,) = layout.statements(claims)
        assert "deduplication_window = 10000, storage_policy = 'tiered'" in parsed(database, bare(made))


def test_columns_are_added_behind_and_in_front_settings_only_behind() -> None:
    behind, front = SHARDED.statements("ALTER TABLE clusters ADD COLUMN IF NOT EXISTS radius Float64 DEFAULT 0")
    assert behind.startswith("ALTER TABLE clusters_local ON CLUSTER 'main' ADD COLUMN")
    assert front.startswith("ALTER TABLE clusters ON CLUSTER 'main' ADD COLUMN")
    assert SHARDED.statements("ALTER TABLE watermarks MODIFY SETTING non_replicated_deduplication_window = 10000") == [
        "ALTER TABLE watermarks_local ON CLUSTER 'main' MODIFY SETTING replicated_deduplication_window = 10000"
    ]


def test_a_form_that_is_not_known_is_refused() -> None:
    for statement in ("DROP TABLE events", "CREATE TABLE IF NOT EXISTS a (x Int8) ENGINE = Log"):
        with pytest.raises(LayoutError):
            REPLICATED.statements(statement)


NOT_OURS = ("pieces.py", "otel_spans.py")
"""Modules with statements for SQLite, and for people whose table it is."""


def sql_of_the_code() -> Iterator[tuple[str, str]]:
    """Every statement that stands in the code as a constant, with its module."""
    for path in sorted((ROOT / "llma_assets").rglob("*.py")):
        if "server" in path.parts or "testing" in path.parts or path.name in NOT_OURS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and FIRST_WORDS.match(bare(node.value)):
                yield path.name, bare(node.value)


def test_deletions_go_to_the_tables_behind(database: Database) -> None:
    deletions = [sql for _, sql in sql_of_the_code() if sql.lstrip().startswith("DELETE FROM")]
    assert len(deletions) > 5
    for sql in deletions:
        text, values = SHARDED.deletion(sql, {"table": "clusters"})
        assert re.match(r"\s*DELETE FROM (\w+_local|\{table:Identifier\}) ON CLUSTER 'main'", text), text
        assert values["table"] == ("clusters_local" if "{table" in sql else "clusters")
        assert parsed(database, text.replace("{table:Identifier}", values["table"]))
        assert SINGLE.deletion(sql, {}) == (sql, {})
    selection = "SELECT 'DELETE FROM events '"
    assert SHARDED.deletion(selection, {}) == (selection, {})


def grants(database: Database) -> dict[str, set[tuple[str, str]]]:
    """Rights of each role on each place, as ClickHouse's parser reads users.sql; every statement must parse."""
    text = COMMENTS.sub("", (ROOT / "deploy" / "clickhouse" / "users.sql").read_text("utf-8"))
    found: dict[str, set[tuple[str, str]]] = {}
    for statement in filter(None, (each.strip() for each in text.split(";"))):
        line = parsed(database, statement)
        if match := re.match(r"GRANT (.+) ON (\S+) TO (.+)$", line):
            rights, place, roles = match.groups()
            for role in roles.split(", "):
                found.setdefault(role, set()).update((right.strip(), place) for right in rights.split(","))
    return found


NEEDED = {
    "SELECT": "SELECT",
    "WITH": "SELECT",
    "INSERT INTO": "INSERT",
    "DELETE FROM": "ALTER DELETE",
}


def test_the_rights_of_runs_suffice_for_every_statement_of_the_code_and_no_more(database: Database) -> None:
    given = grants(database)
    on_tables = {right for right, place in given["llma_pipeline"] if place == "llma.*"}
    used, systems = {"INSERT"}, set()
    for module, sql in sql_of_the_code():
        word = FIRST_WORDS.match(sql)
        assert word is not None
        if word.group(1) in NEEDED:
            used.add(NEEDED[word.group(1)])
        elif word.group(1) not in ("CREATE TABLE", "CREATE DATABASE"):
            assert module == "retention.py", (module, sql)
        systems |= set(re.findall(r"\bsystem\.\w+", sql))
    assert used == {"SELECT", "INSERT", "ALTER DELETE"}
    assert {right for right in on_tables if not right.startswith("SHOW")} == used
    readable = {place for right, place in given["llma_pipeline"] if right == "SELECT"}
    assert systems <= readable, systems - readable
    assert given["llma_reader"] == {("SELECT", "llma.*")}


def test_the_rights_of_the_schema_suffice_for_every_migration(database: Database) -> None:
    given = {right for right, place in grants(database)["llma_schema"] if place == "llma.*"}
    needed = set()
    for statement in STATEMENTS:
        text = bare(statement)
        if text.lstrip().startswith("CREATE TABLE"):
            needed.add("CREATE TABLE")
        for word, right in (
            ("ADD COLUMN", "ALTER ADD COLUMN"),
            ("MODIFY COLUMN", "ALTER MODIFY COLUMN"),
            ("MODIFY SETTING", "ALTER SETTINGS"),
            ("MODIFY TTL", "ALTER TTL"),
        ):
            if text.lstrip().startswith("ALTER TABLE") and word in text:
                needed.add(right)
    needed.add("ALTER TTL")  # LLMA_RETENTION_DAYS
    assert needed <= given, needed - given


def test_the_parser_takes_the_statements_of_the_docs(database: Database) -> None:
    blocks = [
        block
        for page in ("operations.md", "deployment.md")
        for block in re.findall(
            r"^```sql\n(.*?)^```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
    ]
    statements = [line for block in blocks for line in block.splitlines() if line.strip()]
    assert len(statements) >= 5
    for statement in statements:
        assert parsed(database, statement.rstrip(";"))


def test_the_database_is_made_on_every_server(database: Database) -> None:
    statement = SHARDED.created_database(CREATE_DATABASE)
    assert parsed(database, statement.replace("{name:Identifier}", "llma")) == (
        "CREATE DATABASE IF NOT EXISTS llma ON CLUSTER main"
    )
    assert SINGLE.created_database(CREATE_DATABASE) == CREATE_DATABASE


def test_budgets_ask_every_replica_for_what_is_written(database: Database, settings: Settings) -> None:
    assert database.sequential() is database
    client = BorrowedClient(settings, database._client)
    client.layout = REPLICATED
    ledger = Database(client, database.name, "events").sequential()
    names = [*SEQUENTIAL]
    rows = ledger.rows("SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}", names=names)
    assert {row["name"]: row["value"] for row in rows} == SEQUENTIAL
    assert ledger.tagged(run="r")._is_sequential
    calls: list[int] = []

    def third_time() -> None:
        calls.append(len(calls))
        if len(calls) < 3:
            raise DatabaseError("another insert first", 286)

    pauses: list[float] = []
    ledger._in_turn(third_time, pauses.append)
    assert (len(calls), pauses) == (3, [0.02, 0.05])
    with pytest.raises(DatabaseError):
        database._in_turn(lambda: (_ for _ in ()).throw(DatabaseError("", 286)), pauses.append)


def test_rows_are_kept_for_as_long_as_the_environment_says(database: Database) -> None:
    engine = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
    try:
        assert keep_for(database, {"trace_texts": 30, "model_usage": 400}) == ["model_usage", "trace_texts"]
        assert keep_for(database, {"trace_texts": 30, "model_usage": 400}) == []
        assert "TTL toDateTime(inserted_at) + toIntervalDay(30)" in database.value(engine, table="trace_texts")
        assert "TTL toDateTime(timestamp) + toIntervalDay(400)" in database.value(engine, table="model_usage")
        assert migrate(database) == []
    finally:
        assert keep_for(database, {"trace_texts": 90}) == ["trace_texts"]
        database.execute("ALTER TABLE model_usage REMOVE TTL")
    with pytest.raises(DatabaseError, match="themes"):
        keep_for(database, {"themes": 30})
    columns = "SELECT table, name FROM system.columns WHERE database = currentDatabase()"
    assert {*WRITTEN_AT.items()} <= {(row["table"], row["name"]) for row in database.rows(columns)}


def test_settings_of_a_cluster_are_read_and_wrong_ones_said() -> None:
    url = {"CLICKHOUSE_URL": "http://c:8123/llma"}
    given = {**url, "LLMA_CLICKHOUSE_CLUSTER": "main", "LLMA_CLICKHOUSE_SHARDED": "1"}
    settings = Settings.from_env({**given, "LLMA_RETENTION_DAYS": "events=9, skips=1"})
    assert (settings.cluster.name, settings.cluster.sharded) == ("main", True)
    assert settings.retention_days == (("events", 9), ("skips", 1))
    assert replace(settings.cluster, name="", sharded=False) == Settings.from_env({}).cluster
    for wrong in (
        {"LLMA_CLICKHOUSE_CLUSTER": "main"},
        {**url, "LLMA_CLICKHOUSE_SHARDED": "1"},
        {**url, "LLMA_CLICKHOUSE_CLUSTER": "a' b"},
        {**url, "LLMA_CLICKHOUSE_STORAGE_POLICY": "x'"},
        {**url, "LLMA_CLICKHOUSE_KEEPER_ROOT": "/a'b"},
        {"LLMA_RETENTION_DAYS": "events"},
        {"LLMA_RETENTION_DAYS": "events=0"},
    ):
        with pytest.raises(SettingsError):
            Settings.from_env(wrong)
