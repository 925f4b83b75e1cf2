"""Every statement about items that came after a run: which they are, and in which of its clusters they belong.

How an item is assigned belongs in `assigning`. Nothing is stored: the next run clusters the items anyway.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters.engine.assignment import Assignment, assign, cluster_radii
from llma_assets.clusters.engine.threads import one_thread
from llma_assets.clusters.store.runs import Run, centroids_of, clusters_of, members_of
from llma_assets.embeddings import PRODUCT
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

# Key of clustering_runs: (team_id, day, theme_id).
LATEST_RUN = """
SELECT *
FROM clustering_runs FINAL
WHERE team_id = {team_id:Int64} AND day <= {day:Date} AND theme_id = {theme_id:String} AND items > 0
ORDER BY day DESC
LIMIT 1
"""

# Keys of document_embeddings: (team_id, toDate(timestamp), product, document_type, model_name, rendering,
# document_id), of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
NEW_EMBEDDINGS = """
SELECT document_id, toDate(timestamp) AS item_day, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND timestamp >= {window_start:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
    AND (JSONExtractString(metadata, 'theme_version') IN {versions:Array(String)} OR {any_version:Bool})
    AND document_id NOT IN
    (
        SELECT item_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    )
ORDER BY document_id
"""


@dataclass(frozen=True, slots=True, eq=False)
class NewItems:
    """Items that a run has not seen, and where they belong.

    Attributes:
        run: the run.
        clusters: its clusters, noise left out, in the order that the labels count.
        item_ids: n ids, ascending.
        item_days: the day of each.
        assigned: labels, distances and strengths, n each; a label is a place in `clusters`.
    """

    run: Run
    clusters: list[dict[str, Any]]
    item_ids: list[str]
    item_days: list[date]
    assigned: Assignment


def assign_new_items(database: Database, team_day: TeamDay, theme: Theme) -> NewItems | None:
    """Assign what came since the latest run up to a day, and what came too late for it, to that run's clusters.

    Items count that are embedded by the run's model, under the theme's version that the run is of, from the beginning
    of its window to the end of the day.

    Returns:
        None if there is no run.
    """
    rows = database.rows(LATEST_RUN, team_id=team_day.team_id, day=team_day.day, theme_id=theme.theme_id)
    if not rows:
        return None
    run = Run(**rows[0])
    version, present = run.theme_version, stored_versions(theme)
    table = database.arrow(
        NEW_EMBEDDINGS,
        **run.attempt,
        window_start=run.window_start,
        until=team_day.end,
        product=PRODUCT,
        document_type=theme.document_type,
        model_name=run.embedding_model,
        rendering=theme.rendering,
        versions=list(present) if version in present else [version],
        any_version=bool(orjson.loads(run.params).get("mix_versions")),
    ).combine_chunks()
    clusters = [row for row in clusters_of(database, run) if row["cluster_id"] >= 0]
    radii = np.array([row["radius"] for row in clusters])
    if not radii.any():
        radii = _radii_of_members(database, run, [row["cluster_id"] for row in clusters])
    n = table.num_rows
    vectors = np.asarray(table.column("embedding").combine_chunks().flatten(), dtype=np.float32)
    with one_thread():
        assigned = assign(vectors.reshape(n, len(vectors) // max(n, 1)), centroids_of(clusters), radii)
    return NewItems(
        run, clusters, table.column("document_id").to_pylist(), table.column("item_day").to_pylist(), assigned
    )


def _radii_of_members(database: Database, run: Run, cluster_ids: list[int]) -> NDArray[np.float64]:
    """For a run that was stored before radii were."""
    members = members_of(database, run)
    labels = np.array([cluster_ids.index(m["cluster_id"]) if m["cluster_id"] in cluster_ids else -1 for m in members])
    return cluster_radii(labels, np.array([member["distance"] for member in members]), len(cluster_ids))
