"""One cluster of a day with all that a person needs to judge it: figures, members, evidence, decisions."""

from dataclasses import dataclass, replace

from llma_assets.clickhouse import Database
from llma_assets.clusters import Edit, edits_of
from llma_assets.insights import Distinction
from llma_assets.reports.attributes import attributes_of_cluster
from llma_assets.reports.audit import AuditedCluster, audit
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.item_page import ItemRow, item_page
from llma_assets.reports.results import ClusterResult, theme_results
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay

SHOWN_MEMBERS = 10


@dataclass(frozen=True, slots=True)
class OtherCluster:
    """What another cluster is called."""

    lineage_id: str
    title: str


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """A cluster of a theme's day.

    Attributes:
        result: the cluster and its figures; with the first members only.
        evidence: how well its name does, None where it was not tested.
        typical: the members nearest to its centroid.
        edits: what people decided about it, oldest first.
        others: the other clusters of the run, with which it may be merged.
        apart: what sets it apart from the other traces, None where that has not been looked for.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    result: ClusterResult
    evidence: AuditedCluster | None
    typical: tuple[ItemRow, ...]
    edits: tuple[Edit, ...]
    others: tuple[OtherCluster, ...]
    apart: tuple[Distinction, ...] | None = None


def cluster_report(database: Database, team_day: TeamDay, theme_id: str, lineage_id: str) -> ClusterReport | None:
    """A cluster by its lineage, hidden or not; None if the day's run has no such cluster."""
    published = published_clusters(database, team_day, theme_id=theme_id, show_hidden=True, examples=0)
    results = theme_results(database, team_day, theme_id, published=published)
    if results is None:
        return None
    result = next(
        (
            each
            for each in results.clusters
            if lineage_id and lineage_id in (each.cluster.lineage_id, *each.cluster.merged_lineage_ids)
        ),
        None,
    )
    if result is None:
        return None
    of_theme = audit(database, team_day, theme_id=theme_id, lineage_id=result.cluster.lineage_id).runs
    evidence = next(
        (each for run in of_theme for each in run.clusters if each.lineage_id == result.cluster.lineage_id), None
    )
    page = item_page(
        database,
        team_day,
        theme_id,
        lineage_id=result.cluster.lineage_id,
        sort="typical",
        limit=SHOWN_MEMBERS,
        published=published,
    )
    names = {result.cluster.lineage_id, *result.cluster.merged_lineage_ids}
    edits = tuple(edit for edit in edits_of(database, team_day.team_id) if edit.lineage_id in names)
    shown = replace(result, cluster=replace(result.cluster, item_ids=result.cluster.item_ids[:SHOWN_MEMBERS]))
    others = tuple(
        OtherCluster(each.cluster.lineage_id, each.cluster.title)
        for each in results.clusters
        if each.cluster.lineage_id not in ("", result.cluster.lineage_id) and not each.cluster.hidden
    )
    typical = page.items if page else ()
    apart = attributes_of_cluster(database, team_day, theme_id, result.cluster.cluster_id)
    return ClusterReport(team_day.team_id, team_day.day, theme_id, shown, evidence, typical, edits, others, apart)
