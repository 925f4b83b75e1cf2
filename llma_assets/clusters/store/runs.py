"""What a clustering run writes, and what others read of it; what it reads itself belongs in `window_queries`.

What is published is what the commit row in `clustering_runs` names: members and clusters of an attempt without one
are invisible. An attempt's id is its own, so that no other attempt replaces its rows; `input_id` follows from the items
and options, so that the same work is not done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

# Key of clustering_runs: (team_id, day, theme_id).
COMMITTED_RUN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String}
"""

RUNS_OF_DAY = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
ORDER BY theme_id
"""

# Key of clusters: (team_id, day, theme_id, attempt_id, cluster_id).
CLUSTERS_OF_RUN = """
SELECT
    cluster_id,
    lineage_id,
    lineage_status,
    lineage_confidence,
    lineage_parents,
    size,
    radius,
    centroid,
    centroid_x,
    centroid_y
FROM clusters FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id = -1, cluster_id
"""

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
MEMBERS_OF_RUN = """
SELECT item_id, trace_id, generation_id, item_day, cluster_id, distance, rank, strength, x, y, timestamp
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id = -1, cluster_id, rank
"""

# Of each item the latest run that read it. Keys: clustering_runs (team_id, day, theme_id); cluster_members
# (…, attempt_id, item_id); clusters and cluster_labels (…, attempt_id, cluster_id).
CLUSTERS_OF_ITEMS = """
WITH
    runs AS
    (
        SELECT day, theme_id, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day >= {from:Date} AND toDate(window_start) <= {until:Date}
    ),
    homes AS
    (
        SELECT day, theme_id, attempt_id, item_id, cluster_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day >= {from:Date}
            AND item_id IN {item_ids:Array(String)}
            AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
        ORDER BY day DESC
        LIMIT 1 BY theme_id, item_id
    )
SELECT
    homes.day AS day,
    homes.theme_id AS theme_id,
    homes.item_id AS item_id,
    homes.cluster_id AS cluster_id,
    known.lineage_id AS lineage_id,
    labels.title AS title
FROM homes
INNER JOIN
(
    SELECT day, theme_id, attempt_id, cluster_id, lineage_id
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day >= {from:Date}
        AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
) AS known USING (day, theme_id, attempt_id, cluster_id)
LEFT JOIN
(
    SELECT day, theme_id, attempt_id, cluster_id, title
    FROM cluster_labels FINAL
    WHERE team_id = {team_id:Int64}
        AND day >= {from:Date}
        AND (day, theme_id, attempt_id) IN (SELECT day, theme_id, attempt_id FROM runs)
) AS labels USING (day, theme_id, attempt_id, cluster_id)
"""

# Of the items of a run's own window those of some of its days. Keys: clustering_runs (team_id, day, theme_id), and as
# above.
CLUSTERED_OF_DAYS = """
SELECT countIf(cluster_id != -1) AS clustered, countIf(cluster_id = -1) AS outliers
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND item_day BETWEEN {from:Date} AND {day:Date}
    AND attempt_id IN
    (
        SELECT attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND JSONExtractString(params, 'theme_version') = {version:String}
    )
"""

# What an attempt's members and clusters are, to be held against the commit row. Key of both: …, attempt_id, ….
RUN_INVARIANTS = """
WITH
    sizes AS
    (
        SELECT cluster_id, size
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ),
    homes AS
    (
        SELECT cluster_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    )
SELECT
    (SELECT count() FROM homes) AS members,
    (SELECT count() FROM homes WHERE cluster_id NOT IN (SELECT cluster_id FROM sizes)) AS homeless_members,
    (SELECT sum(size) FROM sizes) AS total_size,
    (SELECT countIf(size = 0) FROM sizes) AS empty_clusters
"""

INFINITE_VALUES = """
SELECT
    (
        SELECT countIf(NOT (isFinite(distance) AND isFinite(strength) AND isFinite(x) AND isFinite(y)))
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ) AS members,
    (
        SELECT countIf(NOT (
            isFinite(radius)
            AND isFinite(centroid_x)
            AND isFinite(centroid_y)
            AND arrayAll(value -> isFinite(value), centroid)
        ))
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ) AS clusters
"""

# Attempts that nobody sees, and that nobody can still be writing: killed before their commit row, or of two at once the
# one that the other replaced. Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
DEAD_ATTEMPTS = """
SELECT attempt_id
FROM cluster_members
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id NOT IN
    (
        SELECT attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day = {day:Date} AND theme_id = {theme_id:String}
    )
GROUP BY attempt_id
HAVING max(inserted_at) < now64(6) - INTERVAL 1 DAY
"""

FORGET_ATTEMPT_MEMBERS = """
DELETE FROM cluster_members
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""

FORGET_ATTEMPT_CLUSTERS = """
DELETE FROM clusters
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""

FORGET_ATTEMPT_NAME_TESTS = """
DELETE FROM cluster_name_tests
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""

