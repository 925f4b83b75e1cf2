"""How far an item lies from its cluster and from the others of the run: which cluster would be its second choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.embeddings import PRODUCT

NEAREST = 2
"""Clusters that are read of each theme: the item's own and the nearest other, of an outlier the two nearest."""

# Only clusters that are shown in full, and only vectors of the length of the centroids. Keys: clustering_runs (team_id,
# day, theme_id); clusters and cluster_labels (team_id, day, theme_id, attempt_id, cluster_id); document_embeddings
# (team_id, toDate(timestamp), product, …).
NEAREST_CLUSTERS = """
WITH
    runs AS
    (
        SELECT day, theme_id, attempt_id, embedding_model
        FROM clustering_runs FINAL
        WHERE team_id = {team_id:Int64} AND day IN {days:Array(Date)} AND attempt_id IN {attempt_ids:Array(UUID)}
    ),
    vectors AS
    (
        SELECT rendering, model_name, embedding, arraySum(x -> x * x, embedding) AS square
        FROM document_embeddings FINAL
        WHERE team_id = {team_id:Int64}
            AND toDate(timestamp) = {item_day:Date}
            AND product = {product:String}
            AND document_id = {item_id:String}
    )
SELECT
    known.theme_id AS theme_id,
    known.cluster_id AS cluster_id,
    known.lineage_id AS lineage_id,
    known.radius AS radius,
    labels.title AS title,
    if(
        length(vectors.embedding) = length(known.centroid) AND vectors.square > 0,
        L2Distance(arrayMap(x -> x / sqrt(vectors.square), vectors.embedding), known.centroid),
        NULL
    ) AS distance
FROM
(
    SELECT day, theme_id, attempt_id, cluster_id, lineage_id, radius, centroid
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day IN {days:Array(Date)}
        AND attempt_id IN {attempt_ids:Array(UUID)}
        AND cluster_id >= 0
        AND disclosure = 'full'
) AS known
INNER JOIN runs USING (attempt_id)
INNER JOIN vectors
    ON vectors.rendering = concat('llm_traces_summary_', known.theme_id) AND vectors.model_name = runs.embedding_model
LEFT JOIN
(
    SELECT attempt_id, cluster_id, title
    FROM cluster_labels FINAL
    WHERE team_id = {team_id:Int64} AND day IN {days:Array(Date)} AND attempt_id IN {attempt_ids:Array(UUID)}
) AS labels
    ON labels.attempt_id = known.attempt_id AND labels.cluster_id = known.cluster_id
WHERE distance IS NOT NULL
ORDER BY theme_id, distance, cluster_id
"""


@dataclass(frozen=True, slots=True)
class NearCluster:
    """A cluster near an item.

    Attributes:
        theme_id, cluster_id, lineage_id: which one, of the latest run of the theme that read the item.
        title: as the model named it, "" without a name.
        is_own: the item is in it.
        distance: Euclidean, from the item at length 1 to the cluster's centroid.
        radius: how far the cluster reaches, 0 where that was not stored.
    """

    theme_id: str
    cluster_id: int
    lineage_id: str
    title: str
    is_own: bool
    distance: float
    radius: float


def nearest_clusters(
    database: Database, team_id: int, item_id: str, item_day: date, homes: Sequence[Mapping[str, Any]]
) -> dict[str, list[NearCluster]]:
    """By theme the item's own cluster, where it may be shown, and then the nearest of the others.

    Nothing of a theme whose run or vectors are gone.

    Args:
        homes: of each theme the item's cluster, as `clusters_of_items` gives them.
    """
    if not homes:
        return {}
    rows = database.rows(
        NEAREST_CLUSTERS,
        team_id=team_id,
        item_id=item_id,
        item_day=item_day,
        product=PRODUCT,
        days=sorted({home["day"] for home in homes}),
        attempt_ids=[home["attempt_id"] for home in homes],
    )
    own = {home["theme_id"]: home["cluster_id"] for home in homes}
    found: dict[str, list[NearCluster]] = {}
    for row in sorted(rows, key=lambda row: row["cluster_id"] != own[row["theme_id"]]):
        near = found.setdefault(row["theme_id"], [])
        if len(near) < NEAREST:
            is_own = row["cluster_id"] == own[row["theme_id"]]
            names = (row["theme_id"], row["cluster_id"], row["lineage_id"], row["title"])
            near.append(NearCluster(*names, is_own, row["distance"], row["radius"]))
    return found
