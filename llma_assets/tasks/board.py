"""Reads the tasks of a team for people: facts from links, status from history, priority at the present time.

Nothing is stored here, so a list is always up to date. Changes by people belong in `editing`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import PlainSerializer

from llma_assets.clickhouse import Database
from llma_assets.serialization import Moment, Rounded
from llma_assets.tasks import task_queries
from llma_assets.tasks.changes import TaskOptions
from llma_assets.tasks.cluster_tasks import cluster_task_rows, made_of_cluster
from llma_assets.tasks.history import GIVEN_PRIORITIES, Lifecycle, open_until
from llma_assets.tasks.impact import priority
from llma_assets.tasks.states import merge_parameters, read_lifecycles


@dataclass(frozen=True, slots=True)
class Task:
    """A recurring problem: of session replays, or one that somebody made of a cluster of traces.

    Attributes:
        task_id: its lasting id.
        title: a person's title, else the label's.
        description: what users tried, what happened, how to reproduce it.
        status: new, ongoing, resolved, regressed or ignored.
        priority: at the time of reading.
        user_count: distinct users over its whole life.
        occurrence_count: segments over its whole life; of a cluster, its traces when the task was made.
        mean_impact: of its segments, 0 to 1; of a cluster, the share of its items with an error.
        first_seen, last_seen: first moment of its first and last moment of its last segment.
        actionable: "yes" or "no" by the model, "" where keywords decide.
        reason: the model's reason.
        label_model: the model of title and description, "" where labelling failed.
        label_error: why it failed.
        merged: ids of the tasks that were made part of it.
        given_priority: what a person said of it: "high" comes before all others, "low" after; "" for nothing.
        revision: changes whenever what people decide about it does: its status, title, given priority or parts.
        theme_id, lineage_id: the cluster that it was made of, "" for one of session replays.
        cluster_day: the day whose figures of the cluster these are.
        item_ids: the cluster's most typical members on that day.
    """

    task_id: str
    title: str
    description: str
    status: str
    priority: Rounded
    user_count: int
    occurrence_count: int
    mean_impact: Rounded
    first_seen: Moment
    last_seen: Moment
    actionable: Annotated[str, PlainSerializer({"yes": True, "no": False}.get, return_type=bool | None)]
    reason: str
    label_model: str
    label_error: str
    merged: tuple[str, ...] = ()
    given_priority: str = ""
    revision: str = ""
    theme_id: str = ""
    lineage_id: str = ""
    cluster_day: date | None = None
    item_ids: tuple[str, ...] = ()


class UnknownTaskError(ValueError):
    """No task of the team has this id, or several ids begin so."""


def list_tasks(database: Database, team_id: int, *, now: datetime, options: TaskOptions = TaskOptions()) -> list[Task]:
    """A team's tasks, most urgent first; tasks that were merged into another are part of it."""
    key = {"team_id": team_id, "pipeline": task_queries.PIPELINE}
    lives = read_lifecycles(database, team_id)
    merges = {task_id: lifecycle.merged_into for task_id, lifecycle in lives.items() if lifecycle.merged_into}
    titles = {row["task_id"]: row for row in database.rows(task_queries.TASK_TITLES, **key)}
    facts = database.rows(task_queries.TASK_FACTS, **key, **merge_parameters(merges))
    tasks = [
        _task(row, titles[row["id"]], lives.get(row["id"], Lifecycle()), merges, now, options)
        for row in facts
        if row["id"] in titles
    ]
    tasks += [
        _cluster_task(row, lives.get(row["task_id"], Lifecycle()), now) for row in cluster_task_rows(database, team_id)
    ]
    return sorted(tasks, key=lambda task: (GIVEN_PRIORITIES.index(task.given_priority), -task.priority, task.task_id))


def find_task(tasks: Sequence[Task], wanted: str) -> Task:
    """The task whose id is, or alone begins with, `wanted`; the id of a merged task finds the task that it is part of.

    Raises:
        UnknownTaskError: none, or several.
    """
    text = wanted.strip().lower()
    found = [task for task in tasks if any(each.startswith(text) for each in (task.task_id, *task.merged))]
    if len(found) == 1 and text:
        return found[0]
    several = f"{wanted!r} matches several tasks, give more characters: {', '.join(task.task_id for task in found[:5])}"
    raise UnknownTaskError(several if found and text else f"the team has no task {wanted!r}; `llma tasks` lists them")


