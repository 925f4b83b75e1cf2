"""Probable causes of the clusters of a day, with their titles: for the command line and each cluster's page."""

from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights import ClusterCauses, causes_of
from llma_assets.reports.clusters import published_clusters
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay
from llma_assets.themes import themes_of


@dataclass(frozen=True, slots=True)
class CausesOfCluster:
    """A cluster that was asked about."""

    lineage_id: str
    title: str
    found: ClusterCauses


@dataclass(frozen=True, slots=True)
class ThemeCauses:
    """The clusters of a theme.

    Attributes:
        is_on: whether the theme asks for causes.
        clusters: those that were asked about, in the order of the results.
    """

    theme_id: ThemeId
    is_on: bool
    clusters: tuple[CausesOfCluster, ...]


@dataclass(frozen=True, slots=True)
class CausesReport:
    """The themes of a team's day that have clusters."""

    team_id: TeamId
    day: Day
    themes: tuple[ThemeCauses, ...]


def causes_report(database: Database, team_day: TeamDay, *, theme_id: str | None = None) -> CausesReport:
    """The causes that are stored of the published clusters of a day; asks no model.

    Args:
        theme_id: this theme only.
    """
    asking = {theme.theme_id for theme in themes_of(database, team_day.team_id).themes if theme.causes}
    found = []
    for published in published_clusters(database, team_day, theme_id=theme_id).runs:
        run = committed_run(database, team_day, published.theme_id)
        if run is None or not published.clusters:
            continue
        causes = causes_of(database, run)
        clusters = tuple(
            CausesOfCluster(each.lineage_id, each.title, causes[each.cluster_id])
            for each in published.clusters
            if each.cluster_id in causes
        )
        found.append(ThemeCauses(published.theme_id, published.theme_id in asking, clusters))
    return CausesReport(team_day.team_id, team_day.day, tuple(found))


def causes_of_cluster(database: Database, team_day: TeamDay, theme_id: str, cluster_id: int) -> ClusterCauses | None:
    """The causes of one cluster; None where it was not asked about."""
    run = committed_run(database, team_day, theme_id)
    return None if run is None else causes_of(database, run).get(cluster_id)
