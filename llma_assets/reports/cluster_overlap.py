"""The clusters of other themes that share the traces of one cluster; how two themes are compared is in `overlap`."""

from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clusters import counted_as, runs_of_day, standings_of
from llma_assets.reports.overlap_queries import NotClusteredError
from llma_assets.reports.overlap_report import OverlapPair, overlap_report
from llma_assets.serialization import Day, FirstDay, TeamId, ThemeId
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class SharingTheme:
    """Another theme that looked at the same traces.

    Attributes:
        theme_id: the theme.
        first_day: of the days that both runs read.
        traces: those that both themes looked at, which are compared.
        pairs: the cluster beside each of the theme's clusters that shares a trace with it, the most certain first. A
            cluster of either side with fewer than five traces is not compared.
    """

    theme_id: ThemeId
    first_day: FirstDay
    traces: int
    pairs: tuple[OverlapPair, ...]


@dataclass(frozen=True, slots=True)
class ClusterOverlap:
    """A cluster of a theme's day beside the clusters of all other themes."""

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    lineage_id: str
    themes: tuple[SharingTheme, ...]


def cluster_overlap(database: Database, team_day: TeamDay, theme_id: str, lineage_id: str) -> ClusterOverlap:
    """Which clusters of other themes share the traces of a cluster, as `overlap_report` compares the two themes.

    Raises:
        NotClusteredError: the theme has no clusters on the day.
    """
    database = database.remembering()
    runs = [run for run in runs_of_day(database, team_day) if run.items]
    if theme_id not in {run.theme_id for run in runs}:
        raise NotClusteredError(f"theme {theme_id!r} has no clusters of team {team_day.team_id} on {team_day.day}")
    counted = counted_as(lineage_id, standings_of(database, team_day.team_id))
    found = []
    for run in runs:
        if run.theme_id == theme_id:
            continue
        overlap = overlap_report(database, team_day, theme_id, run.theme_id)
        pairs = tuple(each for each in overlap.pairs if each.first.cluster == counted and each.shared)
        found.append(SharingTheme(run.theme_id, overlap.first_day, overlap.traces, pairs))
    return ClusterOverlap(team_day.team_id, team_day.day, theme_id, counted, tuple(found))
