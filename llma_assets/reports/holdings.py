"""What tables hold of a team's days, asked by one query before its stages work, for `Database.may_hold`.

Most of what the stages look for on a new day is not there: rows of an earlier run, rows of later days, skips, failures.
"""

from datetime import date

from llma_assets.clickhouse import DayColumns, RememberingDatabase

BY_THEME = DayColumns("day", "theme_id")
HISTORY_DAYS = 31
"""So far back stages look for what is there already, before the first day that they work on."""

HELD: dict[str, DayColumns] = {
    "trace_texts": DayColumns("day", "level"),
    "texts_made": DayColumns("day", ""),
    "theme_items": BY_THEME,
    "theme_days": BY_THEME,
    "trace_summaries": BY_THEME,
    "summary_failures": BY_THEME,
    "document_embeddings": DayColumns("timestamp", "rendering"),
    "clustering_runs": DayColumns("day", "theme_id", is_whole=True),
    "cluster_members": BY_THEME,
    "cluster_labels": BY_THEME,
    "cluster_name_tests": BY_THEME,
    "cluster_group_labels": BY_THEME,
    "run_attributes": BY_THEME,
    "budget_holds": DayColumns("day", ""),
    "skips": DayColumns("day", "stage"),
    "item_skips": DayColumns("day", "stage"),
}
"""The tables that are asked about: how their rows are told apart."""


def _of_table(table: str, columns: DayColumns) -> str:
    day = "day" if columns.day == "day" else f"toDate({columns.day})"
    part = f"toString({columns.part})" if columns.part else "''"
    return f"""
SELECT DISTINCT '{table}' AS table, {day} AS day, {part} AS part
FROM {table}
WHERE team_id = {{team_id:Int64}}{"" if columns.is_whole else f" AND {day} >= {{since:Date}}"}"""


# Keys: (team_id, day, ...), or (team_id, toDate(timestamp), ...). Without FINAL: an older version says as much.
HOLDINGS = "UNION ALL".join(_of_table(table, columns) for table, columns in HELD.items())


def learn_holdings(database: RememberingDatabase, team_id: int, since: date) -> None:
    """Ask what tables hold of a team from a day on, unless that is known already."""
    database.learn_holdings(HELD, team_id, since, HOLDINGS)
