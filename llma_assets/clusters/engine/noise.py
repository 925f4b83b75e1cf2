"""What belongs nowhere: points as lonely as chance would leave them. Clusters are not found here.

The rule needs no labels and no share to be guessed: points without structure are made from the data itself, and
an item that is no closer to its neighbours than those are to theirs has none.
"""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours, search_nearest

STRUCTURELESS = 500
AT_MOST_LIKE = 0.01
"""Share of the structureless points that may be less lonely than noise."""
SURE_SHARE = 0.5
"""With this share of its neighbours in its cluster a point is held there."""
STRAY_DEVIATIONS = 4.0
"""This many times the spread of its cluster above its middle a point's loneliness is not the cluster's."""
POINTS_AN_AXIS = 10
"""Axes that fewer points than this define are shaped by single points, and say nothing about chance."""
FEWEST_POINTS = 100


def lonely_points(points: NDArray[np.float32], neighbours: Neighbours, *, seed: int) -> NDArray[np.bool_]:
    """The points whose mean distance to their neighbours is one that structureless points have too.

    A structureless point takes each of its coordinates from another point: all directions are as spread as in
    the data, and nothing joins them.

    Args:
        points: float32 (m, p), in principal axes, so that coordinates are uncorrelated.
        neighbours: of the same points.
        seed: of the structureless points.

    Returns:
        bool (m,), all False with fewer than `FEWEST_POINTS`.
    """
    m, p = points.shape
    k = neighbours.indices.shape[1]
    if m < FEWEST_POINTS:
        return np.zeros(m, dtype=bool)
    axes = min(p, m // POINTS_AN_AXIS)
    loneliness = neighbours.distances.mean(axis=1)
    if axes < p:
        points = np.ascontiguousarray(points[:, :axes])
        loneliness = nearest_neighbours(points, k, seed=seed).distances.mean(axis=1)
    rng = np.random.default_rng(seed)
    made = np.column_stack([points[rng.integers(0, m, STRUCTURELESS), axis] for axis in range(axes)])
    chance = search_nearest(made, points, k)[1].mean(axis=1)
    lonely: NDArray[np.bool_] = loneliness > np.quantile(chance, AT_MOST_LIKE)
    return lonely


def belonging(labels: NDArray[np.int32], neighbours: Neighbours) -> NDArray[np.float64]:
    """Share (m,) of each point's neighbours that are in its cluster; 0 for noise, 1 where there are no neighbours."""
    if neighbours.indices.shape[1] == 0:
        return np.where(labels < 0, 0.0, 1.0)
    share = (labels[neighbours.indices] == labels[:, None]).mean(axis=1)
    return np.where(labels < 0, 0.0, share)


def without_noise(
    labels: NDArray[np.int32],
    weights: NDArray[np.float64],
    lonely: NDArray[np.bool_],
    neighbours: Neighbours,
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Take out of the clusters what does not belong: lonely points and leftovers.

    A lonely point is noise where most of its neighbours are in other clusters, or where it is far lonelier than
    the members of its own: a stray's neighbours may all be in the one cluster that happens to be nearest.

    A point that stands for as many items as a cluster has is no noise.

    Args:
        labels: int32 (m,), 0..k-1.
        weights: float64 (m,), how many items each stands for.
        lonely: bool (m,).
        neighbours: of the same points.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,), -1 is noise; each cluster has at least `smallest` items.
    """
    loose = (belonging(labels, neighbours) < SURE_SHARE) | (_deviations(labels, lonely, neighbours) > STRAY_DEVIATIONS)
    loose &= lonely & (weights < smallest)
    kept = np.where(loose, np.int32(NOISE_LABEL), labels)
    sizes = np.bincount(kept[kept >= 0], weights=weights[kept >= 0], minlength=int(labels.max()) + 1)
    return np.where((kept >= 0) & (sizes[kept] >= smallest), kept, np.int32(NOISE_LABEL))


def _deviations(labels: NDArray[np.int32], lonely: NDArray[np.bool_], neighbours: Neighbours) -> NDArray[np.float64]:
    """How far (m,) each lonely point's mean distance to its neighbours is above the median of its cluster.

    In units of the median absolute deviation scaled to a standard deviation; 0 in clusters without lonely points.
    """
    loneliness = neighbours.distances.mean(axis=1, dtype=np.float64)
    deviations = np.zeros(len(labels))
    for cluster_id in np.unique(labels[lonely]):
        members = np.flatnonzero(labels == cluster_id)
        above = loneliness[members] - np.median(loneliness[members])
        deviations[members] = above / max(1.4826 * float(np.median(np.abs(above))), 1e-6)
    return deviations
