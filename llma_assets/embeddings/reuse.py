"""Stored vectors that can be reused: of the same text by the same model, for any theme, item or day.

The text of a summary belongs in `compose`, storing vectors in `partition`.
"""

from collections.abc import Collection, Sequence

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.embeddings.queries import DELETE_EMBEDDINGS_OF_LATER_DAYS, KNOWN_VECTORS, MOVED_HERE, PRODUCT
from llma_assets.models import Embedder
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

REMEMBERED_DAYS = 31
"""Vectors are reused, and moved items are recognised, this many days before and after a day."""

_IDS_AT_ONCE = 500


def known_vectors(
    database: Database, team_day: TeamDay, embedder: Embedder, content_hashes: Collection[str]
) -> dict[str, Sequence[float]]:
    """The stored vectors (d,) of a team by the hash of their text."""
    return {
        row["content_hash"]: row["embedding"]
        for some in chunked(sorted(set(content_hashes)), _IDS_AT_ONCE)
        for row in database.rows(
            KNOWN_VECTORS,
            team_id=team_day.team_id,
            product=PRODUCT,
            model_name=embedder.name,
            content_hashes=some,
            **{"from": team_day.back(REMEMBERED_DAYS).day, "until": team_day.back(-REMEMBERED_DAYS).day},
        )
        if embedder.dimension in (None, len(row["embedding"]))
    }


def delete_later_days(database: Database, team_day: TeamDay, theme: Theme) -> int:
    """Delete vectors under later days of items that moved to this day (a late event can move an item).

    Returns:
        how many items moved.
    """
    where = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "last_day": team_day.back(-REMEMBERED_DAYS).day,
        "product": PRODUCT,
        "document_type": theme.document_type,
        "rendering": theme.rendering,
    }
    moved = [row["document_id"] for row in database.rows(MOVED_HERE, **where)]
    for document_ids in chunked(moved, _IDS_AT_ONCE):
        database.execute(DELETE_EMBEDDINGS_OF_LATER_DAYS, **where, document_ids=document_ids)
    return len(moved)
