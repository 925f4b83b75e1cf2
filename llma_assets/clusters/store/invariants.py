"""What the checks read of a clustering run: its parts held against each other, and against the vectors it was made of.

What must be true of that is judged in `checks`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.config import NOISE_LABEL, NOISE_TITLE, ClusteringConfig
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.clusters.store.window import SAMPLE_SEED
from llma_assets.embeddings import space_of
from llma_assets.themes import GENERATIONS, TRACES

COMPARED_MEMBERS = 20_000
"""Members whose vectors are read again, at most, unless the run itself clustered more; a seeded choice of them."""

ROUNDING = 0.005
"""Of distances that single precision computes in two ways, at length 1."""

# Key of cluster_labels: (team_id, day, theme_id, attempt_id, cluster_id).
TITLES_OF_RUN = """
SELECT cluster_id, title
FROM cluster_labels FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
    AND title != ''
"""

# By hand: checks show it. Keys: clusters (…, attempt_id, cluster_id), cluster_members (…, attempt_id, item_id).
SIZES_AND_MEMBERS = """
SELECT cluster_id, sum(size) AS size, sum(members) AS members
FROM
(
    SELECT cluster_id, toUInt64(size) AS size, 0 AS members
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
    UNION ALL
    SELECT cluster_id, 0 AS size, count() AS members
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
    GROUP BY cluster_id
)
GROUP BY cluster_id
ORDER BY cluster_id = -1, cluster_id
"""

# A trace or generation under two item ids. Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
COUNTED_TWICE = """
SELECT trace_id, generation_id, count() AS members
FROM cluster_members FINAL
WHERE team_id = {team_id:Int64}
    AND day = {day:Date}
    AND theme_id = {theme_id:String}
    AND attempt_id = {attempt_id:UUID}
GROUP BY trace_id, generation_id
HAVING members > 1
ORDER BY members DESC, trace_id, generation_id
LIMIT 5
"""

# By hand: checks show it. Ranks of a cluster go from 0 without a gap, the closest first; among noise the farthest.
# Key of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
RANKS_AND_DISTANCES = """
SELECT
    cluster_id,
    countIf(rank != place - 1) AS misplaced,
    countIf(place > 1 AND if(cluster_id = -1, distance > before, distance < before)) AS out_of_order
