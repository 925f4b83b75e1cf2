"""Which runs of a day a blocking check may find fault with, of many teams by a few queries.

It finds more runs than the checks do, never fewer: whoever needs a verdict evaluates the checks on what is found here.
What must be true of a run is judged in `checks`; `runs_to_check` has to be as strict as they are.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.clusters.store.invariants import COMPARED_MEMBERS, ROUNDING
from llma_assets.embeddings import PRODUCT

# Keys: clustering_runs (team_id, day, theme_id); clusters and cluster_members (…, attempt_id, cluster_id or item_id).
_RUNS = """
WITH
    runs AS
    (
        SELECT
            team_id, theme_id, attempt_id, level, items, clusters, noise_items, quality, embedding_model, committed_at,
            toDate(window_start) AS first_day,
            JSONExtractString(params, 'theme_version') AS version,
            if(
                JSONHas(params, 'same_distance'), JSONExtractFloat(params, 'same_distance'), {same_distance:Float64}
            ) + {rounding:Float64} AS tolerance,
            if(JSONHas(quality, 'sampled_items'), JSONExtractUInt(quality, 'sampled_items'), items) AS sampled
        FROM clustering_runs FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date}
    )
"""

# Sizes, members, ranks, finite values, one giant cluster; and runs that are too big to be compared with vectors here.
UNSOUND_COUNTS = (
    _RUNS
    + """,
    stored AS
    (
        SELECT
            team_id, theme_id, attempt_id, cluster_id, toInt64(size) AS size, 0 AS members,
            toUInt64(size = 0 OR NOT (
                isFinite(radius) AND isFinite(centroid_x) AND isFinite(centroid_y)
                AND arrayAll(value -> isFinite(value), centroid)
            )) AS faults
        FROM clusters FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND day = {day:Date}
            AND (team_id, theme_id, attempt_id) IN (SELECT team_id, theme_id, attempt_id FROM runs)
        UNION ALL
        SELECT
            team_id, theme_id, attempt_id, cluster_id, toInt64(0) AS size, count() AS members,
            countIf(
                rank != place - 1
                OR (place > 1 AND if(cluster_id = -1, distance > before, distance < before))
                OR NOT (isFinite(distance) AND isFinite(strength) AND isFinite(x) AND isFinite(y))
                OR nth > 1
            ) AS faults
        FROM
        (
            SELECT
                team_id, theme_id, attempt_id, cluster_id, rank, distance, strength, x, y,
                row_number() OVER by_rank AS place,
                lagInFrame(distance) OVER by_rank AS before,
                row_number() OVER (
                    PARTITION BY team_id, theme_id, attempt_id, trace_id, generation_id ORDER BY item_id
                ) AS nth
            FROM cluster_members FINAL
            WHERE team_id IN {team_ids:Array(Int64)}
                AND day = {day:Date}
                AND (team_id, theme_id, attempt_id) IN (SELECT team_id, theme_id, attempt_id FROM runs)
            WINDOW by_rank AS
            (
                PARTITION BY team_id, theme_id, attempt_id, cluster_id
                ORDER BY rank, item_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            )
        )
        GROUP BY team_id, theme_id, attempt_id, cluster_id
    ),
    by_cluster AS
    (
        SELECT
            team_id, theme_id, attempt_id, cluster_id,
            sum(size) AS size, sum(members) AS members, sum(faults) AS faults
        FROM stored
        GROUP BY team_id, theme_id, attempt_id, cluster_id
    ),
    by_run AS
    (
        SELECT
            team_id, theme_id, attempt_id,
            sum(size) AS total_size,
            sum(members) AS total_members,
            countIf(cluster_id != -1) AS real_clusters,
            sumIf(size, cluster_id = -1) AS outliers,
            sum(faults) + countIf(size != members) AS faults
        FROM by_cluster
        GROUP BY team_id, theme_id, attempt_id
    )
SELECT runs.team_id AS team_id, runs.theme_id AS theme_id
FROM runs
LEFT JOIN by_run USING (team_id, theme_id, attempt_id)
WHERE runs.items = 0
    OR runs.clusters = 0
    OR by_run.total_size != runs.items
    OR by_run.total_members != runs.items
    OR by_run.real_clusters != runs.clusters
    OR by_run.outliers != runs.noise_items
    OR by_run.faults > 0
    OR (
        JSONExtractFloat(runs.quality, 'distinct_items') > 0
        AND NOT JSONExtractFloat(runs.quality, 'largest_share') BETWEEN 1e-9 AND {largest_share:Float64}
    )
    OR runs.sampled < runs.items
    OR runs.items > {most:UInt64}
