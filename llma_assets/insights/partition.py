"""The stage `cluster_attributes` for one partition: what sets the clusters of each committed run apart."""

from collections.abc import Sequence
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import ask_clusters_of, runs_of_day
from llma_assets.insights.attributes import ask_attributes_of, compare, store
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

    runs = [run for run in runs_of_day(database, team_day) if run.theme_id in places and run.clusters]
    ask_clusters_of(database, runs)
    ask_attributes_of(database, runs, least_users=team.min_users)

    def work(theme: Theme) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = next((run for run in runs if run.theme_id == theme.theme_id), None)
        if run is None:
            return 0, {}, []
        result, rows = compare(
            database,
            run,
            redact=team.redact,
            extra_patterns=team.redaction_patterns,
            least_users=team.min_users,
            release_property=team.release_property,
        )
        told = {"values_compared": result.compared, "values_that_differ": len(result.found)}
        return run.clusters, {f"{theme.theme_id}_{name}": value for name, value in told.items()}, rows

    def write(done: Sequence[tuple[Theme, tuple[int, dict[str, Any], list[dict[str, Any]]]]]) -> None:
        store(database, [row for _, (_, _, rows) in done for row in rows])

    for _, (clusters, told, _) in each_theme(database, team_day, STAGE, themes, work, write):
        items += clusters
        details |= told
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="" if items else "no_committed_run", details=details)
