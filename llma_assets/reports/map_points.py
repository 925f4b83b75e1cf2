"""The map of a theme's day as numbers: where each item lies, its cluster, and what it is coloured by.

Items stand in the order of their clusters, the nearest to the centroid first, outliers last. So one item is found
again by its cluster and its position in it, and titles are read for the one that somebody points at.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, Run, committed_run, taken_out_pairs
from llma_assets.labels import group_labels_of
from llma_assets.reports.item_page import cluster_by_id
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.serialization import Moment
from llma_assets.summaries import summaries_of_items
from llma_assets.team_day import TeamDay

Colour = Literal["cluster", "errors", "cost", "time", "day"]
COLOURS: tuple[Colour, ...] = ("cluster", "errors", "cost", "time", "day")
OUTLIERS = 2**16 - 1
"""Stands for the outliers, whose number is -1."""
UNKNOWN = 255
"""Stands for an item whose figure is not stored any more."""
STEPS = 254

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
POINTS = """
SELECT
    if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home,
    toFloat32(x) AS x,
    toFloat32(y) AS y,
    toUInt16(item_day) AS measure,
    true AS is_known
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
    AND home IN {cluster_ids:Array(Int32)}
ORDER BY home = -1, home, rank, item_id
"""

# Keys: as above; trace_texts (team_id, day, level, item_id).
POINTS_WITH_FIGURES = """
WITH numbers AS
(
    SELECT
        day AS item_day,
        item_id,
        multiIf({colour:String} = 'cost', cost_usd, {colour:String} = 'time', latency_s, error_count > 0) AS measure,
        true AS is_known
    FROM trace_texts FINAL
    WHERE team_id = {team_id:Int64} AND day BETWEEN {from:Date} - 1 AND {day:Date} AND level = {level:String}
)
SELECT
    members.home AS home,
    toFloat32(members.x) AS x,
    toFloat32(members.y) AS y,
    numbers.measure AS measure,
    numbers.is_known AS is_known
FROM
(
    SELECT
        if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) AS home,
        x, y, rank, item_id, item_day
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
        AND home IN {cluster_ids:Array(Int32)}
) AS members
LEFT JOIN numbers USING (item_day, item_id)
ORDER BY members.home = -1, members.home, members.rank, members.item_id
"""

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
ITEM_AT = """
SELECT item_id, trace_id, item_day, timestamp
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
    AND if(has({taken_out:Array(Tuple(Int32, String))}, (cluster_id, item_id)), -1, cluster_id) = {cluster_id:Int32}
