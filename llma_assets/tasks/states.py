"""Batches, groups and tasks as they are stored, to and from what `updates` works with. Decides nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np

from llma_assets.clickhouse import Database
from llma_assets.tasks import queries
from llma_assets.tasks.changes import Group, GrowingTask
from llma_assets.tasks.labelling import Label
from llma_assets.tasks.matching import unit
from llma_assets.tasks.vectors import read_vectors


def position_of(database: Database, team_id: int) -> int:
    """The last batch whose tasks are done; 0 before the first."""
    return int(database.value(queries.POSITION, team_id=team_id, pipeline=queries.PIPELINE) or 0)


def read_groups(database: Database, team_id: int, batch: Mapping[str, Any]) -> list[Group]:
    """The groups of a clustered batch, noise that hurts among them, in order of their numbers."""
    rows = database.rows(
        queries.MEMBERS_OF_BATCH, team_id=team_id, batch_id=batch["batch_id"], attempt_id=batch["attempt_id"]
    )
    wanted = [row["document_id"] for row in rows]
    ids, texts, vectors = read_vectors(database, team_id, batch["embedding_model"], wanted)
    place = {document_id: index for index, document_id in enumerate(ids)}
    by_number: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        if row["document_id"] in place:
            by_number.setdefault(row["cluster_no"], []).append(row)
    groups = []
    for _, members in sorted(by_number.items()):
        indexes = [place[member["document_id"]] for member in members]
        own = vectors[indexes]
        groups.append(Group(members, [texts[index] for index in indexes], own, unit(own).mean(axis=0)))
    return groups


def read_tasks(database: Database, team_id: int) -> list[GrowingTask]:
    """A team's tasks as the batches that are done left them, in order of their ids."""
    return [
        GrowingTask(
            row["task_id"],
            Label(
                row["title"],
                row["description"],
                row["label_model"],
                {"yes": True, "no": False}.get(row["actionable"]),
                row["actionable_reason"],
                row["label_error"],
            ),
            row["labelled_segments"],
            np.asarray(row["labelled_centroid"], dtype=np.float32),
            row["segments"],
            np.asarray(row["centroid"], dtype=np.float32),
        )
        for row in database.rows(queries.TASK_STATES, team_id=team_id, pipeline=queries.PIPELINE)
    ]


def last_seen(database: Database, team_id: int) -> dict[str, datetime]:
    """When each task was last met, by its id; merges do not count here."""
    rows = database.rows(queries.TASK_FACTS, team_id=team_id, pipeline=queries.PIPELINE, merged=[""], into=[""])
    return {row["id"]: row["last_seen"] for row in rows}


def version_row(team_id: int, task: GrowingTask, batch: Mapping[str, Any], pass_id: UUID) -> dict[str, Any]:
    """The row of `task_versions` that a batch leaves of a task."""
    label = task.label
    return {
        "team_id": team_id,
        "task_id": task.task_id,
        "batch_id": batch["batch_id"],
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
        "embedding_model": batch["embedding_model"],
        "dimension": batch["dimension"],
    }
