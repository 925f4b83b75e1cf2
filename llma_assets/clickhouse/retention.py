"""How long rows are kept where the environment says so (`LLMA_RETENTION_DAYS`): TTLs other than the migrations'."""

import re
from collections.abc import Mapping

from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import MigrationError

# Of what can be made again or is only looked at; decisions of people, themes, tasks and releases have no such setting.
WRITTEN_AT = {
    "events": "timestamp",
    "trace_texts": "inserted_at",
    "trace_summaries": "inserted_at",
    "document_embeddings": "timestamp",
    "cluster_members": "inserted_at",
    "item_skips": "inserted_at",
    "skips": "inserted_at",
    "model_usage": "timestamp",
    "usage_forecasts": "made_at",
    "alert_decisions": "inserted_at",
    "task_labels": "inserted_at",
    "finished_runs": "inserted_at",
    "stage_runs": "inserted_at",
}
"""Tables whose rows may go, and the column that says how old one is."""

# The engine's part of CREATE TABLE, with the TTL in the server's own form.
ENGINES = """
SELECT name, engine_full
FROM system.tables
WHERE database = {database:String} AND name IN {tables:Array(String)}
"""

_TTL = re.compile(r"\bTTL toDateTime\((\w+)\) \+ (?:toIntervalDay\((\d+)\)|INTERVAL (\d+) DAY)")


def keep_for(database: Database, days: Mapping[str, int]) -> list[str]:
    """Set the TTL of tables; one that is set already costs nothing but a query for all. Rows go at merges.

    Args:
        days: of each table, 1 or more.

    Returns:
        the tables that were changed.

    Raises:
        MigrationError: a table is none whose rows may go.
    """
    for table in days:
        if table not in WRITTEN_AT:
            known = ", ".join(sorted(WRITTEN_AT))
            raise MigrationError(f"LLMA_RETENTION_DAYS names {table[:40]!r}; rows of these tables may go: {known}")
    if not days:
        return []
    stored = {database.layout.stored(table): table for table in days}
    engines = database.rows(ENGINES, database=database.name, tables=sorted(stored))
    changed = []
    for row in engines:
        table = stored[row["name"]]
        wanted = (WRITTEN_AT[table], days[table])
        match = _TTL.search(row["engine_full"])
        if match is not None and (match.group(1), int(match.group(2) or match.group(3))) == wanted:
            continue
        statement = f"ALTER TABLE {table} MODIFY TTL toDateTime({wanted[0]}) + INTERVAL {wanted[1]:d} DAY"
        for each in database.layout.statements(statement):
            database.execute(each)
        changed.append(table)
    return sorted(changed)
