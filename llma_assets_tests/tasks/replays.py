"""Small replays for tests: segments with vectors of known places, written straight into the embeddings table."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from llma_assets.clickhouse import Database
from llma_assets.tasks import Segment
from llma_assets.tasks.segment_queries import DOCUMENT_TYPE, PRODUCT, RENDERING
from llma_assets.tasks.segments import metadata_of

MODEL = "test/places"
DIMENSION = 16
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


def place(number: int, *, shift: float = 0.0, toward: int = DIMENSION - 1) -> list[float]:
    """A vector in the direction of an axis, `shift` of the way toward another."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[number] = 1.0
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


def write(
    database: Database,
    pairs: Iterable[tuple[Segment, Sequence[float]]],
    *,
    arrived: datetime | None = None,
    model: str = MODEL,
    **columns: Any,
) -> list[str]:
    """Store segments as another pipeline would; returns their ids."""
    rows = [
        {
            "team_id": each.team_id,
            "product": PRODUCT,
            "document_type": DOCUMENT_TYPE,
            "model_name": model,
            "rendering": RENDERING,
            "document_id": each.document_id,
            "timestamp": each.start,
            "inserted_at": arrived or each.end,
            "content": each.description,
            "metadata": metadata_of(each),
            "embedding": list(vector),
            **columns,
        }
        for each, vector in pairs
    ]
    database.insert_rows("document_embeddings", rows)
    return [row["document_id"] for row in rows]
