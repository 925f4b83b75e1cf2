"""Finds noise: points whose neighbours are as far away as in data without structure. Finds no clusters.

The rule needs no labels and no guess of the share of noise: points without structure are sampled from the data itself,
and an item that is no closer to its neighbours than these are to theirs is isolated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import NOISE_LABEL
from llma_assets.clusters.engine.leiden import Graph
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours, search_nearest

STRUCTURELESS_POINTS = 500
ISOLATED_QUANTILE = 0.01
"""Share of the structureless points that are less isolated than the limit, where a cut is judged by its noise."""
NOISE_QUANTILE = 0.5
"""The same, where an item is called noise, by a loneliness in which that of its neighbours counts, too."""
NEIGHBOURS_SHARE = 0.5
"""What the neighbours' loneliness counts: strays lie among strays, the odd texts of a topic among others of it."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Isolation:
    """How far m points are from what lies near.

    Attributes:
        loneliness: float64 (m,), half the mean distance to the neighbours, and half the mean of theirs.
        isolated: bool (m,), whether the mean distance is above `ISOLATED_QUANTILE`: by these a cut is judged.
        lonely: bool (m,), whether the loneliness is above `NOISE_QUANTILE`: only such points are noise.
    """

    loneliness: NDArray[np.float64]
    isolated: NDArray[np.bool_]
    lonely: NDArray[np.bool_]