FORGET_ATTEMPT_GROUP_LABELS = """
DELETE FROM cluster_group_labels
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""

FORGET_ATTEMPT_LABELS = """
DELETE FROM cluster_labels
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A committed clustering run."""

    team_id: int
    day: date
    theme_id: str
    level: str
    attempt_id: UUID
    input_id: UUID
    run_id: str
    method: str
    params: str
    items: int
    window_items: int
    clusters: int
    noise_items: int
    silhouette: float | None
    inertia: float | None
    quality: str
    lineage: str
    embedding_model: str
    window_start: datetime
    window_end: datetime
    committed_at: datetime

    @property
    def attempt(self) -> dict[str, Any]:
        """The key that the rows of the run have in common, as parameters of statements."""
        return {"team_id": self.team_id, "day": self.day, "theme_id": self.theme_id, "attempt_id": self.attempt_id}

    @property
    def theme_version(self) -> str:
        """The version of the theme that its items were summarised under, "" where that is not known."""
        return str(orjson.loads(self.params).get("theme_version", ""))


def committed_run(database: Database, team_day: TeamDay, theme_id: str) -> Run | None:
    """The run whose results are published for a team, a day and a theme."""
    rows = database.rows(COMMITTED_RUN, team_id=team_day.team_id, day=team_day.day, theme_id=theme_id)
    return Run(**rows[0]) if rows else None


def runs_of_day(database: Database, team_day: TeamDay) -> list[Run]:
    """The committed runs of a team's day, one a theme."""
    return [Run(**row) for row in database.rows(RUNS_OF_DAY, team_id=team_day.team_id, day=team_day.day)]


def clusters_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """The clusters of a run, noise last."""
    return database.rows(CLUSTERS_OF_RUN, **run.attempt)


def centroids_of(clusters: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    """The centroids (k, d) of stored clusters, (0, 0) for none."""
    return np.array([row["centroid"] for row in clusters], dtype=np.float32).reshape(
        len(clusters), len(clusters[0]["centroid"]) if clusters else 0
    )


def members_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """The members of a run by cluster and rank, noise last."""
    return database.rows(MEMBERS_OF_RUN, **run.attempt)


def clustered_since(
    database: Database, team_day: TeamDay, theme_id: str, version: str, first_day: date
) -> dict[str, int]:
    """How many items of the days from `first_day` on a day's published run holds: `clustered`, and `outliers`.

    Args:
        version: of the theme; a run under another one counts as none.
    """
    key = {"team_id": team_day.team_id, "day": team_day.day, "theme_id": theme_id, "version": version}
    (row,) = database.rows(CLUSTERED_OF_DAYS, **key, **{"from": first_day})
    return row


def clusters_of_items(
    database: Database, team_id: int, item_ids: Sequence[str], *, first_day: date, last_day: date
) -> list[dict[str, Any]]:
    """Of each theme and item the cluster in the latest run that read it: day, number, lineage, and the model's title.

    Args:
        first_day, last_day: of the items.
    """
    period = {"from": first_day, "until": last_day}
    return database.rows(CLUSTERS_OF_ITEMS, team_id=team_id, item_ids=item_ids, **period)


def invariants_of(database: Database, run: Run) -> dict[str, int]:
    """Counts that must agree with the run's commit row."""
    (row,) = database.rows(RUN_INVARIANTS, **run.attempt)
    return row


def infinite_values_of(database: Database, run: Run) -> dict[str, int]:
    """Members and clusters of a run with a value that is NaN or infinite."""
    (row,) = database.rows(INFINITE_VALUES, **run.attempt)
    return row


def publish_run(
    database: Database,
    run: dict[str, Any],
    *,
    clusters: Sequence[dict[str, Any]],
    members: Sequence[dict[str, Any]],
) -> None:
    """Write members, then clusters, then the row that makes both visible. Killed before that, nothing shows."""
    database.insert_rows("cluster_members", members)
    database.insert_rows("clusters", clusters)
    database.insert_rows("clustering_runs", [run])


def forget_attempts(database: Database, team_day: TeamDay, theme_id: str, previous: Run | None) -> None:
    """Remove what the previous attempt and those that never counted wrote; nobody can see it any more."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "theme_id": theme_id}
    superseded = {row["attempt_id"] for row in database.rows(DEAD_ATTEMPTS, **key)}
    for attempt_id in superseded | ({previous.attempt_id} if previous else set()):
        for statement in (
            FORGET_ATTEMPT_NAME_TESTS,
            FORGET_ATTEMPT_GROUP_LABELS,
            FORGET_ATTEMPT_LABELS,
            FORGET_ATTEMPT_CLUSTERS,
            FORGET_ATTEMPT_MEMBERS,
        ):
            database.execute(statement, **key, attempt_id=attempt_id)
