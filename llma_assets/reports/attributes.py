"""What sets the clusters of a day apart, with their titles: for the command line, and for each cluster's page."""

from collections.abc import Mapping
from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clusters import committed_run
from llma_assets.insights import Distinction, find_attributes, stored_attributes
from llma_assets.reports.clusters import published_clusters
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions


@dataclass(frozen=True, slots=True)
class ClusterAttributes:
    """What sets one cluster apart; nothing where no value differs.

    Attributes:
        lineage_id, title: the cluster.
        nearest_title: what its nearest cluster is called, "" without one.
        found: values that it has more often, the most certain first.
    """

    cluster_id: int
    lineage_id: str
    title: str
    nearest_title: str
    found: tuple[Distinction, ...]


@dataclass(frozen=True, slots=True)
class ThemeAttributes:
    """The clusters of a theme's run.

    Attributes:
        traces: different traces that were compared.
        compared: values that were compared.
        clusters: those that are shown, in the order of the results.
    """

    theme_id: ThemeId
    traces: int
    compared: int
    clusters: tuple[ClusterAttributes, ...]


@dataclass(frozen=True, slots=True)
class AttributesReport:
    """The runs of a team's day."""

    team_id: TeamId
    day: Day
    runs: tuple[ThemeAttributes, ...]


def attributes_report(
    database: Database, team_day: TeamDay, team: TeamOptions, *, theme_id: str | None = None, find: bool = True
) -> AttributesReport:
    """What sets the published clusters of a day apart; a run that has not been compared yet is compared now.

    Args:
        team: what the team hides.
        theme_id: this theme only.
        find: compare a run that has not been compared yet; otherwise it is left out.
    """
    runs = []
    for published in published_clusters(database, team_day, theme_id=theme_id).runs:
        run = committed_run(database, team_day, published.theme_id)
        if run is None or not published.clusters:
            continue
        if find:
            result = find_attributes(
                database,
                run,
                redact=team.redact,
                extra_patterns=team.redaction_patterns,
                least_users=team.min_users,
                release_property=team.release_property,
            )
        elif (stored := stored_attributes(database, run)) is not None:
            result = stored
        else:
            continue
        titles = {each.cluster_id: each.title for each in published.clusters}
        clusters = tuple(
            ClusterAttributes(
                each.cluster_id,
                each.lineage_id,
                each.title,
                _nearest_title(result.of(each.cluster_id), titles),
                result.of(each.cluster_id),
            )
            for each in published.clusters
            if each.cluster_id >= 0
        )
        runs.append(ThemeAttributes(run.theme_id, result.traces, result.compared, clusters))
    return AttributesReport(team_day.team_id, team_day.day, tuple(runs))


def attributes_of_cluster(
    database: Database, team_day: TeamDay, theme_id: str, cluster_id: int
) -> tuple[Distinction, ...] | None:
    """What sets one cluster apart; None where its run has not been compared."""
    run = committed_run(database, team_day, theme_id)
    stored = stored_attributes(database, run) if run is not None else None
    return None if stored is None else stored.of(cluster_id)


def _nearest_title(found: tuple[Distinction, ...], titles: Mapping[int, str]) -> str:
    nearest = next((each.nearest_id for each in found), None)
    return "" if nearest is None else titles.get(nearest, "")
