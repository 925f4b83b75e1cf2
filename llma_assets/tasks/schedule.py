"""Which teams have new segments: what the schedule asks. The schedule itself is in `automation`."""

from datetime import datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.tasks import queries
from llma_assets.tasks.vectors import EPOCH

LOOK_BACK = timedelta(days=31)


def teams_with_new_segments(database: Database, *, model_name: str, now: datetime) -> list[int]:
    """The teams to which segments of this model have come that are in no task's batch yet: one GROUP BY."""
    rows = database.rows(
        queries.TEAMS_WITH_SEGMENTS,
        product=queries.PRODUCT,
        document_type=queries.DOCUMENT_TYPE,
        rendering=queries.RENDERING,
        model_name=model_name,
        since=now - LOOK_BACK,
    )
    done = {
        row["team_id"]: row["arrived_until"]
        for row in database.rows(queries.ARRIVED_UNTIL_BY_TEAM, pipeline=queries.PIPELINE)
    }
    return [row["team_id"] for row in rows if row["arrived_until"] > done.get(row["team_id"], EPOCH)]
