"""The result of a clustering. Finding it belongs in `clustering_run`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.partition import KScore
from llma_assets.clusters.engine.resolution import ResolutionScore

Predict = Callable[[NDArray[np.float32]], tuple[NDArray[np.int_], NDArray[np.float64]]]
"""Assigns unseen rows of length 1 (b, d): labels (b,), -1 is noise, and strength (b,)."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a clustering; every field is serialisable as JSON.

    Attributes:
        clusters: number of clusters, noise not counted.
        silhouette: mean silhouette of the clustered items in the reduced space, in [-1, 1], over a sample
            where there are many; None with fewer than two clusters.
        inertia: sum of squared distances of clustered items to their centroids, in the full space, items
            scaled to length 1.
        stability: mean adjusted Rand index with what is found on parts of the items, at most 1; None with too
            few items.
        noise_share: share of the items that are noise.
        borderline_share: share of the items that are borderline members of their cluster.
        largest_share: share of the items in the largest cluster.
        separation: median over the clusters of the distance to the nearest other centroid, divided by the
            mean distance of the cluster's members to their own; None with fewer than two clusters.
        explained_variance: share of the variance that the reduced space keeps.
        reduced_dimensions: dimensions of the reduced space.
        distinct_items: items left when equal and nearly equal ones are counted once.
        k_curve: every k that was tried, with its silhouette and inertia in the reduced space.
        resolution: the one that was chosen; None where it is not a parameter.
        resolution_curve: every resolution that was tried, with the stability and separation it gave.
        collapse: why the method's first answer was not usable, "" if it was.
        mended_by: the fallback that replaced that answer, "" if nothing did.
    """

    clusters: int
    silhouette: float | None
    inertia: float
    stability: float | None
    noise_share: float
    borderline_share: float
    largest_share: float
    separation: float | None
    explained_variance: float
    reduced_dimensions: int
    distinct_items: int
    k_curve: tuple[KScore, ...]
    resolution: float | None
    resolution_curve: tuple[ResolutionScore, ...]
    collapse: str
    mended_by: str

    def to_dict(self) -> dict[str, Any]:
        """The fields as a JSON-serialisable dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Clusters of n items, numbered by falling size from 0; noise is -1.

    Attributes:
        labels: int (n,), -1 is noise.
        centroids: float32 (k, d), means of the members scaled to length 1, in the full space.
        radii: float64 (k,), distance from each centroid inside which a new item belongs to the cluster: the 95th
            percentile of the members' distances times 1.1.
        groups: int (k,), upper level: group of each cluster, numbered by falling size; with few clusters each is
            a group of its own.
        distances: float64 (n,), Euclidean, from the item at length 1 to its own centroid; for noise to the
            nearest one.
        ranks: int (n,), place of the item in its cluster, 0 is the closest to the centroid; among noise 0
            is the farthest.
        strength: float64 (n,) in [0, 1], how firmly the item belongs to its cluster; 0 for noise.
        borderline: bool (n,), borderline members; they count, but do not represent their cluster.
        coordinates: float64 (n, 2) in [-1, 1].
        centroid_coordinates: float64 (k, 2), means of the members' coordinates.
        distinct: intp (n,), equal for items whose embeddings are equal, or nearly.
        quality: how good it is.
        method: "graph", "kmeans" or "hdbscan", as configured; `quality.mended_by` names the fallback, if one was used.
        outlier_scores: float64 (n,) in [0, 1] of `hdbscan`: how much lower the density is at the item than in the
            nearest cluster; None with other methods.
        predict: `hdbscan`'s own assignment of unsampled items; None where centroids and radii decide.
        templates: int (k,), place of the template that a cluster is, -1 for a cluster of other items; None where there
            are no templates.
    """

    labels: NDArray[np.int_]
    centroids: NDArray[np.float32]
    radii: NDArray[np.float64]
    groups: NDArray[np.int_]
    distances: NDArray[np.float64]
    ranks: NDArray[np.int_]
    strength: NDArray[np.float64]
    borderline: NDArray[np.bool_]
    coordinates: NDArray[np.float64]
    centroid_coordinates: NDArray[np.float64]
    distinct: NDArray[np.intp]
    quality: Quality
    method: str
    outlier_scores: NDArray[np.float64] | None = None
    predict: Predict | None = None
    templates: NDArray[np.int_] | None = None

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Members of each cluster, (k,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.centroids))


def representatives(clustering: Clustering, n: int = 7) -> dict[int, list[int]]:
    """The `n` items of each cluster that are closest to its centroid, by rank.

    Of items with equal embeddings one is enough while there are others. Borderline members represent a cluster only if
    it has no others.

    Returns:
        For each cluster, without noise, indices of at most `n` items.

    Raises:
        ValueError: `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"The 'n' parameter of representatives must be in the range [1, inf). Got {n!r}.")
    chosen = {}
    order = np.lexsort((clustering.ranks, clustering.labels))
    for cluster_id in range(len(clustering.centroids)):
        members = order[clustering.labels[order] == cluster_id]
        first = np.zeros(len(members), dtype=bool)
        first[np.unique(clustering.distinct[members], return_index=True)[1]] = True
        sure = ~clustering.borderline[members]
        if sure.any():
            members, first = members[sure], first[sure]
        picked = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])[:n]
        chosen[cluster_id] = [int(index) for index in members[np.sort(picked)]]
    return chosen
