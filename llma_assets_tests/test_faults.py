"""Faults in the middle of a run: killed processes, a killed server, a bad model server, monstrous traces."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database, connect, status, stop
from llma_assets.clusters.checks import CHECKS as CLUSTER_CHECKS
from llma_assets.events.checks import CHECKS as EVENT_CHECKS
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets_tests.chat_server import ChatServer
from llma_assets_tests.pipeline import Pipeline
from llma_assets_tests.traffic import day_of_traces, trace, write

DAY = date(2026, 11, 7)

KILLED_AT = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets_tests.pipeline import Pipeline

insert = Database.insert_rows

def insert_or_die(self, table, rows):
    if table == sys.argv[1] and rows:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows)

Database.insert_rows = insert_or_die
pipeline = Pipeline(connect(Settings.from_env()))
pipeline.texts(1, date(2026, 11, 7), date(2026, 11, 7))
pipeline.clusters(1, date(2026, 11, 7))
"""


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a process that works on the test's database, offline."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMA_CHAT_MODEL", "LLMA_EMBEDDING_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    return settings


@pytest.mark.slow
def test_a_run_killed_at_any_write_shows_nothing_and_is_finished_by_the_next(
    environment: Settings, database: Database
) -> None:
    write(database, day_of_traces(1, DAY, 24))
    write(database, day_of_traces(2, DAY, 24))
    pipeline = Pipeline(database)
    tables = (
        "trace_texts",
        "trace_summaries",
        "document_embeddings",
        "cluster_members",
        "clusters",
        "clustering_runs",
        "cluster_labels",
        "events",
    )
    for table in tables:
        killed = subprocess.run([sys.executable, "-c", KILLED_AT, table], capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
        assert pipeline.published() == []
        if table in tables[: tables.index("cluster_labels")]:
            assert pipeline.row_counts()["clustering_runs"] == 0
    pipeline.texts(1, DAY, DAY)
    pipeline.clusters(1, DAY)
    published = [json.loads(row["properties"]) for row in pipeline.published()]
    assert [properties["$ai_total_items_analyzed"] for properties in published] == [24, 24]
    for check in (*CLUSTER_CHECKS, *EVENT_CHECKS):
        findings = check.findings(database, TeamDay(1, DAY))
        assert [finding.passed for finding in findings] == [True, True], check.name


@pytest.mark.slow
def test_the_embedded_server_killed_in_the_middle_of_a_run_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLICKHOUSE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMA_DATA_DIR", str(tmp_path))
    killed: list[str] = []

    def kill_once_a_stage(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        if stage in killed:
            return
        killed.append(stage)
        state = status(tmp_path)
        assert state is not None
        os.kill(state.pid, signal.SIGKILL)

    database = connect(Settings.from_env())
    try:
        write(database, day_of_traces(1, DAY, 24))
        write(database, day_of_traces(2, DAY, 24))
        pipeline = Pipeline(database, progress=kill_once_a_stage)
        pipeline.texts(1, DAY, DAY)
        pipeline.clusters(1, DAY)
        assert killed == [
            "trace_texts",
            "trace_summaries",
            "summary_embeddings",
            "cluster_assignments",
            "cluster_labels",
            "cluster_events",
        ]
        assert [json.loads(row["properties"])["$ai_total_items_analyzed"] for row in pipeline.published()] == [24, 24]
    finally:
        database.close()
        stop(tmp_path)


def test_a_trace_of_50_mb_is_one_trace_among_others(environment: Settings, database: Database) -> None:
    write(database, day_of_traces(1, DAY, 2))
    long = "The quick brown fox jumps over the lazy dog. " * 24_000
    for number in range(48):
        when = datetime(2026, 11, 7, 9, number, tzinfo=UTC)
        write(database, trace(1, "huge", when, request=f"{number} {long}"))
    pipeline = Pipeline(database)
    pipeline.texts(1, DAY, DAY)
    rows = database.rows(
        "SELECT item_id, length(text) AS size, event_count FROM trace_texts FINAL WHERE level = 'trace'"
    )
    assert len(rows) == 3
    (huge,) = [row for row in rows if row["item_id"] == "huge"]
    assert huge["event_count"] == 48 * 3
    assert 1_000 < huge["size"] < 1_000_000
    assert database.value("SELECT count() FROM document_embeddings") >= 6


Fault = Callable[[ChatServer], None]
