"""A tree of communities: fine ones, joined in the order of their gain. Cuts of the tree are partitions.

By modularity, two communities are better joined than apart at every resolution below w(a, b) * w / (w(a) * w(b)):
the weight between them over what chance would put there. Joining the pair where this is largest, again and again,
gives one tree that holds a partition for every resolution (T. Bonald et al., "Hierarchical graph clustering using
node pair sampling", 2018). It costs as much as one partition, and cuts of it are nested.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph, communities


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Fine communities of m nodes, and how they are joined.

    Attributes:
        fine: int32 (m,), community of each node, in 0..c-1.
        pairs: intp (c - 1, 2), what is joined, in this order; the second takes the number of the first.
        resolutions: float64 (c - 1,), below which each join is a gain.
    """

    fine: NDArray[np.int32]
    pairs: NDArray[np.intp]
    resolutions: NDArray[np.float64]

    def at(self, resolution: float) -> NDArray[np.int32]:
        """The partition (m,) at `resolution`: joins are made in order up to the first without a gain."""
        pays = self.resolutions >= resolution
        return self._after(len(pays) if pays.all() else int(np.argmin(pays)))

    def into(self, clusters: int) -> NDArray[np.int32]:
        """The partition (m,) into `clusters`, or as many as there are fine communities."""
        return self._after(max(0, len(self.pairs) + 1 - clusters))

    def _after(self, joins: int) -> NDArray[np.int32]:
        home = np.arange(len(self.pairs) + 1, dtype=np.int32)
        # Backwards, a pair's first already bears the number that it ends with.
        for first, second in self.pairs[:joins][::-1].tolist():
            home[second] = home[first]
        _, numbered = np.unique(home, return_inverse=True)
        labels: NDArray[np.int32] = numbered.astype(np.int32)[self.fine]
        return labels


def grow_tree(graph: Graph, finest: float, *, seed: int) -> Tree:
    """Find communities at the resolution `finest` and join them; ties go to the smaller numbers."""
    fine = communities(graph, finest, seed=seed)
    count = int(fine.max()) + 1
    between = np.bincount(
        fine[graph.origins].astype(np.intp) * count + fine[graph.ends], weights=graph.weights, minlength=count**2
    ).reshape(count, count)
    by_chance = graph.weights if graph.plain is None else graph.plain
    degrees = np.bincount(fine[graph.origins], weights=by_chance, minlength=count).astype(np.float64)
    return Tree(fine, *_joins(between.astype(np.float64), degrees))


def _joins(between: NDArray[np.float64], degrees: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Join the pair with the largest gain until one community is left.

    Args:
        between: (c, c), weight of the edges between communities and, on the diagonal, inside; changed.
        degrees: (c,), weight of the edges that chance deals out among the communities.
    """
    count = len(between)
    total = float(degrees.sum())
    # A community without edges has degree 0 and no gain; an infinite degree keeps its gain at 0.
    degrees = np.where(degrees > 0, degrees, np.inf)
    gain = between * (total / degrees[:, None]) / degrees[None, :]
    np.fill_diagonal(gain, -1.0)
    partner = gain.argmax(axis=1)
    best = gain[np.arange(count), partner]
    alive = np.ones(count, dtype=bool)
    pairs = np.empty((count - 1, 2), dtype=np.intp)
    resolutions = np.empty(count - 1)
    for step in range(count - 1):
        first = int(best.argmax())
        first, second = sorted((first, int(partner[first])))
        pairs[step] = first, second
        resolutions[step] = gain[first, second]
        between[first] += between[second]
        between[:, first] += between[:, second]
        degrees[first] += degrees[second]
        alive[second] = False
        row = np.where(alive, between[first] * (total / degrees[first]) / degrees, -1.0)
        row[first] = -1.0
        gain[first] = row
        gain[:, first] = row
        gain[second] = -1.0
        gain[:, second] = -1.0
        best[second] = -2.0
        stale = np.flatnonzero(alive & ((partner == first) | (partner == second)))
        for index in {first, *stale.tolist()}:
            partner[index] = gain[index].argmax()
            best[index] = gain[index, partner[index]]
        better = alive & (row > best)
        partner[better] = first
        best[better] = row[better]
    return pairs, resolutions
