"""Assigns unsampled items to the clusters of the sample, so that counts cover the whole window.

Finding clusters belongs in `clustering_run`, assigning one item in `assignment`. No database.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.assignment import assign, unit_rows
from llma_assets.clusters.engine.clustering import Clustering
from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.measures import ranks_within
from llma_assets.clusters.engine.templates import NO_TEMPLATE
from llma_assets.clusters.engine.threads import one_thread


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The clusters of n items: the sample first, then the unsampled items.

    Attributes:
        labels: int (n,), -1 is noise.
        distances: float64 (n,), as in `Clustering`.
        ranks: int (n,), place of the item in its cluster, sample and rest together.
        strength: float64 (n,) in [0, 1]; of unsampled items how much nearer the own centroid is than the next one, or
            the method's own measure.
        coordinates: float64 (n, 2); an unsampled item lies at the middle of its nearest cluster.
    """

    labels: NDArray[np.int_]
    distances: NDArray[np.float64]
    ranks: NDArray[np.int_]
    strength: NDArray[np.float64]
    coordinates: NDArray[np.float64]


def assign_unsampled(
    clustering: Clustering,
    rest: int,
    blocks: Iterable[tuple[NDArray[np.intp], NDArray[np.float32]]],
    of_template: NDArray[np.int_] | None = None,
) -> Placement:
    """Assign each unsampled item by the method that found the clusters (`hdbscan`), else to its nearest centroid, or to
    noise outside that centroid's radius. An item of a template goes to the template's cluster, and no other item does.

    Args:
        clustering: of the sample.
        rest: number of unsampled items.
        blocks: positions among the unsampled items with embeddings (b, d); items in no block are noise.
        of_template: int (rest,), place of each item's template, -1 where it has none; None if there are no templates.

    Raises:
        InvalidEmbeddingsError: rows that are zero, NaN or infinite.
    """
    labels = np.full(rest, NOISE_LABEL, dtype=np.int_)
    distances, strength, coordinates = np.zeros(rest), np.zeros(rest), np.zeros((rest, 2))
    home = _homes_of_templates(clustering, rest, of_template)
    topics = np.arange(len(clustering.centroids))
    if clustering.templates is not None:
        topics = np.flatnonzero(clustering.templates == NO_TEMPLATE)
    centroids = clustering.centroids[topics]
    everywhere = np.full(len(topics), np.inf)
    for places, embeddings in blocks:
        with one_thread():
            found = assign(embeddings, centroids, everywhere)
            near = topics[found.labels]
            if clustering.predict is None:
                inside = found.distances <= clustering.radii[near]
                labels[places] = np.where(inside, near, NOISE_LABEL)
                distances[places] = found.distances
                strength[places] = np.where(inside, found.strength, 0.0)
            else:
                unit = unit_rows(embeddings)
                own, strength[places] = clustering.predict(unit)
                labels[places] = own
                near = np.where(own < 0, near, own)
                distances[places] = np.linalg.norm(unit - clustering.centroids[near], axis=1)
            if (known := np.flatnonzero(home[places] != NOISE_LABEL)).size:
                own = near[known] = labels[places[known]] = home[places[known]]
                unit = unit_rows(embeddings[known])
                distances[places[known]] = np.linalg.norm(unit - clustering.centroids[own], axis=1)
                strength[places[known]] = 1.0
        coordinates[places] = clustering.centroid_coordinates[near]
    all_labels = np.concatenate([clustering.labels, labels])
    all_distances = np.concatenate([clustering.distances, distances])
    return Placement(
        labels=all_labels,
        distances=all_distances,
        ranks=ranks_within(all_labels, all_distances),
        strength=np.concatenate([clustering.strength, strength]),
        coordinates=np.vstack([clustering.coordinates, coordinates]),
    )


def _homes_of_templates(clustering: Clustering, rest: int, of_template: NDArray[np.int_] | None) -> NDArray[np.int_]:
    """The cluster (rest,) of each item's template; -1 where it has none, or one that has no cluster."""
    home = np.full(rest, NOISE_LABEL, dtype=np.int_)
    if of_template is not None and clustering.templates is not None:
        for cluster_id in np.flatnonzero(clustering.templates != NO_TEMPLATE):
            home[of_template == clustering.templates[cluster_id]] = cluster_id
    return home
