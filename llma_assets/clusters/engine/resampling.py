"""Trees of random parts of one graph: how far their cuts agree, and the cut that most of them share.

Choosing a resolution belongs in `resolution`.

A. Lancichinetti, S. Fortunato, "Consensus clustering in complex networks", Scientific Reports 2 (2012): the communities
of a graph whose edges weigh how often many runs put their ends together change less than those of any one run.
"""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.leiden import Graph, communities
from llma_assets.clusters.engine.tree import Tree, grow_tree

RESAMPLED_SHARE = 0.8
NODES_OF_ALL_TREES = 60_000
"""Nodes of all trees together, about: large data need fewer trees, because chance decides less there."""
FEWEST_TREES = 2
ALWAYS_APART = 0.05
"""What is left of an edge whose ends no tree puts together, so that no node is cut off."""


class Resamples:
    """Trees of seeded four fifths of a graph's nodes, each with a seed of its own.

    Args:
        graph: of m nodes.
        finest: resolution of the fine communities.
        trees: how many trees, at most; fewer, but at least two, where the graph is large.
        seed: of parts and communities.
    """

    def __init__(self, graph: Graph, finest: float, *, trees: int, seed: int) -> None:
        m = len(graph)
        rng = np.random.default_rng(seed)
        self._graph, self._seed = graph, seed
        self._trees: list[tuple[NDArray[np.intp], Tree]] = []
        for _ in range(max(FEWEST_TREES, min(trees, NODES_OF_ALL_TREES // m))):
            nodes = np.sort(rng.choice(m, size=max(2, round(RESAMPLED_SHARE * m)), replace=False))
            own = int(rng.integers(2**31))
            self._trees.append((nodes, grow_tree(graph.among(nodes), finest, seed=own)))
        pairs = [(first, (first + 1) % len(self._trees)) for first in range(len(self._trees))]
        self._pairs = pairs[:1] if len(pairs) == 2 else pairs

    def at(self, resolution: float) -> NDArray[np.int32]:
        """The cut of each tree at `resolution`, (trees, m); -1 for nodes that it does not have."""
        return self._labels([tree.at(resolution) for _, tree in self._trees])

    def into(self, clusters: int) -> NDArray[np.int32]:
        """The cut of each tree into `clusters`, (trees, m); -1 for nodes that it does not have."""
        return self._labels([tree.into(clusters) for _, tree in self._trees])

    def agreement(self, labels: NDArray[np.int32]) -> tuple[float, float]:
        """Mean adjusted Rand index of two trees' labels, on the nodes of both, and its standard error."""
        found = []
        for first, second in self._pairs:
            both = (labels[first] >= 0) & (labels[second] >= 0)
            found.append(adjusted_rand(labels[first][both], labels[second][both]))
        return float(np.mean(found)), float(np.std(found) / len(found) ** 0.5)

    def consensus(self, labels: NDArray[np.int32], resolution: float) -> NDArray[np.int32]:
        """The communities (m,) of the graph in which each edge counts as often as `labels` put its ends together."""
        origins, ends = self._graph.origins, self._graph.ends
        together, known = np.zeros(len(ends)), np.zeros(len(ends))
        for each in labels:
            first, second = each[origins], each[ends]
            both = (first >= 0) & (second >= 0)
            known += both
            together += both & (first == second)
        share = np.divide(together, known, out=np.ones(len(ends)), where=known > 0)
        weights = self._graph.weights * np.maximum(share, ALWAYS_APART)
        return communities(Graph(self._graph.starts, ends, weights), resolution, seed=self._seed)

    def _labels(self, cuts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        labels = np.full((len(cuts), len(self._graph)), -1, dtype=np.int32)
        for row, (nodes, _), cut in zip(labels, self._trees, cuts, strict=True):
            row[nodes] = cut
        return labels
