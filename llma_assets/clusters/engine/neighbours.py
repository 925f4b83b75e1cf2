"""The nearest neighbours of every point, by matrix products.

Exact up to `EXACT_POINTS`; above that only near buckets are searched, because exact search needs quadratic time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXACT_POINTS = 20_000
BUCKET_POINTS = 250
PROBED_BUCKETS = 16
"""Together 4,000 candidates: they contain 99 % of the true neighbours on real texts, and all in separate clusters."""
BLOCK_ENTRIES = 8_000_000
"""Entries of a block of distances, at most: 32 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The k nearest other points of each of m points, nearest first, the smaller index first on a tie.

    Attributes:
        indices: int32 (m, k).
        distances: float32 (m, k), Euclidean.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    def nearest(self, k: int) -> "Neighbours":
        """The first `k` of them."""
        return Neighbours(self.indices[:, :k], self.distances[:, :k])


def nearest_neighbours(points: NDArray[np.float32], k: int, *, seed: int) -> Neighbours:
    """Find the `k` nearest neighbours among `points` (m, p); fewer where there are not so many points.

    Args:
        points: float32 (m, p).
        k: neighbours of each, the point itself not counted.
        seed: of the buckets that many points are divided into.
    """
    m = len(points)
    k = min(k, m - 1)
    indices = np.empty((m, k), dtype=np.int32)
    distances = np.empty((m, k), dtype=np.float32)
    if k == 0:
        return Neighbours(indices, distances)
    everything = np.arange(m, dtype=np.int32)
    if m <= EXACT_POINTS:
        indices[:], distances[:] = _search(points, points, everything, k, own=everything)
    else:
        for members, candidates in _buckets(points, k, seed):
            indices[members], distances[members] = _search(points[members], points, candidates, k, own=members)
    return Neighbours(indices, distances)


def search_nearest(
    queries: NDArray[np.float32], points: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Indices and distances, both (q, k), of the nearest of `points` (m, p) to `queries` (q, p), which are others."""
    return _search(queries, points, np.arange(len(points), dtype=np.int32), min(k, len(points)), own=None)


def _search(
    queries: NDArray[np.float32],
    points: NDArray[np.float32],
    candidates: NDArray[np.int32],
    k: int,
    *,
    own: NDArray[np.int32] | None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k nearest of `candidates`, ascending indices into `points`, for each of `queries`: indices, distances.

    The k smallest of a row lie in at most k of any groups that it is divided into, and these are the groups
    of the k smallest minima. So one pass finds minima, and only the entries of k groups are ever sorted.

    Args:
        own: the index of each query among the points, which is left out; None where they are not among them.
    """
    q, p, c = len(queries), points.shape[1], len(candidates)
    group = max(1, int((c / k) ** 0.5))
    groups = -(-c // group)
    chosen = points[candidates]
    # A further column adds the squared norms within the product; padding of the last group is never chosen.
    right = np.zeros((p + 1, group * groups), dtype=np.float32)
    right[:p, :c] = -2 * chosen.T
    right[p, :c] = np.einsum("ij,ij->i", chosen, chosen)
    right[p, c:] = np.finfo(np.float32).max
    place = None if own is None else np.searchsorted(candidates, own)
    offsets = np.arange(group) * groups
    indices = np.empty((q, k), dtype=np.int32)
    distances = np.empty((q, k), dtype=np.float32)
    block = max(1, BLOCK_ENTRIES // (group * groups))
    for start in range(0, q, block):
        part = slice(start, start + block)
        rows = queries[part]
        left = np.ones((len(rows), p + 1), dtype=np.float32)
        left[:, :p] = rows
        squared = left @ right
        if place is not None:
            squared[np.arange(len(rows)), place[part]] = np.inf
        minima = squared.reshape(len(rows), group, groups).min(axis=1)
        near = np.argpartition(minima, k - 1, axis=1)[:, :k]
        columns = (near[:, :, None] + offsets).reshape(len(rows), -1)
        values = np.take_along_axis(squared, columns, axis=1)
        least = np.argpartition(values, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(values, least, axis=1)
        columns = np.take_along_axis(columns, least, axis=1)
        order = np.lexsort((columns, values), axis=1)
        indices[part] = candidates[np.take_along_axis(columns, order, axis=1)]
        squares = np.take_along_axis(values, order, axis=1) + np.einsum("ij,ij->i", rows, rows)[:, None]
        distances[part] = np.sqrt(np.maximum(squares, 0))
        del squared  # free it before the next block is allocated
    return indices, distances


def _buckets(points: NDArray[np.float32], k: int, seed: int) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Divide the points; yield each bucket's members, and with them the members of the nearest buckets."""
    buckets = len(points) // BUCKET_POINTS
    centres = _coarse_centres(points, buckets, seed)
    home = _nearest_centre(points, centres)
    order = np.argsort(home, kind="stable").astype(np.int32)
    ends = np.cumsum(np.bincount(home, minlength=buckets))
    members = np.split(order, ends[:-1])
    squares = np.square(centres).sum(axis=1)
    apart = squares[:, None] + squares[None, :] - 2 * centres @ centres.T
    np.fill_diagonal(apart, -1)
    for bucket, probed in enumerate(np.argsort(apart, axis=1, kind="stable")):
        if len(members[bucket]) == 0:
            continue
        near = PROBED_BUCKETS
        while sum(len(members[other]) for other in probed[:near]) <= k:
            near *= 2
        yield members[bucket], np.sort(np.concatenate([members[other] for other in probed[:near]]))


def _coarse_centres(points: NDArray[np.float32], buckets: int, seed: int) -> NDArray[np.float32]:
    """A few rounds of k-means on a seeded sample; buckets only have to be compact, not right."""
    rng = np.random.default_rng(seed)
    sample = points[np.sort(rng.choice(len(points), size=min(len(points), 40 * buckets), replace=False))]
    centres = sample[np.sort(rng.choice(len(sample), size=buckets, replace=False))]
    for _ in range(5):
        home = _nearest_centre(sample, centres)
        order = np.argsort(home, kind="stable")
        present, starts, counts = np.unique(home[order], return_index=True, return_counts=True)
        centres = centres.copy()
        centres[present] = np.add.reduceat(sample[order], starts, axis=0) / counts[:, None]
    return centres


def _nearest_centre(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    half = np.square(centres).sum(axis=1) / 2
    nearest = np.empty(len(points), dtype=np.intp)
    block = max(1, BLOCK_ENTRIES // len(centres))
    for start in range(0, len(points), block):
        nearest[start : start + block] = (half - points[start : start + block] @ centres.T).argmin(axis=1)
    return nearest
