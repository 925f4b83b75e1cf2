"""Tasks that people made of clusters of traces. Which cluster, and what is known of it, is given; see `reports`.

They lie in a table of their own. What makes tasks of session replays reads `task_versions` and `task_segments`, and so
never grows, merges, names or closes one of these; their state is what people say, from the history that all tasks have.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.tasks.batches import NAMESPACE

MOST_ITEMS = 20

# Key of cluster_tasks: (team_id, task_id).
CLUSTER_TASKS = """
SELECT
    toString(t.task_id) AS task_id, theme_id, lineage_id, day, title, description, traces, users, error_share,
    first_seen, last_seen, item_ids, made_at, made_by
FROM cluster_tasks AS t FINAL
WHERE t.team_id = {team_id:Int64}
"""
FIND_CLUSTER_TASK = """
SELECT toString(t.task_id) AS task_id
FROM cluster_tasks AS t FINAL
WHERE t.team_id = {team_id:Int64} AND t.task_id IN {task_ids:Array(UUID)}
ORDER BY made_at, t.task_id
"""
# Keys: cluster_tasks (team_id, task_id); task_history (team_id, task_id, change_id). What people said of their state.
CLUSTER_TASK_STATES = """
SELECT c.team_id AS team_id, c.lineage_id AS lineage_id, h.changed_at AS changed_at, h.status AS status
FROM
(
    SELECT team_id, task_id, changed_at, status, inserted_at, change_id
    FROM task_history FINAL
    WHERE team_id IN {team_ids:Array(Int64)} AND batch_id = 0 AND status != ''
) AS h
INNER JOIN
(
    SELECT team_id, task_id, lineage_id
    FROM cluster_tasks FINAL
    WHERE team_id IN {team_ids:Array(Int64)}
) AS c ON h.team_id = c.team_id AND h.task_id = c.task_id
ORDER BY h.team_id, h.changed_at, h.inserted_at, h.change_id
"""
CLUSTER_TASK = f"{CLUSTER_TASKS.rstrip()} AND t.task_id = {{task_id:UUID}}\n"


@dataclass(frozen=True, slots=True)
class ClusterSource:
    """What a task is made of: a cluster on a day.

    Attributes:
        theme_id, lineage_id: the cluster.
        day: of the run whose figures these are.
        title, description: its name.
        traces, users: how many it has; users as far as they are known.
        error_share: of its items, those with an error.
        first_seen, last_seen: of the cluster.
        item_ids: its most typical members, as evidence; none where they may not be shown.
    """

    theme_id: str
    lineage_id: str
    day: date
    title: str
    description: str
    traces: int
    users: int
    error_share: float
    first_seen: datetime
    last_seen: datetime
    item_ids: tuple[str, ...]


def cluster_task_id(team_id: int, lineage_id: str) -> UUID:
    """The id of the task of a cluster; there is one."""
    return uuid5(NAMESPACE, f"cluster|{team_id}|{lineage_id}")


def make_cluster_task(database: Database, team_id: int, source: ClusterSource, *, by: str, now: datetime) -> UUID:
    """Make the task of a cluster, and return its id; of two at once the first counts. It is one row, or nothing."""
    task_id = cluster_task_id(team_id, source.lineage_id)
    row = {
        **asdict(source),
        "team_id": team_id,
        "task_id": task_id,
        "item_ids": list(source.item_ids[:MOST_ITEMS]),
        "made_at": now,
        "made_by": by,
    }
    database.insert_rows("cluster_tasks", [row])
    return task_id


def made_of_cluster(database: Database, team_id: int, task_id: UUID) -> dict[str, Any]:
    """The first line of the history of a cluster's task, which is not stored with the others."""
    (row,) = database.rows(CLUSTER_TASK, team_id=team_id, task_id=task_id)
    return {
        "task_id": row["task_id"],
        "changed_at": row["made_at"],
        "batch_id": 0,
        "change": "created",
        "status": "new",
        "detail": f"of a cluster of {row['traces']} traces of {row['users']} users",
        "target": "",
        "changed_by": row["made_by"],
    }


def find_cluster_task(database: Database, team_id: int, lineage_ids: Collection[str]) -> str | None:
    """The id of the task that was made of one of these clusters, None if there is none."""
    wanted = [cluster_task_id(team_id, each) for each in lineage_ids]
    rows = database.rows(FIND_CLUSTER_TASK, team_id=team_id, task_ids=wanted)
    return rows[0]["task_id"] if rows else None


def cluster_task_rows(database: Database, team_id: int) -> list[dict[str, Any]]:
    """The tasks of a team's clusters as they are stored."""
    return database.rows(CLUSTER_TASKS, team_id=team_id)


Closed = tuple[datetime, datetime | None]
"""When a task was closed, and when it was opened again; None where it was not."""


def closings_of(database: Database, team_id: int) -> dict[str, list[Closed]]:
    """By lineage of which people made a task, when it was closed as solved, in order of time."""
    found: dict[str, list[Closed]] = {}
    for row in database.rows(CLUSTER_TASK_STATES, team_ids=[team_id]):
        closings = found.setdefault(row["lineage_id"], [])
        is_closed = bool(closings) and closings[-1][1] is None
        if row["status"] == "resolved" and not is_closed:
            closings.append((row["changed_at"], None))
        elif row["status"] != "resolved" and is_closed:
            closings[-1] = (closings[-1][0], row["changed_at"])
    return found


def ask_closings_together(database: RememberingDatabase, team_ids: Collection[int]) -> None:
    """Ask for the closings of several teams at once: what is asked of one is known then."""
    database.ask_together(CLUSTER_TASK_STATES, team_ids)
