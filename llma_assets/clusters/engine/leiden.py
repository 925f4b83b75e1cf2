"""The graph of shared neighbours, and its communities by the Leiden algorithm.

Choosing a resolution belongs in `resolution`.

V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
Scientific Reports 9 (2019). R. A. Jarvis, E. A. Patrick, "Clustering using a similarity measure based on shared
near neighbors", IEEE Transactions on Computers (1973).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.neighbours import Neighbours

COMPARED_EDGES = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A symmetric weighted graph of m nodes, by rows, columns ascending, without loops.

    Attributes:
        starts: int64 (m + 1,), where each node's edges begin.
        ends: int32 (e,), the other end of each edge.
        weights: float64 (e,), above 0.
        plain: float64 (e,), the weights that say how much chance puts between two nodes, where a prior has changed
            `weights`; None where they are the same.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int32]
    weights: NDArray[np.float64]
    plain: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def origins(self) -> NDArray[np.intp]:
        """The end that each edge begins at, (e,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def among(self, nodes: NDArray[np.intp]) -> "Graph":
        """The graph between `nodes`, ascending, which are numbered anew."""
        place = np.full(len(self), -1, dtype=np.int32)
        place[nodes] = np.arange(len(nodes), dtype=np.int32)
        origins = place[self.origins]
        ends = place[self.ends]
        kept = (origins >= 0) & (ends >= 0)
        starts = np.zeros(len(nodes) + 1, dtype=np.int64)
        np.cumsum(np.bincount(origins[kept], minlength=len(nodes)), out=starts[1:])
        plain = None if self.plain is None else self.plain[kept]
        return Graph(starts, ends[kept], self.weights[kept], plain)


def shared_neighbour_graph(neighbours: Neighbours) -> Graph:
    """Connect each point with its neighbours; an edge's weight is the share of neighbours that its ends have in common.

    A point counts as its own neighbour. The share is the Jaccard index, so a weight is 1 if both ends have the same
    neighbours, and above 0 if one end is a neighbour of the other.
    """
    from scipy.sparse import csr_array

    m, k = neighbours.indices.shape
    rows = np.repeat(np.arange(m, dtype=np.int32), k)
    columns = neighbours.indices.reshape(-1)
    seen = np.column_stack([np.arange(m, dtype=np.int32), neighbours.indices])
    shared = np.empty(m * k, dtype=np.float64)
    for start in range(0, m * k, COMPARED_EDGES):
        part = slice(start, start + COMPARED_EDGES)
        equal = seen[rows[part]][:, :, None] == seen[columns[part]][:, None, :]
        shared[part] = equal.sum(axis=(1, 2))
    directed = csr_array((shared / (2 * (k + 1) - shared), (rows, columns)), shape=(m, m))
    both = directed.maximum(directed.T).tocsr()
    both.sort_indices()
    return Graph(both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data)


def communities(graph: Graph, resolution: float, *, seed: int) -> NDArray[np.int32]:
    """Divide the nodes so that modularity at `resolution` is high; more communities where it is larger.

    Returns:
        int32 (m,), numbered from 0 without gaps.
    """
    if len(graph.ends) == 0:
        return np.arange(len(graph), dtype=np.int32)
    from graspologic_native import leiden_csr

    _, home = leiden_csr(graph.starts, graph.ends, graph.weights, len(graph), resolution=resolution, seed=seed)
    labels = np.empty(len(graph), dtype=np.int32)
    labels[np.fromiter(home.keys(), np.intp, len(home))] = np.fromiter(home.values(), np.int32, len(home))
    return labels
