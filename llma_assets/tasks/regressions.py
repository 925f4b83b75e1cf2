"""Tasks of session replays that occurred again after they were resolved: when, and how often by day."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.tasks import task_queries
from llma_assets.tasks.board import list_tasks
from llma_assets.tasks.states import merge_parameters

# Keys: task_history (team_id, task_id, change_id), watermarks (team_id, pipeline, position).
REGRESSIONS = """
SELECT team_id, toString(task_id) AS task_id, toDate(changed_at) AS day
FROM task_history FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND toDate(changed_at) BETWEEN {from:Date} AND {until:Date}
    AND change = 'regressed'
    AND (team_id, pass_id) IN
    (
        SELECT team_id, pass_id FROM watermarks FINAL WHERE team_id IN {team_ids:Array(Int64)} AND pipeline = 'tasks'
    )
ORDER BY team_id, day, task_id
"""

# Key of task_segments: (team_id, document_id, pass_id).
OCCURRENCES = """
WITH done AS
(
    SELECT pass_id FROM watermarks FINAL WHERE team_id = {team_id:Int64} AND pipeline = {pipeline:String}
)
SELECT
    transform(toString(task_id), {merged:Array(String)}, {into:Array(String)}, toString(task_id)) AS id,
    toDate(segment_start) AS day,
    count() AS segments,
    groupUniqArray(distinct_id) AS users
FROM task_segments FINAL
WHERE team_id = {team_id:Int64}
    AND pass_id IN (SELECT pass_id FROM done)
    AND day BETWEEN {from:Date} AND {until:Date}
GROUP BY id, day
HAVING id IN {task_ids:Array(String)}
ORDER BY id, day
"""


@dataclass(frozen=True, slots=True)
class Regressed:
    """A task that regressed.

    Attributes:
        days: on which it was seen again after it was resolved.
        segments: by day, how many of it began.
        users: by day, who had them.
    """

    task_id: str
    title: str
    days: tuple[date, ...]
    segments: Mapping[date, int]
    users: Mapping[date, frozenset[str]]


def regressed_tasks(database: Database, team_id: int, first: date, last: date, *, now: datetime) -> list[Regressed]:
    """The tasks of a team that regressed on one of some days; one query where there are none."""
    rows = database.rows(REGRESSIONS, team_ids=[team_id], **{"from": first, "until": last})
    if not rows:
        return []
    tasks = {part: task for task in list_tasks(database, team_id, now=now) for part in (task.task_id, *task.merged)}
    days: dict[str, set[date]] = {}
    for row in rows:
        if row["task_id"] in tasks:
            days.setdefault(tasks[row["task_id"]].task_id, set()).add(row["day"])
    found = database.rows(
        OCCURRENCES,
        team_id=team_id,
        pipeline=task_queries.PIPELINE,
        task_ids=sorted(days),
        **merge_parameters({part: task.task_id for part, task in tasks.items() if part != task.task_id}),
        **{"from": first, "until": last},
    )
    return [
        Regressed(
            task_id,
            tasks[task_id].title,
            tuple(sorted(on)),
            {row["day"]: row["segments"] for row in found if row["id"] == task_id},
            {row["day"]: frozenset(row["users"]) for row in found if row["id"] == task_id},
        )
        for task_id, on in sorted(days.items())
    ]


def ask_regressions_together(
    database: RememberingDatabase, team_ids: Collection[int], period: Mapping[str, date]
) -> None:
    """Ask for the regressions of several teams at once: what is asked of one is known then."""
    database.ask_together(REGRESSIONS, team_ids, **period)
