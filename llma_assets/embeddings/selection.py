"""Which summaries of a day are embedded for a theme, and which vectors have to be deleted.

Which items a theme selects, and which of them are relevant, is decided in `summaries`.
"""

from collections.abc import Sequence
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.embeddings.queries import DELETE_EMBEDDINGS, LEFT_ITEMS, PRODUCT, SUMMARIES_OF_DAY, spaces_of
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

_IDS_AT_ONCE = 500


def summaries_of_day(database: Database, team_day: TeamDay, theme: Theme) -> list[dict[str, Any]]:
    """The summaries that are to be embedded, rows of `SUMMARIES_OF_DAY`: relevant ones of items that the theme selects.

    Summaries under an earlier version of the theme wait until they are renewed, unless the theme mixes versions.
    """
    return database.rows(
        SUMMARIES_OF_DAY,
        team_id=team_day.team_id,
        day=team_day.day,
        theme_id=theme.theme_id,
        versions=list(stored_versions(theme)),
        any_version=theme.clustering.mix_versions,
    )


def delete_left_items(database: Database, team_day: TeamDay, themes: Sequence[Theme]) -> dict[str, int]:
    """Delete the day's vectors of items that their theme no longer selects, or that are not relevant.

    Returns:
        how many items left each theme, by its id.
    """
    where = {"team_id": team_day.team_id, "day": team_day.day}
    left: dict[str, list[str]] = {theme.rendering: [] for theme in themes}
    theme_ids = [theme.theme_id for theme in themes]
    for row in database.rows(LEFT_ITEMS, **where, **spaces_of(themes), theme_ids=theme_ids):
        left[row["rendering"]].append(row["document_id"])
    for theme in themes:
        space = {"product": PRODUCT, "document_type": theme.document_type, "rendering": theme.rendering}
        for document_ids in chunked(left[theme.rendering], _IDS_AT_ONCE):
            database.execute(DELETE_EMBEDDINGS, **where, **space, document_ids=document_ids)
    return {theme.theme_id: len(left[theme.rendering]) for theme in themes}
