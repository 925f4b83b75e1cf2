"""Lays points out on a two-dimensional map, from the graph of neighbours. Nothing is computed from the map.

Edges attract and all other points repel, both with the heavy-tailed kernel of t-SNE (L. van der Maaten, G. Hinton,
"Visualizing data using t-SNE", 2008); repelling points are sampled anew in each round (J. Tang et al., "Visualizing
large-scale and high-dimensional data", 2016). All points move at once, so a round is a few array operations.
"""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph, shared_neighbour_graph
from llma_assets.clusters.engine.neighbours import Neighbours, nearest_neighbours, search_nearest

MAX_LAID_POINTS = 5000
"""Further points are placed by their nearest neighbours on the map."""
ROUNDS = 120
EARLIER_STEP = 0.1
"""Step of points that were on the last map, relative to new ones: they move little."""
PUSHES = 10
ACROSS_CLUSTERS = 0.2
"""Attraction of an edge between two clusters, relative to an edge inside one."""
NEAR_PUSH = 2.0
"""Repulsion by a point's neighbours in sum, relative to an attraction of 1, so that clusters do not become dots."""
FAR_PUSH = 3.0
"""Repulsion by one sampled point."""
FIRST_SPREAD = 5.0
"""Standard deviation of the first positions."""
EXTENT = 15.0
"""Approximate largest coordinate of a map before scaling; an earlier map is scaled back to it."""
PLACEMENT_NEIGHBOURS = 3


def map_points(
    points: NDArray[np.float32],
    neighbours: Neighbours,
    labels: NDArray[np.int32],
    before: NDArray[np.float64] | None,
    *,
    seed: int,
) -> NDArray[np.float64]:
    """Lay out the reduced `points` (m, p) so that near ones stay near and the clusters in `labels` (m,) together.

    Args:
        points: float32 (m, p), centred, axes by falling variance: the first two are the first positions.
        neighbours: of the same points.
        labels: int32 (m,), -1 is noise.
        before: float64 (m, 2), positions on the last map, NaN for new points; None makes a new map.
        seed: of the sampled points.

    Returns:
        float64 (m, 2) in [-1, 1]; a new map is centred, and its largest coordinate is 1.
    """
    m = len(points)
    if m == 1:
        return np.zeros((1, 2)) if before is None else np.clip(before, -1.0, 1.0)
    laid = np.arange(m)
    if m > MAX_LAID_POINTS:
        laid = np.sort(np.random.default_rng(seed).choice(m, size=MAX_LAID_POINTS, replace=False))
        neighbours = nearest_neighbours(points[laid], neighbours.indices.shape[1], seed=seed)
    graph = shared_neighbour_graph(neighbours)
    inside = labels[laid]
    if before is None:
        start = _first_positions(points[laid])
        placed = _settle(start, graph, inside, np.ones(len(laid), dtype=np.float32), seed=seed)
        placed -= placed.mean(axis=0)
        scale = float(np.abs(placed).max())
    else:
        start = _earlier_positions(before[laid], graph, points[laid])
        steps = np.where(np.isnan(before[laid, 0]), 1.0, EARLIER_STEP).astype(np.float32)
        placed = _settle(start, graph, inside, steps, seed=seed)
        scale = max(EXTENT, float(np.abs(placed).max()))
    coordinates = placed.astype(np.float64) / (scale or 1.0)
    if len(laid) == m:
        return coordinates
    return _place_the_rest(points, laid, coordinates)


