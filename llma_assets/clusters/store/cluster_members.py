"""The table `cluster_members`: which items a run holds, where they lie, and which it should have kept out."""

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import Run, rows_of_run
from llma_assets.clusters.store.window import Window
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

if TYPE_CHECKING:
    import pyarrow as pa

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
MEMBERS_OF_RUN = """
SELECT attempt_id, item_id, trace_id, generation_id, item_day, cluster_id, distance, rank, strength, x, y, timestamp
FROM cluster_members FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
    AND ({all_clusters:Bool} OR cluster_id IN {cluster_ids:Array(Int32)})
ORDER BY cluster_id = -1, cluster_id, rank
"""

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
FIRST_MEMBERS = """
SELECT item_id, trace_id, cluster_id
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
ORDER BY cluster_id = -1, cluster_id, rank
LIMIT {limit:UInt32} BY cluster_id
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

# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
CLUSTERS_OF_ITEMS = """
SELECT item_id, item_day, cluster_id
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
"""

# Keys: of clustering_runs (team_id, day, theme_id), of cluster_members (team_id, day, theme_id, attempt_id, item_id).
EARLIER_MAP = """
SELECT item_id, x, y
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND theme_id = {theme_id:String}
    AND (day, attempt_id) IN
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64}
            AND day < {day:Date}
            AND day >= {since:Date}
            AND theme_id = {theme_id:String}
            AND embedding_model = {model_name:String}
            AND JSONExtractString(params, 'theme_version') IN {versions:Array(String)}
            AND items > 0
        ORDER BY day DESC
        LIMIT 1
    )
"""

# Of the last two runs by `graph` before a day that saw at least half as many items: what two runs agree on is held.
# Keys: of clustering_runs (team_id, day, theme_id), of cluster_members (team_id, day, theme_id, attempt_id, item_id).
EARLIER_CLUSTERS = """
SELECT day, item_id, cluster_id
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND theme_id = {theme_id:String}
    AND (day, attempt_id) IN
    (
        SELECT day, attempt_id
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64}
            AND day < {day:Date}
            AND day >= {since:Date}
            AND theme_id = {theme_id:String}
            AND embedding_model = {model_name:String}
            AND JSONExtractString(params, 'theme_version') IN {versions:Array(String)}
            AND method = 'graph'
            AND 2 * window_items >= {items:UInt64}
            AND items > 0
        ORDER BY day DESC
        LIMIT 2
    )
"""

# Keys: cluster_members (team_id, day, theme_id, attempt_id, item_id); clusters (…, attempt_id, cluster_id).
IS_MEMBER = """
SELECT count() > 0 AS found
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND theme_id = {theme_id:String}
    AND item_id = {item_id:String}
    AND (day, attempt_id, cluster_id) IN
    (
        SELECT day, attempt_id, cluster_id
        FROM clusters FINAL
        WHERE team_id = {team_id:Int64} AND theme_id = {theme_id:String} AND lineage_id IN {lineage_ids:Array(String)}
    )
"""

# Where the members of some clusters are once people took some of them out: `home` is -1 for these, as for outliers.
# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
HOMES_WITHOUT_TAKEN_OUT = """
SELECT
    if(is_out, -1, cluster_id) AS home,
    count() AS size,
    uniqExact(trace_id) AS traces,
    groupArrayIf((cluster_id, item_id), is_out) AS moved
FROM
(
    SELECT
        cluster_id,
        item_id,
        trace_id,
        has({pairs:Array(Tuple(Int32, String))}, (cluster_id, item_id)) AS is_out
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
        AND cluster_id IN {cluster_ids:Array(Int32)}
)
GROUP BY home
"""

# Held against what was known when the run was committed, under the version of the theme that it was made for: what
# was decided later concerns the next run. Keys: cluster_members (team_id, day, theme_id, attempt_id, item_id);
# theme_items and trace_summaries (team_id, day, theme_id, item_id).
MEMBERS_OUTSIDE_THE_THEME = """
WITH
    members AS
    (
        SELECT item_day, item_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    ),
    not_taken AS
    (
        SELECT day AS item_day, item_id
        FROM theme_items FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND version = {version:String}
            AND NOT (taken AND screened)
            AND inserted_at <= {committed_at:DateTime64(6, 'UTC')}
    ),
    irrelevant AS
    (
        SELECT day AS item_day, item_id
        FROM trace_summaries FINAL
        WHERE team_id = {team_id:Int64}
            AND day BETWEEN {from:Date} AND {until:Date}
            AND theme_id = {theme_id:String}
            AND theme_version = {version:String}
            AND NOT relevant
            AND inserted_at <= {committed_at:DateTime64(6, 'UTC')}
    )