"""
)

# Keys: theme_items and trace_summaries (team_id, day, theme_id, item_id).
OUTSIDE_THE_THEME = (
    _RUNS
    + """,
    members AS
    (
        SELECT team_id, theme_id, version, item_day AS day, item_id
        FROM
        (
            SELECT team_id, theme_id, attempt_id, item_day, item_id
            FROM cluster_members FINAL
            WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date}
        ) AS stored
        INNER JOIN runs USING (team_id, theme_id, attempt_id)
    )
SELECT team_id, theme_id
FROM theme_items FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day BETWEEN (SELECT min(first_day) FROM runs) AND {day:Date}
    AND NOT (taken AND screened)
    AND (team_id, theme_id, version, day, item_id) IN (SELECT team_id, theme_id, version, day, item_id FROM members)
GROUP BY team_id, theme_id
UNION DISTINCT
SELECT team_id, theme_id
FROM trace_summaries FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day BETWEEN (SELECT min(first_day) FROM runs) AND {day:Date}
    AND NOT relevant
    AND (team_id, theme_id, theme_version, day, item_id)
        IN (SELECT team_id, theme_id, version, day, item_id FROM members)
GROUP BY team_id, theme_id
"""
)

# As the check compares them, of runs that clustered all their items. Vectors come first, so that they pass through the
# joins a block at a time. Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
AWAY_FROM_VECTORS = (
    _RUNS
    + """,
    members AS
    (
        SELECT
            team_id, theme_id, attempt_id, cluster_id, item_id AS document_id, distance, committed_at, first_day,
            tolerance,
            concat('llm-', level, '-summary') AS document_type,
            embedding_model AS model_name,
            concat('llm_traces_summary_', theme_id) AS rendering
        FROM
        (
            SELECT team_id, theme_id, attempt_id, cluster_id, item_id, distance
            FROM cluster_members FINAL
            WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND cluster_id != -1
        ) AS stored
        INNER JOIN runs USING (team_id, theme_id, attempt_id)
    ),
    homes AS
    (
        SELECT team_id, theme_id, attempt_id, cluster_id, size, centroid
        FROM clusters FINAL
        WHERE team_id IN {team_ids:Array(Int64)} AND day = {day:Date} AND notEmpty(centroid)
    ),
    vectors AS
    (
        SELECT
            team_id, toDate(timestamp) AS vector_day, document_type, model_name, rendering, document_id, embedding,
            inserted_at,
            L2Norm(embedding) AS norm
        FROM document_embeddings FINAL
        WHERE team_id IN {team_ids:Array(Int64)}
            AND toDate(timestamp) BETWEEN (SELECT min(first_day) FROM runs) AND {day:Date}
            AND product = {product:String}
            AND (team_id, document_type, model_name, rendering, document_id) IN
            (
                SELECT team_id, document_type, model_name, rendering, document_id
                FROM members
            )
    )
SELECT DISTINCT team_id, theme_id
FROM
(
    SELECT
        team_id,
        theme_id,
        countIf(NOT isFinite(norm) OR norm = 0 OR length(embedding) != length(centroid)) AS unusable,
        countIf(
            abs(
                distance - sqrt(greatest(
                    0,
                    1
                    - 2 * arrayDotProduct(arrayResize(embedding, length(centroid)), centroid) / norm
                    + arrayDotProduct(centroid, centroid)
                ))
            ) > tolerance
        ) AS elsewhere,
        -- Of a part of the members the mean is another one.
        if(
            unusable > 0 OR count() != any(size),
            0,
            L2Distance(avgForEach(arrayMap(x -> x / norm, embedding)), any(centroid))
        ) AS off,
        any(tolerance) AS allowed
    FROM vectors
    INNER JOIN members USING (team_id, document_type, model_name, rendering, document_id)
    INNER JOIN homes USING (team_id, theme_id, attempt_id, cluster_id)
    WHERE inserted_at <= committed_at AND vector_day >= first_day
    GROUP BY team_id, theme_id, attempt_id, cluster_id
)
WHERE unusable > 0 OR elsewhere > 0 OR off > allowed
SETTINGS max_block_size = 1024
"""
)


def runs_to_check(
    database: Database, day: date, team_ids: Collection[int], *, largest_share: float
) -> set[tuple[int, str]]:
    """Team and theme of the runs of a day that a blocking check of `cluster_assignments` may find fault with."""
    given: dict[str, Any] = {
        "team_ids": sorted(team_ids),
        "day": day,
        "same_distance": ClusteringConfig().same_distance,
        "rounding": ROUNDING,
    }
    rows = [
        *database.rows(UNSOUND_COUNTS, **given, largest_share=largest_share, most=COMPARED_MEMBERS),
        *database.rows(OUTSIDE_THE_THEME, **given),
        *database.rows(AWAY_FROM_VECTORS, **given, product=PRODUCT),
    ]
    return {(row["team_id"], row["theme_id"]) for row in rows}