def _first_positions(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first two axes (or the only one), scaled to equal spread."""
    start = np.zeros((len(points), 2), dtype=np.float32)
    start[:, : min(2, points.shape[1])] = points[:, :2]
    spread = start.std(axis=0)
    scaled: NDArray[np.float32] = start * (FIRST_SPREAD / np.where(spread > 0, spread, 1)).astype(np.float32)
    return scaled


def _earlier_positions(before: NDArray[np.float64], graph: Graph, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """First positions that continue the last map.

    A new point starts at the mean of its neighbours, or of theirs; a point without any, in the middle.
    """
    known: NDArray[np.bool_] = np.isfinite(before[:, 0])
    origins = graph.origins
    start = np.where(known[:, None], before * EXTENT, 0.0)
    for _ in range(3):
        if known.all():
            break
        pull = np.where(known[graph.ends], graph.weights, 0.0)
        total = np.bincount(origins, weights=pull, minlength=len(before))
        reached = ~known & (total > 0)
        for axis in range(2):
            sums = np.bincount(origins, weights=pull * start[graph.ends, axis], minlength=len(before))
            start[reached, axis] = sums[reached] / total[reached]
        known = known | reached
    if not known.all():
        start[~known] = start[known].mean(axis=0) if known.any() else 0.0
    # Two new points with the same neighbours must not start at the same position: no force could separate them.
    nudged: NDArray[np.float32] = (start + 0.01 * _first_positions(points)).astype(np.float32)
    return nudged


def _settle(
    start: NDArray[np.float32],
    graph: Graph,
    labels: NDArray[np.int32],
    steps: NDArray[np.float32],
    *,
    seed: int,
) -> NDArray[np.float32]:
    """Move points by attraction of edges and repulsion of sampled points; each point's step (m,) falls to 0."""
    m = len(start)
    rng = np.random.default_rng(seed)
    origins, ends = graph.origins, graph.ends
    together = (labels[origins] == labels[ends]) & (labels[origins] >= 0)
    pull = (graph.weights * np.where(together, 1.0, ACROSS_CLUSTERS)).astype(np.float32)
    total = np.bincount(origins, weights=pull, minlength=m).astype(np.float32)
    pull /= total[origins]
    near = (NEAR_PUSH / np.diff(graph.starts))[origins].astype(np.float32)
    # Each node has an edge, because each has a neighbour: no row of the graph is empty.
    rows = graph.starts[:-1]
    x, y = start[:, 0].copy(), start[:, 1].copy()
    pushes = min(PUSHES, m - 1)
    for index in range(ROUNDS):
        dx, dy = x[origins] - x[ends], y[origins] - y[ends]
        close = 1 / (1 + dx * dx + dy * dy)
        force = (2 * pull - near * close) * close
        move_x = -np.add.reduceat(force * dx, rows)
        move_y = -np.add.reduceat(force * dy, rows)
        order = rng.permutation(m)
        px, py = _pushes(x[order], y[order], pushes)
        move_x[order] += FAR_PUSH * px
        move_y[order] += FAR_PUSH * py
        size = steps * np.float32(1 - index / ROUNDS)
        x += size * move_x
        y += size * move_y
    return np.column_stack([x, y])


def _pushes(x: NDArray[np.float32], y: NDArray[np.float32], pushes: int) -> tuple[NDArray[np.float32], ...]:
    """The repulsion (m,) of each point by the next `pushes` points in their order."""
    others_x = np.lib.stride_tricks.sliding_window_view(np.concatenate([x[1:], x[:pushes]]), pushes)
    others_y = np.lib.stride_tricks.sliding_window_view(np.concatenate([y[1:], y[:pushes]]), pushes)
    dx, dy = x[:, None] - others_x, y[:, None] - others_y
    force = np.square(1 / (1 + dx * dx + dy * dy))
    return np.einsum("ij,ij->i", force, dx), np.einsum("ij,ij->i", force, dy)


def _place_the_rest(
    points: NDArray[np.float32], laid: NDArray[np.intp], placed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Place each remaining point at the weighted mean of its nearest points on the map."""
    everywhere = np.empty((len(points), 2))
    everywhere[laid] = placed
    rest = np.setdiff1d(np.arange(len(points)), laid, assume_unique=True)
    indices, distances = search_nearest(points[rest], points[laid], PLACEMENT_NEIGHBOURS)
    closeness = 1 / np.maximum(distances.astype(np.float64), 1e-6)
    closeness /= closeness.sum(axis=1, keepdims=True)
    everywhere[rest] = np.einsum("ij,ijk->ik", closeness, placed[indices])
    return everywhere
