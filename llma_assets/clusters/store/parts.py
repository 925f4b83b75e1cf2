"""The stored clusters of a day's runs beside their members: what most checks of a clustering need, by one query.

What must be true of it is judged in `clusters.checks`; statements for people, a rule each, are in `invariants`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.store.clustering_runs import Run, runs_of_day
from llma_assets.team_day import TeamDay

# Keys: clusters (team_id, day, theme_id, attempt_id, cluster_id), cluster_members (…, attempt_id, item_id).
PARTS_OF_RUNS = """
SELECT
    theme_id,
    cluster_id,
    sum(is_stored) AS stored,
    sum(size) AS size,
    sum(infinite) AS infinite_clusters,
    sum(members) AS members,
    sum(twice) AS counted_twice,
    sum(misplaced) AS misplaced,
    sum(out_of_order) AS out_of_order,
    sum(infinite_members) AS infinite_members
FROM
(
    SELECT
        theme_id,
        cluster_id,
        1 AS is_stored,
        toUInt64(size) AS size,
        NOT (
            isFinite(radius)
            AND isFinite(centroid_x)
            AND isFinite(centroid_y)
            AND arrayAll(value -> isFinite(value), centroid)
        ) AS infinite,
        0 AS members,
        0 AS twice,
        0 AS misplaced,
        0 AS out_of_order,
        0 AS infinite_members
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id IN {theme_ids:Array(String)}
        AND attempt_id IN {attempt_ids:Array(UUID)}
    UNION ALL
    SELECT
        theme_id,
        cluster_id,
        0 AS is_stored,
        0 AS size,
        0 AS infinite,
        count() AS members,
        countIf(same > 1) AS twice,
        countIf(rank != place - 1) AS misplaced,
        countIf(place > 1 AND if(cluster_id = -1, distance > before, distance < before)) AS out_of_order,
        countIf(NOT (isFinite(distance) AND isFinite(strength) AND isFinite(x) AND isFinite(y))) AS infinite_members
    FROM
    (
        SELECT
            theme_id,
            cluster_id,
            rank,
            distance,
            strength,
            x,
            y,
            row_number() OVER by_rank AS place,
            lagInFrame(distance) OVER by_rank AS before,
            count() OVER (PARTITION BY theme_id, trace_id, generation_id) AS same
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id IN {theme_ids:Array(String)}
            AND attempt_id IN {attempt_ids:Array(UUID)}
        WINDOW by_rank AS
        (
            PARTITION BY theme_id, cluster_id
            ORDER BY rank, item_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
    )
    GROUP BY theme_id, cluster_id
)
GROUP BY theme_id, cluster_id
ORDER BY theme_id, cluster_id = -1, cluster_id
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A cluster of a run, or its outliers, as it is stored, and its members.

    Attributes:
        cluster_id: -1 for the outliers.
        stored: number of rows of the cluster: 0 if only members have it.
        size: as stored.
        infinite_clusters: 1 if a value of the cluster is NaN or infinite.
        members: number of stored members.
        counted_twice: members whose trace or generation is another member of the run, too.
        misplaced: members whose rank is there twice, or after a gap.
        out_of_order: members that are closer than the one before them; among outliers, farther.
        infinite_members: members with a value that is NaN or infinite.
    """

    cluster_id: int
    stored: int
    size: int
    infinite_clusters: int
    members: int
    counted_twice: int
    misplaced: int
    out_of_order: int
    infinite_members: int

    @property
    def is_noise(self) -> bool:
        """Whether it is the outliers."""
        return self.cluster_id == NOISE_LABEL


def parts_of_day(database: Database, team_day: TeamDay) -> list[tuple[Run, Sequence[Part]]]:
    """Each committed run of a day with its parts, outliers last."""
    runs = runs_of_day(database, team_day)
    if not runs:
        return []
    found: dict[str, list[Part]] = {run.theme_id: [] for run in runs}
    rows: list[dict[str, Any]] = database.rows(
        PARTS_OF_RUNS,
        team_id=team_day.team_id,
        day=team_day.day,
        theme_ids=sorted(found),
        attempt_ids=[run.attempt_id for run in runs],
    )
    for row in rows:
        found[row.pop("theme_id")].append(Part(**row))
    return [(run, found[run.theme_id]) for run in runs]
