"""What is carried over from the runs before: items that were together stay together while the data allow it.

Works on the edges of the graph, before communities are found. Which items the runs before held, and in which clusters,
belongs in `store`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph

LOYALTY = 8.0
"""An edge counts so many times where all earlier runs have both of its ends in one cluster, and so many times less
where all have them in different ones."""
HELD_MARGIN = 0.25
"""The resolution of the run before is kept unless another scores better by this share; then all is cut anew."""
HELD_FINER = 2**0.5
"""What is held is cut so much finer than its resolution says: joined once, two clusters are seldom parted again, so
that there would be fewer of them from week to week."""
MOST = 0.5
"""A node that the runs do not know counts as one of a cluster that it has this share of its edges to."""


def labels_of_points(earlier: NDArray[np.int_], inverse: NDArray[np.intp], points: int) -> NDArray[np.int_]:
    """The earlier clusters of points that stand for several items: those that most of its items had.

    Args:
        earlier: int (n, r), cluster of each item in each of r runs, below 0 where it had none.
        inverse: intp (n,), the point that each item belongs to.
        points: their number m.

    Returns:
        int (m, r); -1 in all runs for a point without an item that all runs know.
    """
    found = np.full((points, earlier.shape[1]), -1, dtype=np.int_)
    known = (earlier >= 0).all(axis=1)
    rows, counts = np.unique(np.column_stack([inverse[known], earlier[known]]), axis=0, return_counts=True)
    often = np.argsort(counts, kind="stable")
    # Of several rows of one point the last one is kept.
    found[rows[often, 0]] = rows[often, 1:]
    return found


def held_together(graph: Graph, earlier: NDArray[np.int_]) -> Graph:
    """Strengthen edges inside the clusters of the runs before, and weaken those between them.

    What the runs do not agree on counts as it is, and so do nodes that one of them did not know, unless most of their
    edges go to one cluster: so the items of a new topic, which are each other's neighbours, may leave the cluster that
    took the first of them in, and a cut that one run changed has to prove itself in the next.

    Args:
        earlier: int (m, r), cluster of each node in each of r runs, below 0 where it had none.

    Returns:
        the graph with other weights; `plain` has those that it had.
    """
    placed = _with_new_ones(graph, earlier)
    origins, ends = placed[graph.origins], placed[graph.ends]
    known = ((origins >= 0) & (ends >= 0)).all(axis=1)
    together = known & (origins == ends).all(axis=1)
    apart = known & (origins != ends).all(axis=1)
    factor = np.where(together, LOYALTY, np.where(apart, 1 / LOYALTY, 1.0))
    return replace(graph, weights=graph.weights * factor, plain=graph.weights)


def _with_new_ones(graph: Graph, earlier: NDArray[np.int_]) -> NDArray[np.int_]:
    """The earlier clusters with nodes added that have most of their edges to one of them, (m, r)."""
    from scipy.sparse import csr_array

    known: NDArray[np.bool_] = np.asarray((earlier >= 0).all(axis=1))
    if not known.any():
        return earlier
    rows, places = np.unique(earlier[known], axis=0, return_inverse=True)
    place = np.zeros(len(graph), dtype=np.intp)
    place[known] = places.reshape(-1)
    counted = known[graph.ends]
    origins, ends, weights = graph.origins[counted], graph.ends[counted], graph.weights[counted]
    shares = csr_array((weights, (origins, place[ends])), shape=(len(graph), len(rows)))
    degrees = np.bincount(graph.origins, weights=graph.weights, minlength=len(graph))
    most: NDArray[np.float64] = shares.max(axis=1).toarray().reshape(-1)
    new: NDArray[np.bool_] = ~known & (most > 0) & (most >= MOST * degrees)
    placed = earlier.copy()
    placed[new] = rows[np.asarray(shares.argmax(axis=1)).reshape(-1)[new]]
    return placed
