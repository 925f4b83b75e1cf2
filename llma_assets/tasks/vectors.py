"""Reads stored segments: vectors, models and counts. Statements belong in `segment_queries`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.tasks import segment_queries
from llma_assets.tasks.segments import MAX_DESCRIPTION

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IDS_AT_ONCE = 1_000
"""Ids in one query parameter, which may have 128 KiB."""


def space_key(team_id: int, model_name: str) -> dict[str, Any]:
    """The parameters that select a team's segments of one model."""
    return {
        "team_id": team_id,
        "product": segment_queries.PRODUCT,
        "document_type": segment_queries.DOCUMENT_TYPE,
        "rendering": segment_queries.RENDERING,
        "model_name": model_name,
    }


def other_spaces(database: Database, team_id: int, model_name: str) -> dict[str, int]:
    """How many of a team's segments belong to other models, by model; they are not grouped."""
    rows = database.rows(segment_queries.OTHER_SPACES, **space_key(team_id, model_name), since=EPOCH)
    return {row["model_name"]: row["segments"] for row in rows}


def segment_counts(database: Database, team_id: int) -> dict[str, int]:
    """Segments over the whole life of a team: processed, refused, in tasks."""
    (row,) = database.rows(segment_queries.SEGMENT_COUNTS, team_id=team_id)
    return dict(row)


def refused_segments(database: Database, team_id: int, *, most: int = 100) -> list[dict[str, Any]]:
    """Stored segments that could not be used, with the reason, the newest first."""
    return database.rows(segment_queries.REFUSED_SEGMENTS, team_id=team_id, most=most)


def matrix_of(column: "pa.ChunkedArray") -> "NDArray[np.float32]":
    """A column of lists of equal length as an array (n, d)."""
    values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    matrix: NDArray[np.float32] = values.astype(np.float32, copy=False).reshape(len(column), -1)
    return matrix


def usual_dimension(database: Database, team_id: int, model_name: str) -> int:
    """The dimension that most of a team's vectors have, 0 where there is none."""
    return int(database.value(segment_queries.USUAL_DIMENSION, **space_key(team_id, model_name)) or 0)


def read_vectors(
    database: Database, team_id: int, model_name: str, document_ids: Sequence[str], *, dimension: int
) -> "tuple[list[str], list[str], NDArray[np.float32]]":
    """Ids (sorted), descriptions and vectors, float32 (n, dimension), of stored segments.

    Missing segments, and those without a vector of this dimension, are left out.
    """
    ids: list[str] = []
    texts: list[str] = []
    parts: list[NDArray[np.float32]] = []
    for chunk in chunked(sorted(document_ids), IDS_AT_ONCE):
        table = database.arrow(
            segment_queries.SEGMENT_VECTORS,
            **space_key(team_id, model_name),
            document_ids=list(chunk),
            dimension=dimension,
            most_content=MAX_DESCRIPTION,
        ).combine_chunks()
        if table.num_rows == 0:
            continue
        ids += table["document_id"].to_pylist()
        texts += table["description"].to_pylist()
        parts.append(matrix_of(table["embedding"]))
    return ids, texts, np.concatenate(parts) if parts else np.empty((0, dimension), dtype=np.float32)