def task_history(database: Database, team_id: int, task: Task) -> list[dict[str, Any]]:
    """Every change of a task and of those that are part of it, oldest first."""
    ids = [task.task_id, *task.merged]
    made = [made_of_cluster(database, team_id, UUID(task.task_id))] if task.lineage_id else []
    return made + database.rows(
        task_queries.TASK_HISTORY, team_id=team_id, pipeline=task_queries.PIPELINE, task_ids=ids
    )


def task_segments(database: Database, team_id: int, task: Task, *, most: int = 100) -> list[dict[str, Any]]:
    """The newest segments of a task."""
    return database.rows(
        task_queries.SEGMENTS_OF_TASKS,
        team_id=team_id,
        pipeline=task_queries.PIPELINE,
        task_ids=[task.task_id, *task.merged],
        most=most,
    )


def task_days(database: Database, team_id: int, task: Task, first_day: date, last_day: date) -> list[dict[str, Any]]:
    """By day `sessions_in` and `users_in` of a task, and `sessions` and `users` of all replays that were looked at."""
    return database.rows(
        task_queries.TASK_BY_DAY,
        team_id=team_id,
        pipeline=task_queries.PIPELINE,
        task_ids=[task.task_id, *task.merged],
        **{"from": first_day, "until": last_day},
    )


def tasks_by_day(database: Database, team_id: int, first_day: date, last_day: date) -> dict[str, dict[date, int]]:
    """Segments of each task by the day on which they began, days without any left out; by the task's id."""
    lives = read_lifecycles(database, team_id)
    merges = {task_id: lifecycle.merged_into for task_id, lifecycle in lives.items() if lifecycle.merged_into}
    found: dict[str, dict[date, int]] = {}
    for row in database.rows(
        task_queries.SEGMENTS_BY_DAY,
        team_id=team_id,
        pipeline=task_queries.PIPELINE,
        **merge_parameters(merges),
        **{"from": first_day, "until": last_day},
    ):
        found.setdefault(row["id"], {})[row["day"]] = row["segments"]
    return found


def _task(
    facts: Mapping[str, Any],
    title: Mapping[str, Any],
    lifecycle: Lifecycle,
    merges: Mapping[str, str],
    now: datetime,
    options: TaskOptions,
) -> Task:
    last_seen: datetime = facts["last_seen"]
    is_quiet = now > open_until(lifecycle, last_seen, options.quiet, resolve_old=options.resolve_old)
    status = "resolved" if is_quiet and lifecycle.status != "ignored" else lifecycle.status
    parts = tuple(sorted(task_id for task_id, target in merges.items() if target == facts["id"]))
    return Task(
        task_id=facts["id"],
        title=lifecycle.title or title["title"],
        description=title["description"],
        status=status,
        priority=priority(users=facts["user_count"], mean_impact=facts["mean_impact"], last_seen=last_seen, now=now),
        user_count=facts["user_count"],
        occurrence_count=facts["occurrence_count"],
        mean_impact=facts["mean_impact"],
        first_seen=facts["first_seen"],
        last_seen=last_seen,
        actionable=title["actionable"],
        reason=title["actionable_reason"],
        label_model=title["label_model"],
        label_error=title["label_error"],
        merged=parts,
        given_priority=lifecycle.given_priority,
        revision=_revision(status, lifecycle, parts),
    )


def _cluster_task(row: Mapping[str, Any], lifecycle: Lifecycle, now: datetime) -> Task:
    """A task of a cluster: only people change its state, however quiet the cluster is."""
    return Task(
        task_id=row["task_id"],
        title=lifecycle.title or row["title"],
        description=row["description"],
        status=lifecycle.status,
        priority=priority(users=row["users"], mean_impact=row["error_share"], last_seen=row["last_seen"], now=now),
        user_count=row["users"],
        occurrence_count=row["traces"],
        mean_impact=row["error_share"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        actionable="",
        reason="",
        label_model="",
        label_error="",
        given_priority=lifecycle.given_priority,
        revision=_revision(lifecycle.status, lifecycle, ()),
        theme_id=row["theme_id"],
        lineage_id=row["lineage_id"],
        cluster_day=row["day"],
        item_ids=tuple(row["item_ids"]),
    )


def _revision(status: str, lifecycle: Lifecycle, parts: tuple[str, ...]) -> str:
    decided = (status, lifecycle.title, lifecycle.given_priority, parts)
    return hashlib.sha256(repr(decided).encode("utf-8", "surrogatepass")).hexdigest()[:12]
