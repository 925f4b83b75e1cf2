"""How much of a team's traffic is of kinds of failure that were not seen yet."""

from collections.abc import Collection

from llma_assets.clickhouse import Database
from llma_assets.insights import Unseen, unseen
from llma_assets.themes import themes_of


def not_seen(database: Database, team_id: int, theme_id: str, sizes: Collection[int], outliers: int) -> Unseen | None:
    """The estimate of a theme that looks for something; None of one that shows all there is.

    Args:
        sizes: items of each cluster.
        outliers: items in none.
    """
    theme = next((each for each in themes_of(database, team_id).themes if each.theme_id == theme_id), None)
    return unseen(sizes, outliers) if theme is not None and theme.judged else None
