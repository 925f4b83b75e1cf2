"""Stored vectors that can be reused: of the same text by the same model, for any theme, item or day.

The text of a summary belongs in `compose`, storing vectors in `partition`.
"""

from collections.abc import Collection, Sequence

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.embeddings.queries import (
    DELETE_EMBEDDINGS_OF_LATER_DAYS,
    KNOWN_VECTORS,
    MOVED_HERE,
    PRODUCT,
    spaces_of,
)
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
    first, last = team_day.back(REMEMBERED_DAYS).day, team_day.back(-REMEMBERED_DAYS).day
    if not database.may_hold("document_embeddings", team_day.team_id, first, last):
        return {}
    return {
        row["content_hash"]: row["embedding"]
        for some in chunked(sorted(set(content_hashes)), _IDS_AT_ONCE)
        for row in database.rows(
            KNOWN_VECTORS,
            team_id=team_day.team_id,
            product=PRODUCT,
            model_name=embedder.name,
            content_hashes=some,
            **{"from": first, "until": last},
        )
        if embedder.dimension in (None, len(row["embedding"]))
    }


def delete_later_days(database: Database, team_day: TeamDay, themes: Sequence[Theme]) -> dict[str, int]:
    """Delete vectors under later days of items that moved to this day (a late event can move an item).

    Returns:
        how many items of each theme moved, by its id.
    """
    where = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "last_day": team_day.back(-REMEMBERED_DAYS).day,
    }
    if not database.may_hold("document_embeddings", team_day.team_id, team_day.back(-1).day):
        return {theme.theme_id: 0 for theme in themes}
    moved: dict[str, list[str]] = {theme.rendering: [] for theme in themes}
    for row in database.rows(MOVED_HERE, **where, **spaces_of(themes)):
        moved[row["rendering"]].append(row["document_id"])
    for theme in themes:
        space = {"product": PRODUCT, "document_type": theme.document_type, "rendering": theme.rendering}
        for document_ids in chunked(moved[theme.rendering], _IDS_AT_ONCE):
            database.execute(DELETE_EMBEDDINGS_OF_LATER_DAYS, **where, **space, document_ids=document_ids)
    return {theme.theme_id: len(moved[theme.rendering]) for theme in themes}
