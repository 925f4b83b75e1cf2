"""When a task is labelled, from which segments, and how deferred labels are asked for again.

Prompts and answers belong in `labelling`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.models import FAILURES_IN_A_ROW, ChatModel, ModelHealth, ModelUnavailable, Record
from llma_assets.tasks import task_queries
from llma_assets.tasks.changes import Group, GrowingTask, TaskOptions
from llma_assets.tasks.history import Lifecycle, change_row
from llma_assets.tasks.labelling import DEFERRED, SHOWN_SEGMENTS, error_on_sample, label_group
from llma_assets.tasks.matching import cosine_distance, unit
from llma_assets.tasks.states import read_lifecycles, read_tasks, version_row
from llma_assets.tasks.vectors import read_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS_FAILED = "task_labels_failed"

CONCURRENT_LABELS = 5
"""Concurrent calls for labels."""

MAX_DEFERRED_LABELS = 100
"""Deferred labels that one pass asks for, at most."""


@dataclass(frozen=True, slots=True)
class DeferredLabels:
    """Deferred labels: how many were asked for, and how many of these failed again."""

    asked: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class NearestSegments:
    """The stored segments nearest to a task's centroid: descriptions, and vectors (n, d)."""

    texts: Sequence[str]
    vectors: "NDArray[np.float32]"


NO_SEGMENTS = NearestSegments((), np.empty((0, 0), dtype=np.float32))


def needs_label(task: GrowingTask, options: TaskOptions) -> bool:
    """Whether a task has changed enough since its last label, or has none, or one that failed."""
    seen = task.labelled_segments
    if task.label.error or task.segments >= options.label_growth * seen:
        return True
    return cosine_distance(task.centroid, task.labelled_centroid) > options.label_shift


def relabel(
    database: Database,
    team_id: int,
    task: GrowingTask,
    groups: Sequence[Group],
    before: NearestSegments,
    chat: ChatModel,
    record: Record,
) -> None:
    """Label a task in place, from the segments nearest to its centroid: of `groups`, and of those it had `before`.

    Raises:
        ModelConfigurationError: every further call would fail too.
    """
    texts = [*(text for group in groups for text in group.texts), *before.texts]
    parts = [*(group.vectors for group in groups), *([before.vectors] if before.texts else [])]
    if not texts:
        return
    order = np.argsort(1 - unit(np.concatenate(parts)) @ unit(task.centroid[None])[0], kind="stable").tolist()
    present = "" if task.label.error else task.label.title
    label = label_group(
        database, team_id, chat, [texts[index] for index in order], present_title=present, record=record
    )
    if label.error and task.label.title:
        label = replace(task.label, error=label.error)  # an older title is better than none; the next pass asks again
    task.label = label
    task.labelled_segments, task.labelled_centroid = task.segments, task.centroid


def label_tasks(
    database: Database,
    team_id: int,
    assignments: Sequence[tuple[GrowingTask, list[Group]]],
    chat: ChatModel,
    model_name: str,
    options: TaskOptions,
    record: Record,
) -> set[UUID]:
    """Label the tasks that need it; returns their ids.

    Raises:
        NothingUsable: no answer of the model is usable, for the sample neither.
        ModelConfigurationError: no call can succeed; no further call is started.
    """
    wanted = [(task, groups) for task, groups in assignments if needs_label(task, options)]
    dimension = len(assignments[0][0].centroid) if assignments else 0
    known = [task.task_id for task, _ in wanted if not task.is_new]
    before = _nearest(database, team_id, known, model_name, dimension)
    pool = ThreadPoolExecutor(CONCURRENT_LABELS, thread_name_prefix="task-labels")
    try:
        for some in (wanted[:FAILURES_IN_A_ROW], wanted[FAILURES_IN_A_ROW:]):
            calls = [
                pool.submit(
                    relabel, database, team_id, task, groups, before.get(task.task_id, NO_SEGMENTS), chat, record
                )
                for task, groups in some
            ]
            for call in calls:
                call.result()
            if some and all(_has_failed(task) for task, _ in wanted[: len(some)]):
                _check_sample(chat, record, len(some), len(wanted))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return {task.task_id for task, _ in wanted}


def _has_failed(task: GrowingTask) -> bool:
    """Whether a model answered about a task, but not usably."""
    return bool(task.label.error) and not task.label.error.startswith(DEFERRED)


def _check_sample(chat: ChatModel, record: Record, failures: int, labels: int) -> None:
    """After failures only, go on only if the sample gets a usable label.

    Raises:
        NothingUsable: it does not.
    """
    try:
        flaw = error_on_sample(chat, record)
    except ModelUnavailable:
        return
    if flaw is not None:
        raise ModelHealth().fault(chat.name, "", failures, flaw).of(labels, skip_reason=LABELS_FAILED)


def label_deferred(
    database: Database, team_id: int, chat: ChatModel, *, now: datetime, record: Record
) -> DeferredLabels:
    """Label tasks with deferred labels, up to `MAX_DEFERRED_LABELS`.

    The present version of a task is replaced under its own key, so that no watermark has to move.
    """
    lives = read_lifecycles(database, team_id)
    key = {"team_id": team_id, "pipeline": task_queries.PIPELINE, "deferred": DEFERRED}
    rows = database.rows(task_queries.UNLABELLED_TASKS, **key, most=MAX_DEFERRED_LABELS)
    if not rows:
        return DeferredLabels()
    # Only tasks of one dimension, that of the largest task; others come in a later pass.
    model_name, dimension = rows[0]["embedding_model"], rows[0]["dimension"]
    wanted = {
        row["task_id"]
        for row in rows
        if row["dimension"] == dimension and not lives.get(row["task_id"], Lifecycle()).merged_into
    }
    asked = failed = 0
    before = _nearest(database, team_id, [UUID(task_id) for task_id in sorted(wanted)], model_name, dimension)
    for task in read_tasks(database, team_id, model_name, dimension):
        if str(task.task_id) not in wanted or task.written_by is None:
            continue
        relabel(database, team_id, task, [], before.get(task.task_id, NO_SEGMENTS), chat, record)
        asked += 1
        if task.label.error:
            failed += 1
            continue
        change = change_row(team_id, task.task_id, changed_at=now, change="labelled", detail=task.label.title)
        database.insert_rows("task_history", [change])
        row = version_row(team_id, task, model_name, written_by=task.written_by)
        database.insert_rows("task_versions", [row])
    return DeferredLabels(asked, failed)


def _nearest(
    database: Database, team_id: int, task_ids: Sequence[UUID], model_name: str, dimension: int
) -> dict[UUID, NearestSegments]:
    """The nearest segments of these tasks, read together."""
    found: dict[UUID, NearestSegments] = {}
    for some in chunked(task_ids, 200):
        rows = database.rows(
            task_queries.NEAREST_SEGMENTS,
            team_id=team_id,
            pipeline=task_queries.PIPELINE,
            task_ids=some,
            most=SHOWN_SEGMENTS,
        )
        wanted = [row["document_id"] for row in rows]
        ids, texts, vectors = read_vectors(database, team_id, model_name, wanted, dimension=dimension)
        place = {document_id: index for index, document_id in enumerate(ids)}
        indexes: dict[UUID, list[int]] = {}
        for row in rows:
            if row["document_id"] in place:
                indexes.setdefault(UUID(row["id"]), []).append(place[row["document_id"]])
        found |= {key: NearestSegments([texts[index] for index in own], vectors[own]) for key, own in indexes.items()}
    return found
