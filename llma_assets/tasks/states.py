"""Batches, groups and tasks as they are stored, to and from what `updates` works with. Decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries, task_queries
from llma_assets.tasks.batches import OtherSpaceError
from llma_assets.tasks.changes import Group, GrowingTask
from llma_assets.tasks.history import Lifecycle, lifecycles
from llma_assets.tasks.labelling import Label
from llma_assets.tasks.matching import unit
from llma_assets.tasks.vectors import matrix_of, read_vectors

MAX_LOST = 1_000
"""Lost segments that are read at once, at most."""


@dataclass(slots=True)
class TaskStates:
    """A team's tasks after some pass, kept between the batches of a run.

    Attributes:
        pass_id: the pass; "" before any.
        dimension: of the tasks' centroids.
        tasks: in order of their ids.
    """

    pass_id: str = ""
    dimension: int = 0
    tasks: list[GrowingTask] = field(default_factory=list)


def last_pass(database: Database, team_id: int) -> tuple[int, str]:
    """The last processed batch, and the pass over it; 0 and "" before the first."""
    row = next(iter(database.rows(task_queries.LAST_PASS, team_id=team_id, pipeline=task_queries.PIPELINE)), None)
    return (int(row["position"]), str(row["pass_id"])) if row else (0, "")


def read_groups(database: Database, team_id: int, batch: Mapping[str, Any]) -> list[Group]:
    """The groups of a clustered batch, including single segments of high impact, in order of their numbers.

    Lost segments of earlier batches are added. A member without a comparable vector stays in its group; a group without
    any vector is left out.
    """
    rows = database.rows(
        segment_queries.MEMBERS_OF_BATCH, team_id=team_id, batch_id=batch["batch_id"], attempt_id=batch["attempt_id"]
    )
    rows += database.rows(
        task_queries.SEGMENTS_WITHOUT_TASK, team_id=team_id, pipeline=task_queries.PIPELINE, most=MAX_LOST
    )
    wanted = [row["document_id"] for row in rows]
    ids, texts, vectors = read_vectors(
        database, team_id, batch["embedding_model"], wanted, dimension=batch["dimension"]
    )
    place = {document_id: index for index, document_id in enumerate(ids)}
    by_number: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in rows:
        by_number.setdefault((-row.get("batch_id", batch["batch_id"]), row["cluster_no"]), []).append(row)
    groups = []
    for _, members in sorted(by_number.items()):
        indexes = [place[member["document_id"]] for member in members if member["document_id"] in place]
        if not indexes:
            continue
        own = vectors[indexes]
        groups.append(Group(members, [texts[index] for index in indexes], own, unit(own).mean(axis=0)))
    return groups


def read_tasks(database: Database, team_id: int, model_name: str, dimension: int) -> list[GrowingTask]:
    """A team's present tasks of one dimension, in order of their ids.

    Raises:
        OtherSpaceError: their centroids are of another model than `model_name`.
    """
    table = database.arrow(
        task_queries.TASK_STATES, team_id=team_id, pipeline=task_queries.PIPELINE, dimension=dimension
    )
    if table.num_rows == 0:
        return []
    centroids, labelled = matrix_of(table["centroid"]), matrix_of(table["labelled_centroid"])
    rows = table.drop_columns(["centroid", "labelled_centroid"]).to_pylist()
    others = {row["embedding_model"] for row in rows} - {model_name}
    if others:
        named = ", ".join(sorted(others))
        raise OtherSpaceError(
            f"tasks of team {team_id} use vectors of {named}, which cannot be compared with those of {model_name}"
        )
    found = [
        GrowingTask(
            UUID(row["task_id"]),
            Label(
                row["title"],
                row["description"],
                row["label_model"],
                {"yes": True, "no": False}.get(row["actionable"]),
                row["actionable_reason"],
                row["label_error"],
            ),
            row["labelled_segments"],
            labelled[index],
            row["segments"],
            centroids[index],
            written_by=(row["batch_id"], UUID(row["pass_id"])),
        )
        for index, row in enumerate(rows)
    ]
    return sorted(found, key=lambda task: str(task.task_id))


def last_seen(database: Database, team_id: int, lives: Mapping[str, Lifecycle]) -> dict[str, datetime]:
    """The last occurrence of each task, merged ones included, by its id."""
    merges = {task_id: lifecycle.merged_into for task_id, lifecycle in lives.items() if lifecycle.merged_into}
    rows = database.rows(
        task_queries.TASK_FACTS, team_id=team_id, pipeline=task_queries.PIPELINE, **merge_parameters(merges)
    )
    return {row["id"]: row["last_seen"] for row in rows}


def read_lifecycles(database: Database, team_id: int) -> dict[str, Lifecycle]:
    """The lifecycle of each of a team's tasks, by its id."""
    return lifecycles(database.rows(task_queries.LIFECYCLE_CHANGES, team_id=team_id, pipeline=task_queries.PIPELINE))


def merge_parameters(merges: Mapping[str, str]) -> dict[str, list[str]]:
    """The merges as the two lists of a statement; never empty, because `transform` takes no empty list."""
    return {"merged": ["", *merges], "into": ["", *merges.values()]}


def version_row(team_id: int, task: GrowingTask, model_name: str, *, written_by: tuple[int, UUID]) -> dict[str, Any]:
    """The row of `task_versions` for a task; `written_by` is the batch and the pass over it."""
    label = task.label
    batch_id, pass_id = written_by
    return {
        "team_id": team_id,
        "task_id": task.task_id,
        "batch_id": batch_id,
        "pass_id": pass_id,
        "title": label.title,
        "description": label.description,
        "label_model": label.model,
        "label_error": label.error,
        "actionable": {True: "yes", False: "no", None: ""}[label.actionable],
        "actionable_reason": label.reason,
        "labelled_segments": task.labelled_segments,
        "labelled_centroid": task.labelled_centroid.tolist(),
        "segments": task.segments,
        "centroid": task.centroid.tolist(),
        "embedding_model": model_name,
        "dimension": len(task.centroid),
    }