FROM
(
    SELECT
        cluster_id,
        rank,
        distance,
        row_number() OVER by_rank AS place,
        lagInFrame(distance) OVER by_rank AS before
    FROM cluster_members FINAL
    WHERE team_id = {team_id:Int64}
        AND day = {day:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id = {attempt_id:UUID}
    WINDOW by_rank AS (PARTITION BY cluster_id ORDER BY rank, item_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
GROUP BY cluster_id
HAVING misplaced > 0 OR out_of_order > 0
ORDER BY cluster_id = -1, cluster_id
"""

# Members of the sample are those that the order of the hash puts first, as it was drawn, of each trace so many. A
# vector that was made anew since the run was committed is another one, and says nothing about it. Vectors come first,
# so that they pass through the joins a block at a time.
# Keys: cluster_members and clusters as above; document_embeddings
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
MEMBERS_AND_VECTORS = """
WITH
    chosen AS
    (
        SELECT
            item_id,
            cluster_id,
            distance,
            row_number() OVER (ORDER BY is_beyond, place, item_id) <= {sampled:UInt64} AS is_sampled
        FROM
        (
            SELECT
                item_id,
                cluster_id,
                distance,
                cityHash64({seed:UInt64}, item_id) AS place,
                row_number() OVER (PARTITION BY trace_id ORDER BY place, item_id)
                    > {items_per_trace:UInt64} AS is_beyond
            FROM cluster_members FINAL
            WHERE team_id = {team_id:Int64}
                AND day = {day:Date}
                AND theme_id = {theme_id:String}
                AND attempt_id = {attempt_id:UUID}
        )
        ORDER BY is_beyond, place, item_id
        LIMIT {most:UInt64}
    ),
    drawn AS
    (
        SELECT cluster_id, countIf(is_sampled) AS drawn_members
        FROM chosen
        GROUP BY cluster_id
    ),
    homes AS
    (
        SELECT cluster_id, centroid, drawn_members
        FROM clusters FINAL
        INNER JOIN drawn USING (cluster_id)
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
            AND notEmpty(centroid)
    ),
    vectors AS
    (
        SELECT document_id AS item_id, embedding, L2Norm(embedding) AS norm
        FROM document_embeddings FINAL
        WHERE team_id = {team_id:Int64}
            AND toDate(timestamp) BETWEEN {from:Date} AND {day:Date}
            AND product = {product:String}
            AND document_type = {document_type:String}
            AND model_name = {model_name:String}
            AND rendering = {rendering:String}
            AND document_id IN (SELECT item_id FROM chosen)
            AND inserted_at <= {committed_at:DateTime64(6, 'UTC')}
    )
SELECT
    cluster_id,
    count() AS compared,
    countIf(NOT isFinite(norm) OR norm = 0 OR length(embedding) != length(centroid)) AS unusable,
    countIf(
        abs(
            distance - sqrt(greatest(
                0,
                1
                - 2 * arrayDotProduct(arrayResize(embedding, length(centroid)), centroid) / norm
                + arrayDotProduct(centroid, centroid)
            ))
        ) > {tolerance:Float64}
    ) AS elsewhere,
    -- Of a part of the members the mean is another one.
    if(
        unusable > 0 OR drawn_members = 0 OR countIf(is_sampled) != drawn_members,
        0,
        L2Distance(avgForEachIf(arrayMap(x -> x / norm, embedding), is_sampled), any(centroid))
    ) AS off
FROM vectors
INNER JOIN chosen USING (item_id)
INNER JOIN homes USING (cluster_id)
GROUP BY cluster_id, drawn_members
ORDER BY cluster_id
SETTINGS max_block_size = 1024
"""


def names_of(database: Database, run: Run) -> Callable[[int], str]:
    """What to call a cluster of a run by its id: its title in quotes, or its number where it has none yet.

    Nothing is read before a name is needed: there are seldom any faults.
    """

    @cache
    def titles() -> dict[int, str]:
        return {row["cluster_id"]: row["title"] for row in database.rows(TITLES_OF_RUN, **run.attempt)}

    def name(cluster_id: int) -> str:
        if cluster_id == NOISE_LABEL:
            return NOISE_TITLE
        return f"'{titles()[cluster_id]}'" if cluster_id in titles() else f"cluster {cluster_id}"

    return name


def counted_twice(database: Database, run: Run) -> list[dict[str, Any]]:
    """Some traces, or generations, that are several members of the run."""
    return database.rows(COUNTED_TWICE, **run.attempt)


def members_and_vectors(database: Database, run: Run) -> tuple[list[dict[str, Any]], float]:
    """How the vectors of each cluster's members agree with what is stored of them, and what may differ.

    Returns:
        of each cluster, noise not among them: `compared` members, `unusable` vectors, members that lie `elsewhere`
        than their distance says, and how far the centroid is `off` the mean of the sampled ones, 0 where that cannot
        be said; and the difference that is none: nearly equal items are clustered as one.
    """
    params, quality = orjson.loads(run.params), orjson.loads(run.quality)
    tolerance = params.get("same_distance", ClusteringConfig().same_distance) + ROUNDING
    theme = replace(GENERATIONS if run.level == "generation" else TRACES, theme_id=run.theme_id)
    sampled = quality.get("sampled_items", run.items)
    rows = database.rows(
        MEMBERS_AND_VECTORS,
        **run.attempt,
        **{"from": run.window_start.date()},
        seed=SAMPLE_SEED,
        sampled=sampled,
        items_per_trace=params.get("items_per_trace") or run.items,
        most=max(sampled, COMPARED_MEMBERS),
        **space_of(theme, run.embedding_model),
        committed_at=run.committed_at,
        tolerance=tolerance,
    )
    return rows, tolerance
