"""The table `clusters`: the clusters of committed runs, and those that items are in."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import Run, rows_of_run

# Key of clusters: (team_id, day, theme_id, attempt_id, cluster_id).
CLUSTERS_OF_RUN = """
SELECT
    attempt_id,
    cluster_id,
    lineage_id,
    lineage_status,
    lineage_confidence,
    lineage_parents,
    size,
    radius,
    centroid,
    centroid_x,
    centroid_y,
    traces,
    users,
    template,
    disclosure
FROM clusters FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
ORDER BY cluster_id = -1, cluster_id
"""

# Of runs from before the number was stored. Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
TRACES_OF_CLUSTERS = """
SELECT cluster_id, uniqExact(trace_id) AS traces
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
GROUP BY cluster_id
"""

# Only of clusters that are shown in full. Of each item the latest run that read it. Keys: clustering_runs (team_id,
# day, theme_id); cluster_members (…, attempt_id, item_id); clusters and cluster_labels (…, attempt_id, cluster_id).
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
    homes.attempt_id AS attempt_id,
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
        AND disclosure = 'full'
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


def clusters_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """All clusters of a run, noise last, also those that may not be shown: other rooms read them by `disclosure`."""
    rows = rows_of_run(database, CLUSTERS_OF_RUN, run)
    if any(row["traces"] == 0 and row["size"] for row in rows):
        counted = {row["cluster_id"]: row["traces"] for row in database.rows(TRACES_OF_CLUSTERS, **run.attempt)}
        rows = [{**row, "traces": counted.get(row["cluster_id"], 0)} for row in rows]
    return rows


def centroids_of(clusters: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    """The centroids (k, d) of stored clusters, (0, 0) for none."""
    return np.array([row["centroid"] for row in clusters], dtype=np.float32).reshape(
        len(clusters), len(clusters[0]["centroid"]) if clusters else 0
    )


def clusters_of_items(
    database: Database, team_id: int, item_ids: Sequence[str], *, first_day: date, last_day: date
) -> list[dict[str, Any]]:
    """Of each theme and item the cluster in the latest run that read it: day, number, lineage, and the model's title.

    Args:
        first_day, last_day: of the items.
    """
    period = {"from": first_day, "until": last_day}
    return database.rows(CLUSTERS_OF_ITEMS, team_id=team_id, item_ids=item_ids, **period)
