"""`llma db`: status, start, stop, upgrade, query."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma


def test_query_prints_tab_separated_rows_without_a_header(llma: Llma) -> None:
    result = llma("db", "query", "SELECT number, 'a\\tb', NULL, [1, 2] FROM numbers(2)")
    assert (result.stdout, result.exit_code) == ("0\ta\\tb\t\\N\t[1,2]\n1\ta\\tb\t\\N\t[1,2]\n", 0)


def test_query_names_the_columns_where_asked(llma: Llma) -> None:
    assert llma("db", "query", "SELECT 1 AS one, 2 AS two", "--header").stdout == "one\ttwo\n1\t2\n"


def test_query_keeps_columns_of_equal_names_apart(llma: Llma) -> None:
    sql = "SELECT a.x, b.x FROM (SELECT 1 AS x) AS a, (SELECT 2 AS x) AS b"
    assert llma("db", "query", sql).stdout == "1\t2\n"


def test_query_obeys_a_format_and_a_semicolon(llma: Llma) -> None:
    assert llma("db", "query", "SELECT 1 AS one FORMAT JSONEachRow;").stdout == '{"one":1}\n'


def test_query_reads_the_pipelines_own_database(llma: Llma) -> None:
    assert llma("db", "query", "SELECT count() FROM events").stdout == "0\n"


def test_query_runs_statements_that_return_nothing(llma: Llma) -> None:
    assert llma("db", "query", "CREATE TABLE t (x Int64) ENGINE = MergeTree ORDER BY x").exit_code == 0
    assert llma("db", "query", "INSERT INTO t VALUES (7), (8)").exit_code == 0
    assert llma("db", "query", "SELECT x FROM t ORDER BY x").stdout == "7\n8\n"


def test_query_reads_the_statement_from_stdin(llma: Llma) -> None:
    assert llma("db", "query", "-", input=b"SELECT 42").stdout == "42\n"


def test_query_passes_bytes_through_unchanged(llma: Llma) -> None:
    assert llma("db", "query", "SELECT unhex('ff1b'), '🦊'").stdout_bytes == b"\xff\x1b\t\xf0\x9f\xa6\x8a\n"


def test_a_large_answer_comes_complete(llma: Llma) -> None:
    rows = llma("db", "query", "SELECT number FROM numbers(300000)").stdout.split()
    assert rows == [str(number) for number in range(300_000)]


def test_a_refused_statement_shows_clickhouses_message_and_fails(llma: Llma) -> None:
    result = llma("db", "query", "SELECT nope FROM events")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Code: 47" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_failure_in_the_middle_of_an_answer_fails_and_its_text_is_no_row(llma: Llma) -> None:
    result = llma(
        "db", "query", "SELECT throwIf(number = 5000000) FROM numbers(10000000) SETTINGS max_block_size = 1000"
    )
    assert result.exit_code == 1
    assert "Code: 395" in result.stderr
    assert set(result.stdout.split()) == {"0"}
    assert "exception" not in result.stdout


def test_upgrade_is_safe_to_run_twice(database: Database, llma_json: Callable[..., Answer]) -> None:
    database.execute("DROP TABLE schema_migrations SYNC")
    first, second = llma_json("db", "upgrade"), llma_json("db", "upgrade")
    assert first.document["applied"]
    assert second.document == {"database": first.document["database"], "applied": []}


def test_status_of_a_server_names_it_without_its_password(llma_json: Callable[..., Answer], settings: object) -> None:
    document = llma_json("db", "status").document
    assert document["mode"] == "remote"
    assert document["running"] is True
    assert "@" not in document["address"]
    assert {row["table"] for row in document["tables"]} >= {"events", "skips", "clusters"}
    assert list(document) == [
        "mode", "address", "running", "version", "database", "data_dir", "pid", "started_at", "tables",
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_there_is_nothing_to_start_or_stop_where_a_server_is_named(llma: Llma, verb: str) -> None:
    result = llma("db", verb)
    assert result.exit_code == 2
    assert f"cannot {verb}" in result.stderr


def test_status_starts_nothing(
    llma: Llma, llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLICKHOUSE_URL")
    monkeypatch.setenv("LLMA_DATA_DIR", str(tmp_path / "other"))
    for _ in range(2):
        document = llma_json("db", "status").document
        assert (document["mode"], document["running"], document["pid"]) == ("embedded", False, None)
    assert llma("db", "stop").stderr == "The database was not running.\n"


def test_the_embedded_database_starts_once_and_stops(
    llma: Llma, llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLICKHOUSE_URL")
    monkeypatch.setenv("LLMA_DATA_DIR", str(tmp_path / "own"))
    try:
        assert llma("db", "start").exit_code == 0
        running = llma_json("db", "status").document
        assert llma("db", "start").exit_code == 0
        assert llma_json("db", "status").document["pid"] == running["pid"]
        assert running["running"] is True
    finally:
        assert llma("db", "stop").exit_code == 0
    assert llma_json("db", "status").document["running"] is False
