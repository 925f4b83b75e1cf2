"""The items of a partition's clusters: place on the map, cluster and summary of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, members_of, runs_of_day
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.published import PublishedCluster
from llma_assets.serialization import Moment, ThemeId
from llma_assets.summaries import summaries_of_items
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class ClusteredItem:
    """A trace or a generation in the published run of a theme.

    Attributes:
        theme_id, level: of the run.
        item_id, trace_id, generation_id: which item; `generation_id` is "" of a trace.
        day, timestamp: when it began.
        cluster_id, lineage_id, cluster_title: its cluster, as people decided about it; -1 for outliers.
        hidden: whether people hid the cluster.
        x, y: its place on the map.
        distance: to the centroid of its cluster.
        strength: how firmly it belongs there, 0 to 1.
        title, flow_diagram, bullets, notes: its summary, empty where it is no longer stored.
    """

    theme_id: ThemeId
    level: str
    item_id: str
    trace_id: str
    generation_id: str
    day: date
    timestamp: Moment
    cluster_id: int
    lineage_id: str
    cluster_title: str
    hidden: bool
    x: float
    y: float
    distance: float
    strength: float
    title: str
    flow_diagram: str
    bullets: tuple[str, ...]
    notes: tuple[str, ...]


def clustered_items(database: Database, team_day: TeamDay, theme_id: str | None = None) -> list[ClusteredItem]:
    """The items of the published runs of a team's day: by theme, cluster and distance, outliers last.

    Args:
        theme_id: of this theme only.
    """
    published = published_clusters(database, team_day, theme_id=theme_id, show_hidden=True)
    cluster_of = {
        (run.theme_id, item_id): cluster
        for run in published.runs
        for cluster in run.clusters
        for item_id in cluster.item_ids
    }
    return [
        item
        for run in runs_of_day(database, team_day)
        if theme_id in (None, run.theme_id)
        for item in _of_run(database, run, cluster_of)
    ]


def _of_run(
    database: Database, run: Run, cluster_of: dict[tuple[str, str], PublishedCluster]
) -> Iterator[ClusteredItem]:
    members = members_of(database, run)
    summaries = {
        row["item_id"]: row
        for row in summaries_of_items(
            database,
            run.team_id,
            run.theme_id,
            [member["item_id"] for member in members],
            first_day=run.window_start.date() - timedelta(days=1),
            last_day=run.day,
        )
    }
    nothing = {"title": "", "flow_diagram": "", "bullets": "[]", "interesting_notes": "[]"}
    for member in members:
        cluster = cluster_of[run.theme_id, member["item_id"]]
        summary = summaries.get(member["item_id"], nothing)
        timestamp: datetime = member["timestamp"]
        yield ClusteredItem(
            theme_id=run.theme_id,
            level=run.level,
            item_id=member["item_id"],
            trace_id=member["trace_id"],
            generation_id=member["generation_id"],
            day=member["item_day"],
            timestamp=timestamp,
            cluster_id=cluster.cluster_id,
            lineage_id=cluster.lineage_id,
            cluster_title=cluster.title,
            hidden=cluster.hidden,
            x=member["x"],
            y=member["y"],
            distance=member["distance"],
            strength=member["strength"],
            title=summary["title"],
            flow_diagram=summary["flow_diagram"],
            bullets=_texts(summary["bullets"]),
            notes=_texts(summary["interesting_notes"]),
        )


def _texts(points: str) -> tuple[str, ...]:
    """The texts of bullets or notes; points without a text are left out."""
    found = orjson.loads(points or "[]")
    return tuple(str(point["text"]) for point in found if isinstance(point, dict) and "text" in point)
