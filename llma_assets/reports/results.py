"""The results of a theme and day with the figures that people compare: shares, traces, errors, cost and latency."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, clusters_of, committed_run, taken_out_pairs
from llma_assets.labels import group_labels_of
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.reports.trend_queries import trends_of
from llma_assets.reports.trends import Change, Trend
from llma_assets.serialization import Amount, Day, TeamId
from llma_assets.stats import Share
from llma_assets.team_day import TeamDay

EXAMPLES = 3
"""Members of each cluster, the nearest to its centroid."""
TREND_WEEKS = 2
"""Weeks before the day that the changes beside a cluster look at."""

# Keys: cluster_members (team_id, day, theme_id, attempt_id, item_id); trace_texts (team_id, day, level, item_id).
# What people merged counts as one, so that a user of two parts is one user. Texts of before hashes have no user.
FIGURES_OF_RUN = """
WITH numbers AS
(
    SELECT day AS item_day, item_id, cost_usd, latency_s, error_count, user_hash, true AS is_known
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} - 1 AND {day:Date}
        AND level = {level:String}
)
SELECT
    shown_id,
    grouping(shown_id) = 0 AS by_cluster,
    countIf(numbers.is_known) AS known,
    countIf(numbers.error_count > 0) AS errors,
    sum(numbers.cost_usd) AS cost_usd,
    sum(numbers.latency_s) AS latency_s,
    uniqExactIf(numbers.user_hash, numbers.user_hash != 0) AS users
FROM
(
    SELECT
        if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home,
        transform(home, {parts:Array(Int32)}, {wholes:Array(Int32)}, home) AS shown_id,
        item_id,
        item_day
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
) AS members
LEFT JOIN numbers USING (item_day, item_id)
GROUP BY GROUPING SETS ((shown_id), ())
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the items of a cluster have in numbers.

    Attributes:
        known: items whose text's numbers are still stored; the others count for nothing below.
        errors: items with an error.
        cost_usd, latency_s: sums over the known items.
        users: different users among them, as far as their ids are known.
    """

    known: int = 0
    errors: int = 0
    cost_usd: Amount = 0
    latency_s: Amount = 0
    users: int = 0

    @property
    def error_rate(self) -> Share:
        """The share of items with an error."""
        return Share.of(self.errors, self.known)


@dataclass(frozen=True, slots=True)
class ClusterResult:
    """A published cluster beside its figures.

    Attributes:
        cluster: as people decided about it.
        group: title of the group of clusters that it is in, "" without one.
        share: of the run's items, with its interval.
        figures: of its items.
        error_rate: the share of its items with an error.
        yesterday: the share of the last day's items against that of the day before, None without two days.
        trend: its days, None for outliers and without a linked run.
    """

    cluster: PublishedCluster
    group: str
    share: Share
    figures: Figures
    error_rate: Share
    trend: Trend | None
    yesterday: Change | None = None


@dataclass(frozen=True, slots=True)
class ThemeResults:
    """What a theme found on a day, or why it found nothing: `run.skipped_reason`.

    Attributes:
        run: the published run, without its clusters' members.
        clusters: by falling size, outliers last.
        figures: of all items.
    """

    team_id: TeamId
    day: Day
    run: PublishedRun
    clusters: tuple[ClusterResult, ...]
    figures: Figures


def theme_results(
    database: Database, team_day: TeamDay, theme_id: str, *, published: PublishedClusters | None = None
) -> ThemeResults | None:
    """The results of a theme and day; None if the team has neither a run nor a reason for none.

    Args:
        published: what is published of the day, where the caller has read it; by default without hidden clusters.
    """
    published = published or published_clusters(database, team_day, theme_id=theme_id, examples=EXAMPLES)
    shown = next((run for run in published.with_examples(EXAMPLES).runs if run.theme_id == theme_id), None)
    if shown is None:
        return None
    run = committed_run(database, team_day, theme_id)
    if run is None or shown.run_id is None:
        return ThemeResults(team_day.team_id, team_day.day, shown, (), Figures())
    figures, total = _figures(database, run, shown)
    groups = {cluster_id: row["title"] for row in group_labels_of(database, run) for cluster_id in row["cluster_ids"]}
    first_day = team_day.back(7 * TREND_WEEKS - 1).day
    found = trends_of(database, team_day.team_id, until=team_day.day, first_day=first_day, theme_id=theme_id)
    trends = {trend.lineage_id: trend for trend in found.get(theme_id, [])}
    rows = []
    for cluster in shown.clusters:
        of_cluster = figures.get(cluster.cluster_id, Figures())
        trend = trends.get(cluster.lineage_id) if cluster.lineage_id else None
        rows.append(
            ClusterResult(
                cluster=cluster,
                group=groups.get(cluster.cluster_id, ""),
                share=Share.of(cluster.size, run.items),
                figures=of_cluster,
                error_rate=of_cluster.error_rate,
                trend=trend,
                yesterday=_against_yesterday(trend),
            )
        )
    return ThemeResults(team_day.team_id, team_day.day, shown, tuple(rows), total)


def _figures(database: Database, run: Run, shown: PublishedRun) -> tuple[Mapping[int, Figures], Figures]:
    """The figures of each shown cluster, and of all items."""
    own_id = {row["lineage_id"]: row["cluster_id"] for row in clusters_of(database, run) if row["lineage_id"]}
    whole_of = {
        own_id[part]: cluster.cluster_id
        for cluster in shown.clusters
        for part in cluster.merged_lineage_ids
        if part in own_id
    }
    rows = database.rows_of_runs(
        FIGURES_OF_RUN,
        **run.attempt,
        level=run.level,
        taken_out=sorted(taken_out_pairs(database, run)),
        parts=list(whole_of) or [NO_CLUSTER],
        wholes=list(whole_of.values()) or [NO_CLUSTER],
        **{"from": run.window_start.date()},
    )
    made = [(row["by_cluster"], row["shown_id"], Figures(**{name: row[name] for name in _NAMES})) for row in rows]
    total = next((figures for by_cluster, _, figures in made if not by_cluster), Figures())
    return {shown_id: figures for by_cluster, shown_id, figures in made if by_cluster}, total


_NAMES = [each.name for each in fields(Figures)]
NO_CLUSTER = -2
"""Stands for no cluster, where a list may not be empty."""


def _against_yesterday(trend: Trend | None) -> Change | None:
    if trend is None or len(trend.points) < 2:
        return None
    before, now = trend.points[-2:]
    return Change.between(before.share, now.share) if now.day - before.day == timedelta(days=1) else None