ORDER BY rank, item_id
LIMIT 1 OFFSET {position:UInt64}
"""


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """Where the items of a run lie.

    Attributes:
        run: the attempt at the clustering that these are of.
        x, y: float32 (n,), the places.
        cluster: uint16 (n,), the number of the cluster in the run, `OUTLIERS` for none.
        measure: uint8 (n,), what the item is coloured by, from 0 for the lowest to 254 for the highest, by rank for
            cost and time; `UNKNOWN` where it is not stored. All 0 where the colour is the cluster's.
        scale: lowest, middle and highest value in words of the measure: dollars, seconds, days, or errors as 0 and 1;
            empty without any.
    """

    run: UUID
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    cluster: NDArray[np.uint16]
    measure: NDArray[np.uint8]
    scale: tuple[float | date, ...]

    def buffer(self) -> bytes:
        """All in one, little-endian, one array after the other: 11 bytes an item."""
        columns = (("<f4", self.x), ("<f4", self.y), ("<u2", self.cluster), ("u1", self.measure))
        return b"".join(np.ascontiguousarray(values, dtype=kind).tobytes() for kind, values in columns)


@dataclass(frozen=True, slots=True)
class MapItem:
    """One item of a map."""

    item_id: Annotated[str, Field(serialization_alias="item")]
    trace_id: str
    timestamp: Moment
    title: str
    lineage_id: str
    cluster_title: str


def map_points(
    database: Database, team_day: TeamDay, theme_id: str, published: PublishedClusters, *, colour: Colour = "cluster"
) -> MapPoints | None:
    """The places of a run's items that may be shown; None without a run.

    Args:
        published: what is published of the day; the items of clusters that it leaves out are left out, too.
        colour: what the measure is.
    """
    run = committed_run(database, team_day, theme_id)
    if run is None:
        return None
    shown = sorted(cluster_by_id(database, run, _clusters(published, theme_id)))
    asked: dict[str, Any] = {**run.attempt, "cluster_ids": shown, "taken_out": sorted(taken_out_pairs(database, run))}
    if colour in ("cluster", "day"):
        table = database.arrow(POINTS, **asked)
    else:
        asked |= {"level": run.level, "from": run.window_start.date(), "colour": colour}
        table = database.arrow(POINTS_WITH_FIGURES, **asked)
    columns = {name: table[name].to_numpy() for name in ("home", "x", "y", "measure", "is_known")}
    known = columns["is_known"].astype(bool)
    measure, scale = _measured(columns["measure"].astype(float), known, colour)
    return MapPoints(
        run.attempt_id,
        columns["x"].astype(np.float32),
        columns["y"].astype(np.float32),
        np.where(columns["home"] == NOISE_LABEL, OUTLIERS, columns["home"]).astype(np.uint16),
        measure,
        scale,
    )


def map_item(
    database: Database,
    team_day: TeamDay,
    theme_id: str,
    published: PublishedClusters,
    *,
    run_id: UUID,
    cluster_id: int,
    position: int,
) -> MapItem | None:
    """The item at a place of a map; None where there is none, or the clustering was made anew since.

    Args:
        published: as for `map_points`.
        run_id: `run` of the map.
        cluster_id: the item's cluster, -1 or `OUTLIERS` for none.
        position: its position among the items of the cluster.
    """
    run = committed_run(database, team_day, theme_id)
    number = NOISE_LABEL if cluster_id == OUTLIERS else cluster_id
    if run is None or run.attempt_id != run_id:
        return None
    cluster = cluster_by_id(database, run, _clusters(published, theme_id)).get(number)
    asked = {**run.attempt, "taken_out": sorted(taken_out_pairs(database, run))}
    rows = database.rows(ITEM_AT, **asked, cluster_id=number, position=position) if cluster else []
    if cluster is None or not rows:
        return None
    row = rows[0]
    timestamp: datetime = row["timestamp"]
    return MapItem(
        row["item_id"],
        row["trace_id"],
        timestamp,
        _title(database, run, row["item_id"], row["item_day"]),
        cluster.lineage_id,
        cluster.title,
    )


def map_groups(database: Database, team_day: TeamDay, shown: PublishedRun) -> dict[int, tuple[str, list[int]]]:
    """Of each shown cluster the title of its group, "" without one, and the numbers of the run's clusters in it."""
    run = committed_run(database, team_day, shown.theme_id)
    if run is None:
        return {}
    groups = {cluster_id: row["title"] for row in group_labels_of(database, run) for cluster_id in row["cluster_ids"]}
    found = {each.cluster_id: (groups.get(each.cluster_id, ""), list[int]()) for each in shown.clusters}
    for cluster_id, cluster in cluster_by_id(database, run, shown.clusters).items():
        found[cluster.cluster_id][1].append(OUTLIERS if cluster_id == NOISE_LABEL else cluster_id)
    return found


def _clusters(published: PublishedClusters, theme_id: str) -> list[PublishedCluster]:
    return [each for run in published.runs if run.theme_id == theme_id for each in run.clusters]


def _title(database: Database, run: Run, item_id: str, day: date) -> str:
    found = summaries_of_items(database, run.team_id, run.theme_id, [item_id], first_day=day, last_day=day)
    return next((str(row["title"]) for row in found), "")


def _measured(
    values: NDArray[np.float64], known: NDArray[np.bool_], colour: Colour
) -> tuple[NDArray[np.uint8], tuple[float | date, ...]]:
    """Values as steps from 0 to 254, and the lowest, middle and highest of them.

    >>> _measured(np.array([3.0, 1.0, 2.0, 9.0]), np.array([True, True, True, False]), "cost")
    (array([254,   0, 127, 255], dtype=uint8), (1.0, 2.0, 3.0))
    """
    found = np.full(len(values), UNKNOWN, dtype=np.uint8)
    if colour == "cluster" or not known.any():
        return (np.zeros_like(found) if colour == "cluster" else found), ()
    own = values[known]
    # Days and errors are few different values, cost and time are far from evenly spread: rank tells them apart.
    different, place = np.unique(own, return_inverse=True)
    if colour in ("cost", "time"):
        ahead = np.concatenate(([0], np.cumsum(np.bincount(place))[:-1]))
        step, most = ahead[place], max(1, int(ahead[-1]))
    elif colour == "errors":
        step, most = own.astype(int), 1
    else:
        step, most = place, max(1, len(different) - 1)
    found[known] = np.round(STEPS * step / most).astype(np.uint8)
    scale = [float(own.min()), float(np.median(own)), float(own.max())]
    if colour == "day":
        return found, tuple(date.fromordinal(date(1970, 1, 1).toordinal() + int(day)) for day in scale)
    return found, tuple(scale)
