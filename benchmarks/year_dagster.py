"""Dagster's tables as a year of many teams leaves them: part of `benchmarks.year`.

One row of each kind is recorded by Dagster; the others are copies of it by SQL, because a million events by Dagster's
own code take hours.
"""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg

from llma_assets.defs.partitions import partition_key, teams
from llma_assets.defs.shard_requests import SHARD_TAG
from llma_assets.team_day import TeamDay

ASSETS = (
    "trace_texts", "trace_summaries", "summary_embeddings", "cluster_assignments", "cluster_labels",
    "cluster_attributes", "cluster_events",
)  # fmt: skip
COPY_EVENT = """
INSERT INTO event_logs (partition, event, {kept})
SELECT ?2, replace(event, ?1, ?2), {kept} FROM event_logs WHERE id = ?3
"""
COPY_RUN = """
INSERT INTO runs (run_id, run_body, status, create_timestamp, update_timestamp, start_time, end_time, {kept})
SELECT ?2, replace(replace(run_body, ?1, ?2), 'DagsterRunStatus.SUCCESS', 'DagsterRunStatus.' || ?3), ?3, ?4, ?4, ?5,
    ?5 + 60, {kept}
FROM runs WHERE run_id = ?1
"""


def plant_materializations(instance: dg.DagsterInstance, home: Path, count: int, last: date, window: int) -> int:
    """One of each asset, team and day of the window that ends with `last`.

    Returns:
        How many partitions of one asset are materialized.
    """
    instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in range(1, count + 1)])
    first = partition_key(TeamDay(1, last))
    keys = [
        str(partition_key(TeamDay(team_id, last - timedelta(days=back))))
        for back in range(window)
        for team_id in range(1, count + 1)
    ]
    for name in ASSETS:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(dg.AssetKey(name), partition=first, metadata={"items": 30, "status": "done"})
        )
    (index,) = (home / "history").rglob("index.db")
    with closing(sqlite3.connect(index)) as store:
        copy = COPY_EVENT.format(kept=_columns(store, "event_logs", but=("id", "partition", "event")))
        for name in ASSETS:
            (original,) = store.execute(
                "SELECT min(id) FROM event_logs WHERE partition = ? AND asset_key = ?", (str(first), json.dumps([name]))
            ).fetchone()
            store.executemany(copy, ((str(first), key, original) for key in keys if key != str(first)))
        store.commit()
    return len(instance.get_materialized_partitions(dg.AssetKey(ASSETS[-1])))


def plant_runs(instance: dg.DagsterInstance, home: Path, count: int) -> str:
    """Runs of shards, one every three minutes until now; one in fifty failed. Returns the id of the newest."""
    recorded = run_id = str(uuid4())
    instance.add_run(
        dg.DagsterRun("shard_job", run_id=recorded, status=dg.DagsterRunStatus.SUCCESS, tags={SHARD_TAG: "0"})
    )
    now = datetime.now(UTC)
    changed = ("id", "run_id", "run_body", "status", "create_timestamp", "update_timestamp", "start_time", "end_time")
    with closing(sqlite3.connect(home / "history" / "runs.db")) as store:
        copy = COPY_RUN.format(kept=_columns(store, "runs", but=changed))
        for number in range(count - 1, 0, -1):  # pages show runs in the order in which they were stored
            run_id, at = str(uuid4()), now - timedelta(minutes=3 * number)
            status = "SUCCESS" if number % 50 else "FAILURE"
            store.execute(copy, (recorded, run_id, status, str(at.replace(tzinfo=None)), at.timestamp()))
            tag = (run_id, SHARD_TAG, str(number % 16))
            store.execute("INSERT INTO run_tags (run_id, key, value) VALUES (?, ?, ?)", tag)
        store.commit()
    return run_id


def _columns(store: sqlite3.Connection, table: str, *, but: tuple[str, ...]) -> str:
    return ", ".join(row[1] for row in store.execute(f"PRAGMA table_info({table})") if row[1] not in but)
