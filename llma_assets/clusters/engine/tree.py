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

TIE = 1e-12
"""Gains that differ by less than this share are equal; rounding alone must not lead a chain in a circle."""


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
        home[self.pairs[:joins, 1]] = self.pairs[:joins, 0]
        # Each step goes twice as far up the chain of joins.
        while not np.array_equal(home, further := home[home]):
            home = further
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
    return Tree(fine, *_joins(between.astype(np.float64, copy=False), degrees))


def _joins(between: NDArray[np.float64], degrees: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Join the pair with the largest gain until one community is left.

    A join is never better joined to a third than the better of its parts was. So pairs that are each other's best are
    joined as they are met, along a chain that goes from each community to its best, and are put in order afterwards:
    the tree is the same (F. Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983).

    Args:
        between: (c, c), weight of the edges between communities and, on the diagonal, inside; changed.
        degrees: (c,), weight of the edges that chance deals out among the communities; changed.
    """
    count = len(between)
    total = float(degrees.sum())
    # A community without edges has no gain, nor has one that is joined already, or any with itself.
    degrees[degrees <= 0] = np.inf
    np.fill_diagonal(between, 0.0)
    ceilings = np.full(count, np.inf)
    pairs: list[tuple[int, int]] = []
    gains: list[float] = []
    roots: list[int] = []
    chain: list[int] = []
    waiting = list(range(count - 1, -1, -1))
    gone = np.zeros(count, dtype=bool)
    while chain or waiting:
        if not chain:
            top = waiting.pop()
            if not gone[top]:
                chain.append(top)
            continue
        top = chain[-1]
        row = between[top] / degrees
        best = int(row.argmax())
        if row[best] <= 0:
            # Nothing is joined with it: a part of the graph that has no edge to the others.
            roots.append(chain.pop())
            gone[top] = True
            continue
        if len(chain) < 2 or row[chain[-2]] < row[best] * (1 - TIE):
            chain.append(best)
            continue
        first, second = sorted((top, chain[-2]))
        gain = float(row[chain[-2]]) * total / float(degrees[top])
        del chain[-2:]
        # Rounding must not put a join before those of its parts.
        ceilings[first] = min(gain, float(ceilings[first]), float(ceilings[second]))
        pairs.append((first, second))
        gains.append(float(ceilings[first]))
        degrees[first] += degrees[second]
        joined = between[first] + between[second]
        joined[first] = 0.0
        between[first] = joined
        between[:, first] = joined
        degrees[second] = np.inf
        gone[second] = True
        if not chain:
            chain.append(first)
    order = np.argsort(-np.array(gains), kind="stable")
    roots.sort()
    apart = [(roots[0], other) for other in roots[1:]]
    ordered = np.concatenate([np.array(some, dtype=np.intp).reshape(-1, 2) for some in (pairs, apart)])
    ordered[: len(pairs)] = ordered[: len(pairs)][order]
    return ordered, np.r_[np.array(gains)[order], np.zeros(len(apart))]