SELECT
    countIf((item_day, item_id) IN (SELECT item_day, item_id FROM not_taken)) AS not_taken,
    countIf((item_day, item_id) IN (SELECT item_day, item_id FROM irrelevant)) AS irrelevant
FROM members
"""


def members_of(database: Database, run: Run, cluster_ids: Collection[int] | None = None) -> list[dict[str, Any]]:
    """The members of a run, or of some of its clusters, by cluster and rank, noise last."""
    asked = {"all_clusters": cluster_ids is None, "cluster_ids": sorted(cluster_ids or ())}
    return rows_of_run(database, MEMBERS_OF_RUN, run, **asked)


def first_members_of(database: Database, run: Run, limit: int) -> list[dict[str, Any]]:
    """The `limit` members of each cluster that are nearest to its centroid: `item_id`, `trace_id`, `cluster_id`."""
    return database.rows(FIRST_MEMBERS, **run.attempt, limit=limit)


def is_member(database: Database, team_id: int, theme_id: str, lineage_ids: Collection[str], item_id: str) -> bool:
    """Whether an item is, or was on any day, in a cluster of one of these lineages."""
    key = {"team_id": team_id, "theme_id": theme_id, "item_id": item_id}
    return bool(database.value(IS_MEMBER, **key, lineage_ids=sorted(set(lineage_ids))))


def homes_without(database: Database, run: Run, pairs: Collection[tuple[int, str]]) -> dict[int, dict[str, Any]]:
    """The clusters of a run from which people took members out, and the outliers, by number: `size`, `traces`.

    Args:
        pairs: cluster and item of what was taken out; those that are not in the run change nothing.

    Returns:
        the outliers have `moved`, too: the pairs that are in the run.
    """
    asked = sorted({cluster_id for cluster_id, _ in pairs} | {-1})
    rows = database.rows(HOMES_WITHOUT_TAKEN_OUT, **run.attempt, pairs=sorted(pairs), cluster_ids=asked)
    return {row.pop("home"): row for row in rows}


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


def earlier_map(
    database: Database, team_day: TeamDay, theme: Theme, window: Window, model_name: str
) -> NDArray[np.float64]:
    """Where the sample's items lay on the last map within the window, (n, 2); NaN for those that were on none."""
    index = {item_id: number for number, item_id in enumerate(window.item_ids)}
    found = np.full((len(index), 2), np.nan)
    for row in database.stream(
        EARLIER_MAP,
        team_id=team_day.team_id,
        day=team_day.day,
        since=window.start.date(),
        theme_id=theme.theme_id,
        versions=list(stored_versions(theme)),
        model_name=model_name,
    ):
        if row["item_id"] in index:
            found[index[row["item_id"]]] = row["x"], row["y"]
    return found


def earlier_clusters(
    database: Database, team_day: TeamDay, theme: Theme, window: Window, model_name: str
) -> NDArray[np.int_] | None:
    """In which clusters the sample's items were in the last two runs by `graph` within the window and before the day.

    Runs of less than half as many items do not count: the first days of a team are too few to cut those that follow.

    Returns:
        int (n, 2), -1 for noise and for items that a run did not hold; None without two such runs.
    """
    index = {item_id: number for number, item_id in enumerate(window.item_ids)}
    runs: dict[date, NDArray[np.int_]] = {}
    for row in database.stream(
        EARLIER_CLUSTERS,
        team_id=team_day.team_id,
        day=team_day.day,
        since=window.start.date(),
        theme_id=theme.theme_id,
        versions=list(stored_versions(theme)),
        model_name=model_name,
        items=window.available,
    ):
        labels = runs.setdefault(row["day"], np.full(len(index), -1, dtype=np.int_))
        if row["item_id"] in index:
            labels[index[row["item_id"]]] = row["cluster_id"]
    return np.column_stack([runs[day] for day in sorted(runs)]) if len(runs) == 2 else None


def members_outside_the_theme(database: Database, run: Run) -> dict[str, int]:
    """How many members of a run the theme does not take, and how many it found not to be relevant."""
    (row,) = database.rows(
        MEMBERS_OUTSIDE_THE_THEME,
        **run.attempt,
        version=run.theme_version,
        committed_at=run.committed_at,
        **{"from": run.window_start.date(), "until": run.day},
    )
    return row


def homes_of(database: Database, run: Run) -> "pa.Table":
    """The members of a run as columns: `item_id`, `item_day`, `cluster_id`."""
    return database.arrow(CLUSTERS_OF_ITEMS, **run.attempt)