def isolation_of(points: NDArray[np.float32], neighbours: Neighbours, graph: Graph, *, seed: int) -> Isolation:
    """Compare the distances to neighbours with those of structureless points.

    A structureless point takes each coordinate from another random point: each axis has the spread of the data, and
    the axes are independent.

    Args:
        points: float32 (m, p), in principal axes, so that coordinates are uncorrelated.
        neighbours: of the same points.
        graph: of the same points; its weights say how much each neighbour's distance counts.
        seed: of the structureless points.

    Returns:
        Nothing isolated or lonely with fewer than `FEWEST_POINTS`.
    """
    m, p = points.shape
    k = neighbours.indices.shape[1]
    axes = min(p, m // POINTS_AN_AXIS)
    near = neighbours
    if m >= FEWEST_POINTS and axes < p:
        points = np.ascontiguousarray(points[:, :axes])
        near = nearest_neighbours(points, k, seed=seed)
    own = near.distances.mean(axis=1, dtype=np.float64)
    totals = np.bincount(graph.origins, weights=graph.weights, minlength=m)
    theirs = np.bincount(graph.origins, weights=graph.weights * own[graph.ends], minlength=m)
    theirs = np.divide(theirs, totals, out=own.copy(), where=totals > 0)
    loneliness = (1 - NEIGHBOURS_SHARE) * own + NEIGHBOURS_SHARE * theirs
    if m < FEWEST_POINTS:
        return Isolation(loneliness, np.zeros(m, dtype=bool), np.zeros(m, dtype=bool))
    rng = np.random.default_rng(seed)
    made = np.column_stack([points[rng.integers(0, m, STRUCTURELESS_POINTS), axis] for axis in range(axes)])
    found, distances = search_nearest(made, points, k)
    chance = distances.mean(axis=1, dtype=np.float64)
    smooth = (1 - NEIGHBOURS_SHARE) * chance + NEIGHBOURS_SHARE * own[found].mean(axis=1)
    return Isolation(
        loneliness, own > np.quantile(chance, ISOLATED_QUANTILE), loneliness > np.quantile(smooth, NOISE_QUANTILE)
    )


def neighbour_agreement(labels: NDArray[np.int32], neighbours: Neighbours) -> NDArray[np.float64]:
    """Share (m,) of each point's neighbours that are in its cluster; 0 for noise, 1 where there are no neighbours."""
    if neighbours.indices.shape[1] == 0:
        return np.where(labels < 0, 0.0, 1.0)
    share = (labels[neighbours.indices] == labels[:, None]).mean(axis=1)
    return np.where(labels < 0, 0.0, share)


def mark_noise(
    labels: NDArray[np.int32],
    weights: NDArray[np.float64],
    isolation: Isolation,
    neighbours: Neighbours,
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Mark as noise the lonely points and the members of clusters that are too small.

    A lonely point is noise if most of its neighbours are in other clusters, or if it is far lonelier than the members
    of its cluster: all neighbours of a stray point may be in the one cluster that happens to be nearest.

    A point that stands for as many items as the smallest cluster has is never noise.

    Args:
        labels: int32 (m,), 0..k-1.
        weights: float64 (m,), how many items each stands for.
        isolation: of the same points.
        neighbours: of the same points.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,), -1 is noise; each cluster has at least `smallest` items.
    """
    loose = (neighbour_agreement(labels, neighbours) < SURE_SHARE) | (_deviations(labels, isolation) > STRAY_DEVIATIONS)
    loose &= isolation.lonely & (weights < smallest)
    return without_small(np.where(loose, np.int32(NOISE_LABEL), labels), weights, smallest=smallest)


def without_small(labels: NDArray[np.int32], weights: NDArray[np.float64], *, smallest: int) -> NDArray[np.int32]:
    """The labels (m,), with the members of clusters of fewer than `smallest` items as noise."""
    held = labels >= 0
    sizes = np.bincount(labels[held], weights=weights[held], minlength=int(labels.max(initial=NOISE_LABEL)) + 2)
    return np.where(held & (sizes[labels] >= smallest), labels, np.int32(NOISE_LABEL))


def dissolve_diffuse(
    labels: NDArray[np.int32],
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    isolation: Isolation,
    neighbours: Neighbours,
    *,
    smallest: int,
) -> NDArray[np.int32]:
    """Mark as noise the lonely members of clusters of what belongs nowhere.

    Strays have nothing in common but that they are unlike the rest, and a graph puts them together: such a cluster
    scatters nearly as much as all of the data, and its members are among the most isolated points. As half of them are
    above the `DIFFUSE_RANK`, at most 30 % of the items are dissolved. A cluster whose members have next to all their
    neighbours within it (`APART`), and are not much more isolated than others, is a wide topic. A topic into which
    strays were put loses these, and stays.

    Args:
        labels: int32 (m,), -1 is noise.
        points: float32 (m, p).
        weights: float64 (m,), how many items each stands for; a cluster with a point of `smallest` items stays.
        isolation: of the same points.
        neighbours: of the same points.
        smallest: items of the smallest cluster.

    Returns:
        int32 (m,), -1 is noise.
    """
    m = len(points)
    k = int(labels.max(initial=NOISE_LABEL)) + 1
    if m < FEWEST_POINTS or k < FEWEST_TO_DISSOLVE:
        return labels
    apart = neighbours.distances.mean(axis=1, dtype=np.float64)
    limit, far = np.quantile(apart, DIFFUSE_RANK), LONELY * np.median(apart)
    spread_of_all = _spread(points, weights)
    kept = labels.copy()
    for cluster_id in range(k):
        members = np.flatnonzero(labels == cluster_id)
        if len(members) == 0 or weights[members].max() >= smallest or np.median(apart[members]) < limit:
            continue
        if _spread(points[members], weights[members]) < DIFFUSE_SPREAD * spread_of_all:
            continue
        is_apart = (labels[neighbours.indices[members]] == cluster_id).mean() >= APART
        if not is_apart or np.median(apart[members]) >= far:
            kept[members[isolation.lonely[members]]] = NOISE_LABEL
    return without_small(kept, weights, smallest=smallest)


def _spread(points: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """Mean squared distance of weighted points to their mean."""
    mean = np.average(points, axis=0, weights=weights)
    return float(np.average(np.square(points - mean).sum(axis=1), weights=weights))


def _deviations(labels: NDArray[np.int32], isolation: Isolation) -> NDArray[np.float64]:
    """How far (m,) each lonely point's loneliness is above the median of its cluster.

    In units of the median absolute deviation scaled to a standard deviation; 0 in clusters without lonely points.
    """
    deviations = np.zeros(len(labels))
    for cluster_id in np.unique(labels[isolation.lonely]):
        members = np.flatnonzero(labels == cluster_id)
        above = isolation.loneliness[members] - np.median(isolation.loneliness[members])
        deviations[members] = above / max(1.4826 * float(np.median(np.abs(above))), 1e-6)
    return deviations
