"""The items of a run a page at a time: searched, of one cluster, sorted; for the table of the web app and its API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, Run, clusters_of, committed_run, taken_out_pairs
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.published import PublishedCluster, PublishedClusters
from llma_assets.serialization import Day, Moment, Rounded, TeamId, ThemeId
from llma_assets.team_day import TeamDay

Sort = Literal["cluster", "newest", "oldest", "typical", "farthest", "cost", "latency", "errors"]

ORDERS: Mapping[Sort, str] = {
    "cluster": "cluster_id = -1, cluster_id, rank, item_id",
    "newest": "timestamp DESC, item_id",
    "oldest": "timestamp, item_id",
    "typical": "distance, item_id",
    "farthest": "distance DESC, item_id",
    "cost": "cost_usd DESC, item_id",
    "latency": "latency_s DESC, item_id",
    "errors": "error_count DESC, item_id",
}
"""What each order is in SQL; nothing of a request becomes part of a statement."""

# Ids on light columns first: what a page shows of its items is read for these alone. Keys: cluster_members (team_id,
# day, theme_id, attempt_id, item_id); trace_summaries (team_id, day, theme_id, item_id); trace_texts (team_id, day,
# level, item_id).
MEMBERS = """SELECT
        item_id, trace_id, generation_id, item_day, timestamp, distance, rank, strength, x, y,
        -- What people took out of a cluster is in none.
        if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
        AND home IN {cluster_ids:Array(Int32)}
        /* and */"""
ITEMS = f"""
SELECT
    item_id, trace_id, generation_id, item_day, timestamp, home AS cluster_id, distance, strength, x, y,
    count() OVER () AS found
FROM
(
    {MEMBERS}
) AS members
/* join */
ORDER BY
    /* order */
LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
"""
SEARCHED = """AND
        (
            item_id = {search:String}
            OR (item_day, item_id) IN
            (
                SELECT day, item_id
                FROM trace_summaries FINAL
                WHERE team_id = {team_id:Int64}
                    AND day BETWEEN {from:Date} - 1 AND {day:Date}
                    AND theme_id = {theme_id:String}
                    AND
                    (
                        positionCaseInsensitiveUTF8(title, {search:String}) > 0
                        OR positionCaseInsensitiveUTF8(bullets, {search:String}) > 0
                        OR positionCaseInsensitiveUTF8(interesting_notes, {search:String}) > 0
                    )
            )
        )"""
WITHIN = "AND pointInPolygon((x, y), {area:Array(Tuple(Float64, Float64))})"
WITH_FIGURES = """LEFT JOIN
(
    SELECT day AS item_day, item_id, cost_usd, latency_s, error_count
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64}
        AND day BETWEEN {from:Date} - 1 AND {day:Date}
        AND level = {level:String}
) AS numbers USING (item_day, item_id)"""
BY_FIGURES: frozenset[Sort] = frozenset(("cost", "latency", "errors"))

# Keys: trace_summaries (team_id, day, theme_id, item_id); trace_texts (team_id, day, level, item_id).
OF_ITEMS = "    AND ({all_items:Bool} OR item_id IN {item_ids:Array(String)})\n"
ALL_TITLES = """SELECT day AS item_day, item_id, title
FROM trace_summaries FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} - 1 AND {day:Date}
    AND theme_id = {theme_id:String}
"""
TITLES = ALL_TITLES + OF_ITEMS
ALL_FIGURES = """SELECT day AS item_day, item_id, cost_usd, latency_s, error_count
FROM trace_texts FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} - 1 AND {day:Date}
    AND level = {level:String}
"""
FIGURES = ALL_FIGURES + OF_ITEMS
MAX_IDS = 1_000
"""Of more items than these, titles and figures of all are read: a list of ids has its limits."""
NO_FIGURES = {"cost_usd": 0.0, "latency_s": 0.0, "error_count": 0}


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
    asked_of = {**run.attempt, "level": run.level, "from": run.window_start.date()}
    item_ids = [row["item_id"] for row in rows]
    asked_of |= {"all_items": len(rows) > MAX_IDS, "item_ids": item_ids if len(rows) <= MAX_IDS else []}
    titles, figures = (
        {(row.pop("item_day"), row.pop("item_id")): row for row in (database.rows(sql, **asked_of) if rows else ())}
        for sql in (TITLES, FIGURES)
    )
    found = []
    for row in rows:
        key = row["item_day"], row["item_id"]
        shown_row = {**row, "title": "", **titles.get(key, {}), **figures.get(key, NO_FIGURES)}
        found.append(_row(shown_row, cluster_of[row["cluster_id"]]))
    return ItemPage(team_day.team_id, team_day.day, theme_id, rows[0]["found"] if rows else 0, offset, tuple(found))


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
        database, team_day, theme_id=theme_id, show_hidden=wanted.lineage_id is not None, examples=0
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
