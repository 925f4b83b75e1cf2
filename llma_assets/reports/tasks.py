"""Reports of a team's tasks. Making tasks belongs in `llma_assets.tasks`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from llma_assets.clickhouse import Database
from llma_assets.serialization import Moment, Rounded, TeamId
from llma_assets.summaries import summaries_of_items
from llma_assets.tasks import Task, TaskOptions, list_tasks, task_history, task_segments

REACH = timedelta(days=30)
"""So far before a cluster's day its members' titles are looked for."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Some tasks of a team, the most urgent first.

    Attributes:
        tasks: those that are shown.
        hidden: how many are left out because of their status, priority or text.
    """

    team_id: TeamId
    tasks: tuple[Task, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class TaskSegment:
    """A segment of a session replay that is part of a task.

    Attributes:
        session_id, start, end, distinct_id: session, time and user.
        distance: distance to the centroid of the task.
        failure, confusion, abandonment: flags from its description.
        impact: 0 to 1.
    """

    session_id: str
    start: Moment
    end: Moment
    distinct_id: str
    distance: Rounded
    failure: bool
    confusion: bool
    abandonment: bool
    impact: Rounded


@dataclass(frozen=True, slots=True)
class TaskTrace:
    """A typical member of the cluster that a task was made of.

    Attributes:
        item_id: the trace or model call.
        title: of its summary, "" where that is not stored any more.
    """

    item_id: str
    title: str


@dataclass(frozen=True, slots=True)
class TaskChange:
    """One thing that happened to a task, or to one that is part of it."""

    task_id: str
    changed_at: Moment
    change: str
    status: str
    detail: str
    target: str
    changed_by: str


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """A task with its newest segments, or the traces that show it, and its history, oldest first."""

    team_id: TeamId
    task: Task
    segments: tuple[TaskSegment, ...]
    history: tuple[TaskChange, ...]
    traces: tuple[TaskTrace, ...] = ()

    @model_serializer(mode="wrap")
    def _flat(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The task's own keys stand beside the others."""
        document: dict[str, Any] = {}
        for key, value in serialized(self).items():
            document |= value if key == "task" else {key: value}
        return document


@dataclass(frozen=True, slots=True)
class SegmentCounts:
    """Segments of a team over its whole life: processed, refused, in tasks."""

    processed: int
    refused: int
    in_tasks: int


@dataclass(frozen=True, slots=True)
class SegmentsRun:
    """The outcome of `llma segments run`.

    Attributes:
        status: `done`, `failed`, or `skipped` for a team on the skip list.
        reason, error: why it was skipped, what failed; "" for none.
        dagster_run: id of the run that Dagster recorded.
        tasks: those that are not ignored.
    """

    team_id: TeamId
    status: str
    reason: str
    error: str
    dagster_run: str
    segments: SegmentCounts
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class RefusedSegment:
    """A stored segment that could not be used, and why."""

    document_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedSegments:
    """Stored segments of a team that could not be used, the newest first."""

    team_id: TeamId
    refused: tuple[RefusedSegment, ...]


def tasks_report(
    database: Database,
    team_id: int,
    *,
    now: datetime,
    options: TaskOptions,
    statuses: Collection[str] = (),
    given_priority: str | None = None,
    search: str = "",
    limit: int | None = None,
) -> Tasks:
    """The tasks of a team, the most urgent first.

    Args:
        now: the time of the priorities.
        options: of the team's tasks.
        statuses: only these; all if empty.
        given_priority: only tasks of which people said this; "" for those of which they said nothing, None for all.
        search: only those with this text in their title or description, whatever its case.
        limit: maximum number; tasks beyond it do not count as hidden.
    """
    found, text = list_tasks(database, team_id, now=now, options=options), search.casefold()
    chosen = [
        task
        for task in found
        if (not statuses or task.status in statuses)
        and given_priority in (None, task.given_priority)
        and text in f"{task.title}\n{task.description}".casefold()
    ]
    return Tasks(team_id, tuple(chosen[:limit]), len(found) - len(chosen))


def task_details(database: Database, team_id: int, task: Task, *, segments: int) -> TaskDetails:
    """A task with its newest segments and its history.

    Args:
        segments: maximum number of segments.
    """
    return TaskDetails(
        team_id=team_id,
        task=task,
        segments=tuple(
            TaskSegment(
                session_id=row["session_id"],
                start=row["segment_start"],
                end=row["segment_end"],
                distinct_id=row["distinct_id"],
                distance=row["distance"],
                failure=row["failure"],
                confusion=row["confusion"],
                abandonment=row["abandonment"],
                impact=row["impact"],
            )
            for row in (task_segments(database, team_id, task, most=segments) if segments else ())
        ),
        history=tuple(
            TaskChange(
                task_id=row["task_id"],
                changed_at=row["changed_at"],
                change=row["change"],
                status=row["status"],
                detail=row["detail"],
                target=row["target"],
                changed_by=row["changed_by"],
            )
            for row in task_history(database, team_id, task)
        ),
        traces=_traces(database, team_id, task),
    )


def _traces(database: Database, team_id: int, task: Task) -> tuple[TaskTrace, ...]:
    if task.cluster_day is None or not task.item_ids:
        return ()
    rows = summaries_of_items(
        database, team_id, task.theme_id, task.item_ids, first_day=task.cluster_day - REACH, last_day=task.cluster_day
    )
    titles = {row["item_id"]: str(row["title"]) for row in rows}
    return tuple(TaskTrace(item_id, titles.get(item_id, "")) for item_id in task.item_ids)
