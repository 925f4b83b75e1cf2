"""One pass of the room, as the tests make it."""

from datetime import datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.models import ChatModel, OfflineChat
from llma_assets.tasks import (
    BatchCounts,
    BatchOptions,
    Task,
    TaskCounts,
    TaskOptions,
    cluster_new_segments,
    list_tasks,
    update_tasks,
)
from llma_assets.testing.segments import MODEL

DAY = timedelta(days=1)


def a_pass(
    database: Database,
    now: datetime,
    *,
    team_id: int = 1,
    chat: ChatModel | None = None,
    batches: BatchOptions = BatchOptions(),
    **options: Any,
) -> tuple[BatchCounts, TaskCounts]:
    """Cluster what is new, and work it into tasks."""
    clustered = cluster_new_segments(database, team_id, model_name=MODEL, now=now, options=batches)
    return clustered, update_tasks(database, team_id, chat or OfflineChat(), now=now, options=TaskOptions(**options))


def tasks(database: Database, now: datetime, team_id: int = 1) -> list[Task]:
    """The team's tasks as of `now`."""
    return list_tasks(database, team_id, now=now)
