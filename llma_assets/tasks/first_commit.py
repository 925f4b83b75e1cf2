"""Commits a batch of segments, or a pass over it: the first commit wins.

Two runs may process the same batch. Each writes its rows under its own id, and then its commit row. The run whose
commit row is stored first wins; the rows of the other are ignored.
"""

from collections.abc import Mapping
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries, task_queries


def commit_batch(database: Database, row: Mapping[str, Any]) -> bool:
    """Commit an attempt at clustering a batch; False if another attempt at the same batch was first."""
    key = {"team_id": row["team_id"], "batch_id": row["batch_id"]}
    return _commit(database, "segment_batches", row, segment_queries.ATTEMPT_OF_BATCH, key, str(row["attempt_id"]))


def commit_pass(database: Database, row: Mapping[str, Any]) -> bool:
    """Commit a pass that made tasks of a batch; False if another pass over it was first."""
    key = {name: row[name] for name in ("team_id", "pipeline", "position")}
    return _commit(database, "watermarks", row, task_queries.PASS_OF_BATCH, key, str(row["pass_id"]))


def _commit(
    database: Database, table: str, row: Mapping[str, Any], winner: str, key: Mapping[str, Any], own: str
) -> bool:
    database.insert_rows(table, [row], once="|".join(str(value) for value in key.values()))
    found = database.value(winner, **key)
    if found is None:  # somebody deleted the team's rows by hand, but the table still deduplicates the insert
        database.insert_rows(table, [row])
        found = database.value(winner, **key)
    return str(found) == own
