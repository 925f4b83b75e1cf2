"""Segments of session replays with vectors of known places, stored as another pipeline would store them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from llma_assets.clickhouse import Database
from llma_assets.tasks import Segment, segment_row

MODEL = "test/places"
"""The embedding model that segments are stored under."""

DIMENSION = 16
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


def axis_vector(axis: int, *, shift: float = 0.0, toward: int = DIMENSION - 1) -> list[float]:
    """A vector in the direction of an axis, `shift` of the way toward another; axes are at right angles.

    >>> axis_vector(1, shift=0.25)[:3], axis_vector(1, shift=0.25)[-1]
    ([0.0, 1.0, 0.0], 0.25)
    """
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[axis] = 1.0
    vector[toward] += shift
    return [float(value) for value in vector]


def segment(
    session: str,
    description: str = "The user met an error",
    *,
    team_id: int = 1,
    user: str = "",
    start: datetime = MONDAY,
) -> Segment:
    """A segment of ten seconds; the user is the session's own unless named."""
    return Segment(team_id, session, start, start + timedelta(seconds=10), user or f"user-of-{session}", description)


def similar_segments(
    prefix: str,
    axis: int,
    *,
    count: int = 3,
    start: datetime = MONDAY,
    team_id: int = 1,
    text: str = "An error came",
    shift: float = 0.0,
    toward: int = DIMENSION - 1,
) -> list[tuple[Segment, list[float]]]:
    """Segments of different users that say nearly the same, with their vectors, near one axis.

    >>> [(one.session_id, one.description) for one, _ in similar_segments("login", 0, count=2, text="No e-mail")]
    [('login0', 'No e-mail (0)'), ('login1', 'No e-mail (1)')]
    """
    return [
        (
            segment(f"{prefix}{number}", f"{text} ({number})", team_id=team_id, start=start),
            axis_vector(axis, shift=shift + 0.01 * number, toward=toward),
        )
        for number in range(count)
    ]


def write_segments(
    database: Database,
    pairs: Iterable[tuple[Segment, Sequence[float]]],
    *,
    arrived: datetime | None = None,
    model: str = MODEL,
    **columns: Any,
) -> list[str]:
    """Store segments with their vectors, and return their ids.

    Args:
        arrived: when they came in; each at its own end unless it is given.
        columns: columns of `document_embeddings` that are to hold something else.
    """
    rows = [
        {**segment_row(each, model, vector), "inserted_at": arrived or each.end, **columns} for each, vector in pairs
    ]
    database.insert_rows("document_embeddings", rows)
    return [row["document_id"] for row in rows]
