"""The clusters of a team and a date as pages, of all its themes, whichever run made them."""

from llma_assets.clickhouse import Database
from llma_assets.reports import cluster_table, clusters_of_day, map_markdown
from llma_assets.team_day import TeamDay


def overview(database: Database, team_day: TeamDay) -> dict[str, str]:
    """Markdown by name: the table of clusters and the map of each theme."""
    pages = {}
    for theme in clusters_of_day(database, team_day):
        pages[f"{theme.theme_id}_table"] = cluster_table(theme.rows)
        titles = {row.cluster_id: row.title for row in theme.rows}
        pages[f"{theme.theme_id}_map"] = map_markdown(
            theme.labels, theme.coordinates, titles, heading=f"{team_day}: {theme.theme_id}"
        )
    return pages
