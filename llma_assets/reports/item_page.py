"""The items of a run a page at a time: searched, of one cluster, sorted; for the table of the web app and its API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, Run, clusters_of, committed_run, taken_out_pairs
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.item_queries import (
    BY_FIGURES,
    FIGURES,
    ITEMS,
    MAX_IDS,
    NO_FIGURES,
    ORDERS,
    SEARCHED,
    TITLES,
    WITH_FIGURES,
    WITHIN,
    Sort,
)
from llma_assets.reports.published import PublishedCluster, PublishedClusters
from llma_assets.serialization import Day, Moment, Rounded, TeamId, ThemeId
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of a run.

    Attributes:
        item_id: the trace or generation.
        trace_id: its trace.
        day, timestamp: when it began.
        cluster_id, lineage_id, cluster_title: where it is counted, as people decided; -1 for outliers.
        distance: to the centroid of its cluster.
        x, y: its place on the map.
        title: of its summary.
        cost_usd, latency_s, error_count: its figures.
    """

    item_id: Annotated[str, Field(serialization_alias="item")]
    trace_id: str
    day: date
    timestamp: Moment
    cluster_id: int
    lineage_id: str
    cluster_title: str
    distance: Rounded
    x: Rounded
    y: Rounded
    title: str
    cost_usd: Rounded
    latency_s: Rounded
    error_count: int


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some items of a run.

    Attributes:
        found: how many match in all.
        offset: how many come before these.
        items: these.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    found: int
    offset: int
    items: tuple[ItemRow, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items are asked for; see `item_page`."""

    lineage_id: str | None = None
    outliers: bool = False
    search: str = ""
    sort: Sort = "cluster"
    limit: int = 50
    offset: int = 0
    area: tuple[tuple[float, float], ...] = ()

    @property
    def conditions(self) -> str:
        """What is asked beside the run and its clusters, in SQL."""
        return (SEARCHED if self.search else "") + (WITHIN if self.area else "")


def item_page(
    database: Database,
    team_day: TeamDay,
    theme_id: str,
    *,
    lineage_id: str | None = None,
    outliers: bool = False,
    search: str = "",
    sort: Sort = "cluster",
    limit: int = 50,
    offset: int = 0,
    area: Sequence[tuple[float, float]] = (),
    published: PublishedClusters | None = None,
) -> ItemPage | None:
    """Some items of a theme's run; None without a run.

    Clusters that people hid are left out, those that they merged are one.

    Args:
        lineage_id: of this cluster only.
        outliers: of no cluster only.
        search: words in the summary, or the id of the item.
        area: corners of a part of the map, at least three; () for all of it.
        published: what is published of the day, where the caller has read it.
    """
    wanted = Wanted(lineage_id, outliers, search.strip(), sort, limit, offset, tuple(area))
    asked = question(database, team_day, theme_id, wanted, published=published)
    if asked is None:
        return None
    run, cluster_of, parameters = asked
    statement = (
        ITEMS.replace("/* and */", wanted.conditions)
        .replace("/* join */", WITH_FIGURES if sort in BY_FIGURES else "")
        .replace("/* order */", ORDERS[sort])
    )
    rows: list[dict[str, Any]] = database.rows(statement, **parameters)
    found = rows_of_items(database, run, rows, cluster_of)
    return ItemPage(team_day.team_id, team_day.day, theme_id, rows[0]["found"] if rows else 0, offset, tuple(found))


def rows_of_items(
    database: Database, run: Run, members: Sequence[Mapping[str, Any]], cluster_of: Mapping[int, PublishedCluster]
) -> list[ItemRow]:
    """Members of a run with their titles and figures.

    Args:
        cluster_of: as `cluster_by_id`.
    """
    asked_of = {**run.attempt, "level": run.level, "from": run.window_start.date()}
    item_ids = [row["item_id"] for row in members]
    asked_of |= {"all_items": len(members) > MAX_IDS, "item_ids": item_ids if len(members) <= MAX_IDS else []}
    titles, figures = (
        {(row.pop("item_day"), row.pop("item_id")): row for row in (database.rows(sql, **asked_of) if members else ())}
        for sql in (TITLES, FIGURES)
    )
    found = []
    for row in members:
        key = row["item_day"], row["item_id"]
        shown_row = {**row, "title": "", **titles.get(key, {}), **figures.get(key, NO_FIGURES)}
        found.append(_row(shown_row, cluster_of[row["cluster_id"]]))
    return found


def question(
    database: Database,
    team_day: TeamDay,
    theme_id: str,
    wanted: Wanted,
    *,
    published: PublishedClusters | None = None,
) -> tuple[Run, dict[int, PublishedCluster], dict[str, Any]] | None:
    """The run that is asked, its clusters that are shown, and the parameters of the statement; None without a run."""
    run = committed_run(database, team_day, theme_id)
    if run is None:
        return None
    # One that people hid is shown to whoever asks for it.
    published = published or published_clusters(
        database, team_day, theme_id=theme_id, show_hidden=wanted.lineage_id is not None, examples=0, reasons=False
    )
    shown = next(each for each in published.runs if each.theme_id == theme_id).clusters
    clusters = [
        each
        for each in shown
        if (wanted.lineage_id is None or wanted.lineage_id in (each.lineage_id, *each.merged_lineage_ids))
        and (not wanted.outliers or each.is_noise)
    ]
    cluster_of = cluster_by_id(database, run, clusters)
    parameters: dict[str, Any] = {
        **run.attempt,
        "level": run.level,
        "from": run.window_start.date(),
        "cluster_ids": sorted(cluster_of),
        "taken_out": sorted(taken_out_pairs(database, run)),
        "search": wanted.search,
        "area": list(wanted.area),
        "limit": wanted.limit,
        "offset": wanted.offset,
    }
    return run, cluster_of, parameters


def cluster_by_id(database: Database, run: Run, wanted: Sequence[PublishedCluster]) -> dict[int, PublishedCluster]:
    """The shown cluster of each cluster of the run whose members may be shown; several of them may be one to people."""
    of_lineage = {name: each for each in wanted for name in (each.lineage_id, *each.merged_lineage_ids) if name}
    noise = next((each for each in wanted if each.is_noise), None)
    found = {}
    for row in clusters_of(database, run):
        if row["disclosure"] != FULL:
            continue
        cluster = noise if row["cluster_id"] == NOISE_LABEL else of_lineage.get(row["lineage_id"])
        if cluster is None and not row["lineage_id"]:
            cluster = next((each for each in wanted if each.cluster_id == row["cluster_id"]), None)
        if cluster is not None:
            found[row["cluster_id"]] = cluster
    return found


def _row(row: dict[str, Any], cluster: PublishedCluster) -> ItemRow:
    timestamp: datetime = row["timestamp"]
    return ItemRow(
        item_id=row["item_id"],
        trace_id=row["trace_id"],
        day=row["item_day"],
        timestamp=timestamp,
        cluster_id=cluster.cluster_id,
        lineage_id=cluster.lineage_id,
        cluster_title=cluster.title,
        distance=row["distance"],
        x=row["x"],
        y=row["y"],
        title=row["title"],
        cost_usd=row["cost_usd"],
        latency_s=row["latency_s"],
        error_count=row["error_count"],
    )
