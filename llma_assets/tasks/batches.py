"""Groups new segments batch by batch, for the asset `segment_clusters`.

A batch is committed by its row in `segment_batches`, which names the attempt; rows of a killed run without it are
ignored. What groups become belongs in `updates`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries
from llma_assets.tasks.first_commit import commit_batch
from llma_assets.tasks.grouping import NOISE, group_segments
from llma_assets.tasks.impact import HIGH_IMPACT
from llma_assets.tasks.matching import MATCH_DISTANCE, unit
from llma_assets.tasks.segments import MAX_DESCRIPTION, MAX_METADATA
from llma_assets.tasks.usable_segments import UsableSegment, held_segment, member_row, usable_segments
from llma_assets.tasks.vectors import EPOCH, IDS_AT_ONCE, read_vectors, space_key, usual_dimension

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)
NAMESPACE = UUID("0d2b6f0a-5f53-5d0e-9f0c-2f6f0d6a7c41")


class OtherSpaceError(ValueError):
    """Segments of another embedding model than that of the team's tasks cannot be compared with them."""


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How segments are read and held.

    Attributes:
        batch_segments: segments in one batch at most, so that memory is bounded.
        overlap: how far back arrivals are read again, because a row can become visible later than its time of
            insertion says.
        hold: how long noise of low impact waits for similar segments.
        held_segments: of these, the newest so many are compared.
    """

    batch_segments: int = 4_000
    overlap: timedelta = timedelta(minutes=10)
    hold: timedelta = timedelta(days=14)
    held_segments: int = 20_000


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Counts of one pass over new segments.

    Attributes:
        batches: committed ones.
        segments: new segments, refused ones included.
        groups: groups of two or more.
        singles: noise of high impact, which becomes a task by itself.
        held: noise that waits for similar segments.
        recalled: held segments that are in a group now.
        refused: segments that cannot be used, by reason.
    """

    batches: int = 0
    segments: int = 0
    groups: int = 0
    singles: int = 0
    held: int = 0
    recalled: int = 0
    refused: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def cluster_new_segments(
    database: Database,
    team_id: int,
    *,
    model_name: str,
    now: datetime,
    options: BatchOptions = BatchOptions(),
    progress: Callable[[int], None] = lambda _segments: None,
) -> BatchCounts:
    """Group all segments that have arrived, a batch at a time; each batch is committed by itself.

    Args:
        model_name: the embedding model; segments of other models are ignored.
        now: the present time; it limits times of segments and how long they are held.
        progress: gets the number of segments done so far.

    Returns:
        the counts; all zeros if there were no segments.

    Raises:
        OtherSpaceError: the team's earlier segments are of another model.
    """
    total = BatchCounts()
    while (counts := _cluster_batch(database, team_id, model_name, now, options)) is not None:
        total += counts
        progress(total.segments)
    return total


def _cluster_batch(
    database: Database, team_id: int, model_name: str, now: datetime, options: BatchOptions
) -> BatchCounts | None:
    """Group the next batch; None if nothing is new, all zeros if another run committed the batch first."""
    last = next(iter(database.rows(segment_queries.LAST_BATCH, team_id=team_id)), None)
    done_id = last["batch_id"] if last else 0
    arrived_until = last["arrived_until"] if last else EPOCH
    rows = _new_rows(database, team_id, model_name, max(arrived_until - options.overlap, EPOCH), options.batch_segments)
    if not rows:
        return None
    if last and last["embedding_model"] != model_name:
        raise OtherSpaceError(
            f"the tasks of team {team_id} use vectors of the model {last['embedding_model']}, which cannot be compared "
            f"with those of {model_name}. Set LLMA_EMBEDDING_MODEL={last['embedding_model']}, and embed the new "
            "segments with it"
        )
    dimension = usual_dimension(database, team_id, model_name)
    usable, refused = usable_segments(team_id, rows, dimension, now)
    ids, _, vectors = read_vectors(
        database, team_id, model_name, [each.document_id for each in usable], dimension=dimension
    )
    by_id = {each.document_id: each for each in usable}
    held = _recall_held(database, team_id, model_name, vectors, now, options)
    segments = [by_id[document_id] for document_id in ids] + [each for each, _ in held]
    points = np.concatenate([vectors, *(vector[None] for _, vector in held)]) if held else vectors
    labels = group_segments(points) if len(points) else np.empty(0, dtype=np.intp)
    members, counts = _members(segments, points, labels, first_recalled=len(ids))
    # New for each attempt: another one on the same segments may have seen other held segments, and must not replace
    # these rows.
    key = {"team_id": team_id, "batch_id": done_id + 1, "attempt_id": uuid4()}
    for chunk in chunked([{**key, **row} for row in (*members, *refused)], 2_000):
        database.insert_rows("segment_members", chunk)
    is_ours = commit_batch(
        database,
        {
            **key,
            "segments": len(rows),
            "clusters": counts.groups,
            "held": counts.held,
            "refused": len(refused),
            "recalled": counts.recalled,
            # A row with a time of insertion in the future must not hide rows that arrive until then.
            "arrived_until": max(arrived_until, min(now, max(row["arrived_at"] for row in rows))),
            "embedding_model": model_name,
            "dimension": dimension,
        },
    )
    return counts + BatchCounts(batches=1, segments=len(rows), refused=len(refused)) if is_ours else BatchCounts()


