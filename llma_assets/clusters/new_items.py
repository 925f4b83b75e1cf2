"""Assigns items that came after a run to its clusters.

The assignment of one item belongs in `engine.assignment`. Nothing is stored: the next run clusters the items.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters.disclosure import FULL
from llma_assets.clusters.engine.assignment import Assignment, assign, cluster_radii
from llma_assets.clusters.engine.threads import one_thread
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clustering_runs import Run, latest_run
from llma_assets.clusters.store.clusters import centroids_of, clusters_of
from llma_assets.clusters.store.window import new_embeddings
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme


@dataclass(frozen=True, slots=True, eq=False)
class NewItems:
    """Items that are not in a run, with their clusters.

    Attributes:
        run: the run.
        clusters: its clusters that are shown in full, noise left out, in the order that the labels count.
        shows_outliers: whether items of no shown cluster may be named.
        item_ids: n ids, ascending.
        item_days: the day of each.
        assigned: labels, distances and strengths, n each; a label is a place in `clusters`.
    """

    run: Run
    clusters: list[dict[str, Any]]
    shows_outliers: bool
    item_ids: list[str]
    item_days: list[date]
    assigned: Assignment


def assign_new_items(database: Database, team_day: TeamDay, theme: Theme) -> NewItems | None:
    """Assign items that are not in the latest run up to a day to the clusters of that run.

    These are the items from the beginning of the run's window to the end of the day that the run's model embedded under
    the run's version of the theme.

    Returns:
        None if there is no run.
    """
    run = latest_run(database, team_day, theme.theme_id)
    if run is None:
        return None
    table = new_embeddings(database, run, theme, until=team_day.end).combine_chunks()
    stored = clusters_of(database, run)
    clusters = [row for row in stored if row["cluster_id"] >= 0 and row["disclosure"] == FULL]
    # What is nearest to a withheld cluster is among the items of no shown one, and so as private as that cluster is.
    shows_outliers = all(row["disclosure"] == FULL for row in stored)
    radii = np.array([row["radius"] for row in clusters])
    if not radii.any():
        radii = _radii_of_members(database, run, [row["cluster_id"] for row in clusters])
    n = table.num_rows
    vectors = np.asarray(table.column("embedding").combine_chunks().flatten(), dtype=np.float32)
    with one_thread():
        assigned = assign(vectors.reshape(n, len(vectors) // max(n, 1)), centroids_of(clusters), radii)
    return NewItems(
        run,
        clusters,
        shows_outliers,
        table.column("document_id").to_pylist(),
        table.column("item_day").to_pylist(),
        assigned,
    )


def _radii_of_members(database: Database, run: Run, cluster_ids: list[int]) -> NDArray[np.float64]:
    """The radii of a run that was stored without them, by an earlier version."""
    members = members_of(database, run)
    labels = np.array([cluster_ids.index(m["cluster_id"]) if m["cluster_id"] in cluster_ids else -1 for m in members])
    return cluster_radii(labels, np.array([member["distance"] for member in members]), len(cluster_ids))
