"""Commit rows of which the first one stays: a batch of segments, and the pass that made tasks of it.

Two runs may take the same batch. Each writes rows of its own, under an id of its own, and then this row; the one whose
row is there first wins, whole and for good. What the other wrote counts for nothing.
"""

from collections.abc import Mapping
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries, task_queries


def commit_batch(database: Database, row: Mapping[str, Any]) -> bool:
    """Commit an attempt at clustering a batch; False where another attempt at the same batch came before."""
    key = {"team_id": row["team_id"], "batch_id": row["batch_id"]}
    return _commit(database, "segment_batches", row, segment_queries.ATTEMPT_OF_BATCH, key, str(row["attempt_id"]))


def commit_pass(database: Database, row: Mapping[str, Any]) -> bool:
    """Commit a pass that made tasks of a batch; False where another pass over it came before."""
    key = {name: row[name] for name in ("team_id", "pipeline", "position")}
    return _commit(database, "watermarks", row, task_queries.PASS_OF_BATCH, key, str(row["pass_id"]))


def _commit(
    database: Database, table: str, row: Mapping[str, Any], winner: str, key: Mapping[str, Any], own: str
) -> bool:
    database.insert_rows(table, [row], once="|".join(str(value) for value in key.values()))
    found = database.value(winner, **key)
    if found is None:  # somebody deleted the team's rows by hand, and the table still remembers that they were there
        database.insert_rows(table, [row])
        found = database.value(winner, **key)
    return str(found) == own
