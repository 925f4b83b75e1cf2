"""What is carried over from the runs before: items that were together stay together while the data allow it.

Works on the edges of the graph, before communities are found. Which items the runs before held, and in which clusters,
belongs in `lineage`.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph

LOYALTY = 4.0
"""An edge counts so many times where all earlier runs have both of its ends in one cluster, and so many times less
where all have them in different ones."""


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

    What the runs do not agree on, and what one of them did not know, counts as it is: so items of a new topic may leave
    the cluster that took them in, and a cut that one run changed has to prove itself in the next.

    Args:
        earlier: int (m, r), cluster of each node in each of r runs, below 0 where it had none.
    """
    origins, ends = earlier[graph.origins], earlier[graph.ends]
    known = ((origins >= 0) & (ends >= 0)).all(axis=1)
    together = known & (origins == ends).all(axis=1)
    apart = known & (origins != ends).all(axis=1)
    factor = np.where(together, LOYALTY, np.where(apart, 1 / LOYALTY, 1.0))
    return replace(graph, weights=graph.weights * factor)