def _new_rows(database: Database, team_id: int, model_name: str, since: datetime, most: int) -> list[dict[str, Any]]:
    """The rows of the next batch without vectors, in order of their ids."""
    key = space_key(team_id, model_name)
    arrived = {
        row["document_id"]: row["arrived_at"]
        for row in database.rows(segment_queries.NEW_SEGMENTS, **key, since=since, most=most)
    }
    return [
        {**row, "arrived_at": arrived[row["document_id"]]}
        for some in chunked(sorted(arrived), IDS_AT_ONCE)
        for row in database.rows(
            segment_queries.SEGMENT_ROWS,
            **key,
            document_ids=some,
            most_content=MAX_DESCRIPTION + 1,
            most_metadata=MAX_METADATA,
        )
    ]


def _recall_held(
    database: Database,
    team_id: int,
    model_name: str,
    vectors: "NDArray[np.float32]",
    now: datetime,
    options: BatchOptions,
) -> "list[tuple[UsableSegment, NDArray[np.float32]]]":
    """Held segments that are close to a new one, with their vectors, in order of their ids."""
    if not len(vectors):
        return []
    waiting = {
        row["document_id"]: row
        for row in database.rows(
            segment_queries.HELD_SEGMENTS, team_id=team_id, since=now - options.hold, most=options.held_segments
        )
    }
    new = unit(vectors)
    found: list[tuple[UsableSegment, NDArray[np.float32]]] = []
    for chunk in chunked(sorted(waiting), IDS_AT_ONCE):
        ids, texts, held = read_vectors(database, team_id, model_name, chunk, dimension=new.shape[1])
        if not len(held):
            continue
        near = (unit(held) @ new.T).max(axis=1) > 1 - MATCH_DISTANCE
        found += [
            (held_segment(team_id, waiting[ids[index]], texts[index]), held[index])
            for index in np.flatnonzero(near).tolist()
        ]
    return found


def _members(
    segments: Sequence[UsableSegment],
    points: "NDArray[np.float32]",
    labels: "NDArray[np.intp]",
    *,
    first_recalled: int,
) -> tuple[list[dict[str, Any]], BatchCounts]:
    """A row for each new segment, and for each recalled one that is in a group now."""
    groups = int(labels.max()) + 1 if len(labels) else 0
    unit_points = unit(points) if len(points) else points
    centres = [unit(unit_points[labels == group].mean(axis=0)[None])[0] for group in range(groups)]
    rows: list[dict[str, Any]] = []
    singles = held = recalled = 0
    for index, each in enumerate(segments):
        group, distance = int(labels[index]), 0.0
        if group != NOISE:
            status = "clustered"
            distance = max(0.0, float(1 - unit_points[index] @ centres[group]))
            recalled += index >= first_recalled
        elif index >= first_recalled:
            continue
        elif each.flags.impact > HIGH_IMPACT:
            status, group = "single", groups + singles
            singles += 1
        else:
            status = "held"
            held += 1
        rows.append(member_row(each, status, group, distance))
    return rows, BatchCounts(groups=groups, singles=singles, held=held, recalled=recalled)
