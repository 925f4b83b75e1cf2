"""Finds noise: points whose neighbours are as far away as in data without structure. Finds no clusters.

The rule needs no labels and no guess of the share of noise: points without structure are sampled from the data itself,
and an item that is no closer to its neighbours than these are to theirs is isolated.
"""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours, search_nearest

STRUCTURELESS_POINTS = 500
ISOLATED_QUANTILE = 0.01
"""Share of the structureless points that are less isolated than the limit, where a cut is judged by its noise."""
NOISE_QUANTILE = 0.2
"""The same, where an item is called noise: most strays are above it, and most false ones below."""
SURE_SHARE = 0.5
"""A point with this share of its neighbours in its cluster stays there."""
STRAY_DEVIATIONS = 4.0
"""A point that is more isolated than the median of its cluster by this many deviations is noise."""
DIFFUSE_SPREAD = 0.6
"""A cluster that scatters at least this much of what all points scatter is about nothing in particular …"""
DIFFUSE_RANK = 0.85
"""… if half of its members are also more isolated than this share of all points …"""
APART = 0.97
"""… and fewer than this share of their neighbours are in it: a wide topic has next to all of them …"""
LONELY = 1.5
"""… or, though they have, they are this many times as isolated as the median of all points."""
POINTS_AN_AXIS = 10
"""An axis needs this many points; otherwise single points shape it."""
FEWEST_POINTS = 100
FEWEST_TO_DISSOLVE = 5
"""With fewer clusters none is told to belong nowhere: beside one that dominates, each small topic is as lonely."""


def isolated_points(
    points: NDArray[np.float32], neighbours: Neighbours, *, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The points whose mean distance to their neighbours is as large as that of structureless points.

    A structureless point takes each coordinate from another random point: each axis has the spread of the data, and
    the axes are independent.

    Args:
        points: float32 (m, p), in principal axes, so that coordinates are uncorrelated.
        neighbours: of the same points.
        seed: of the structureless points.

    Returns:
        Twice bool (m,): above `ISOLATED_QUANTILE`, by which cuts are judged, and above `NOISE_QUANTILE`, which marks
        noise. All False with fewer than `FEWEST_POINTS`.
    """
    m, p = points.shape
    k = neighbours.indices.shape[1]
    if m < FEWEST_POINTS:
        return np.zeros(m, dtype=bool), np.zeros(m, dtype=bool)
    axes = min(p, m // POINTS_AN_AXIS)
    isolation = neighbours.distances.mean(axis=1)
    if axes < p:
        points = np.ascontiguousarray(points[:, :axes])
        isolation = nearest_neighbours(points, k, seed=seed).distances.mean(axis=1)
    rng = np.random.default_rng(seed)
    made = np.column_stack([points[rng.integers(0, m, STRUCTURELESS_POINTS), axis] for axis in range(axes)])
    chance = search_nearest(made, points, k)[1].mean(axis=1)
    some, sure = np.quantile(chance, (ISOLATED_QUANTILE, NOISE_QUANTILE))
    return isolation > some, isolation > sure


def neighbour_agreement(labels: NDArray[np.int32], neighbours: Neighbours) -> NDArray[np.float64]:
    """Share (m,) of each point's neighbours that are in its cluster; 0 for noise, 1 where there are no neighbours."""
    if neighbours.indices.shape[1] == 0:
        return np.where(labels < 0, 0.0, 1.0)
    share = (labels[neighbours.indices] == labels[:, None]).mean(axis=1)
    return np.where(labels < 0, 0.0, share)


def mark_noise(
    labels: NDArray[np.int32],
    weights: NDArray[np.float64],
    isolated: NDArray[np.bool_],
    neighbours: Neighbours,
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Mark as noise the isolated points and the members of clusters that are too small.

    An isolated point is noise if most of its neighbours are in other clusters, or if it is far more isolated than the
    members of its cluster: all neighbours of a stray point may be in the one cluster that happens to be nearest.

    A point that stands for as many items as the smallest cluster has is never noise.

    Args:
        labels: int32 (m,), 0..k-1.
        weights: float64 (m,), how many items each stands for.
        isolated: bool (m,).
        neighbours: of the same points.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,), -1 is noise; each cluster has at least `smallest` items.
    """
    loose = (neighbour_agreement(labels, neighbours) < SURE_SHARE) | (
        _deviations(labels, isolated, neighbours) > STRAY_DEVIATIONS
    )
    loose &= isolated & (weights < smallest)
    kept = np.where(loose, np.int32(NOISE_LABEL), labels)
    sizes = np.bincount(kept[kept >= 0], weights=weights[kept >= 0], minlength=int(labels.max()) + 1)
    return np.where((kept >= 0) & (sizes[kept] >= smallest), kept, np.int32(NOISE_LABEL))


def dissolve_diffuse(
    labels: NDArray[np.int32],
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    neighbours: Neighbours,
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Mark as noise the clusters of what belongs nowhere.

    Strays have nothing in common but that they are unlike the rest, and a graph puts them together: such a cluster
    scatters nearly as much as all of the data, and its members are among the most isolated points. As half of them are
    above the `DIFFUSE_RANK`, at most 30 % of the items are dissolved. A cluster whose members have next to all their
    neighbours within it (`APART`), and are not much lonelier than others, is a wide topic.

    Args:
        labels: int32 (m,), -1 is noise.
        points: float32 (m, p).
        weights: float64 (m,), how many items each stands for; a cluster with a point of `smallest` items stays.
        neighbours: of the same points.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,), -1 is noise.
    """
    m = len(points)
    k = int(labels.max(initial=NOISE_LABEL)) + 1
    if m < FEWEST_POINTS or k < FEWEST_TO_DISSOLVE:
        return labels
    isolation = neighbours.distances.mean(axis=1, dtype=np.float64)
    limit, lonely = np.quantile(isolation, DIFFUSE_RANK), LONELY * np.median(isolation)
    spread_of_all = _spread(points, weights)
    kept = labels.copy()
    for cluster_id in range(k):
        members = np.flatnonzero(labels == cluster_id)
        if len(members) == 0 or weights[members].max() >= smallest or np.median(isolation[members]) < limit:
            continue
        if _spread(points[members], weights[members]) < DIFFUSE_SPREAD * spread_of_all:
            continue
        is_apart = (labels[neighbours.indices[members]] == cluster_id).mean() >= APART
        if not is_apart or np.median(isolation[members]) >= lonely:
            kept[members] = NOISE_LABEL
    return kept


def _spread(points: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """Mean squared distance of weighted points to their mean."""
    mean = np.average(points, axis=0, weights=weights)
    return float(np.average(np.square(points - mean).sum(axis=1), weights=weights))


def _deviations(labels: NDArray[np.int32], isolated: NDArray[np.bool_], neighbours: Neighbours) -> NDArray[np.float64]:
    """How far (m,) each isolated point's mean distance to its neighbours is above the median of its cluster.

    In units of the median absolute deviation scaled to a standard deviation; 0 in clusters without isolated points.
    """
    isolation = neighbours.distances.mean(axis=1, dtype=np.float64)
    deviations = np.zeros(len(labels))
    for cluster_id in np.unique(labels[isolated]):
        members = np.flatnonzero(labels == cluster_id)
        above = isolation[members] - np.median(isolation[members])
        deviations[members] = above / max(1.4826 * float(np.median(np.abs(above))), 1e-6)
    return deviations
