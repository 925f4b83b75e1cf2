"""Finds the teams with new segments. The schedule itself belongs in `defs.schedules`."""

from datetime import datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries, task_queries
from llma_assets.tasks.vectors import EPOCH

LOOK_BACK = timedelta(days=31)


def teams_with_new_segments(database: Database, *, model_name: str, now: datetime) -> list[int]:
    """The teams with segments of this model that no batch contains yet; one query for all teams."""
    rows = database.rows(
        segment_queries.TEAMS_WITH_SEGMENTS,
        product=segment_queries.PRODUCT,
        document_type=segment_queries.DOCUMENT_TYPE,
        rendering=segment_queries.RENDERING,
        model_name=model_name,
        since=now - LOOK_BACK,
    )
    done = {
        row["team_id"]: row["arrived_until"]
        for row in database.rows(task_queries.ARRIVED_UNTIL_BY_TEAM, pipeline=task_queries.PIPELINE)
    }
    return [row["team_id"] for row in rows if row["arrived_until"] > done.get(row["team_id"], EPOCH)]
