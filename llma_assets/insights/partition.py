"""The stage `cluster_attributes` for one partition: what sets the clusters of each committed run apart."""

from collections.abc import Sequence
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights.attributes import find_attributes
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import Theme

STAGE = "cluster_attributes"


def store_attributes(
    database: Database, team_day: TeamDay, *, themes: Sequence[Theme], team: TeamOptions, progress: Progress
) -> Report:
    """Compare the clusters of each theme's committed run; one that has been compared is not read again.

    Raises:
        ThemesFailed: some themes failed; what was found for the others is stored.
    """
    items, details = 0, dict[str, Any]()
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    def work(theme: Theme) -> tuple[int, dict[str, Any]]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = committed_run(database, team_day, theme.theme_id)
        if run is None or run.clusters == 0:
            return 0, {}
        result = find_attributes(
            database,
            run,
            redact=team.redact,
            extra_patterns=team.redaction_patterns,
            least_users=team.min_users,
            release_property=team.release_property,
        )
        told = {"values_compared": result.compared, "values_that_differ": len(result.found)}
        return run.clusters, {f"{theme.theme_id}_{name}": value for name, value in told.items()}

    for _, (clusters, told) in each_theme(database, team_day, STAGE, themes, work):
        items += clusters
        details |= told
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="" if items else "no_committed_run", details=details)
