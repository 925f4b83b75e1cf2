"""Many runs over one graph: how far the cuts of resamples agree, and the communities that most runs share.

Choosing a resolution belongs in `resolution`.

A. Lancichinetti, S. Fortunato, "Consensus clustering in complex networks", Scientific Reports 2 (2012): the communities
of a graph whose edges weigh how often many runs put their ends together change less than those of any one run.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.leiden import Graph, communities
from llma_assets.clusters.engine.tree import Tree, grow_tree

Cut = Callable[[Tree], NDArray[np.int32]]
RESAMPLED_SHARE = 0.8
NODES_OF_ALL_RUNS = 20_000
"""Nodes of all runs of a kind together, about: large data need fewer, because chance decides less there."""
RESAMPLES = (2, 3)
ALWAYS_APART = 0.05
"""What is left of an edge whose ends no run puts together, so that no node is cut off."""


class Forest:
    """A tree of a graph, trees of seeded four fifths of its nodes, and communities that many runs agree on.

    Args:
        graph: of m nodes.
        finest: resolution of the fine communities.
        runs: that communities are drawn from, at most; fewer where the graph is large.
        seed: of parts and communities.
    """

    def __init__(self, graph: Graph, finest: float, *, runs: int, seed: int) -> None:
        m = len(graph)
        rng = np.random.default_rng(seed)
        self._graph, self._seed = graph, seed
        enough = NODES_OF_ALL_RUNS // m
        self._runs = min(runs, enough)
        self.tree = grow_tree(graph, finest, seed=seed)
        self._parts: list[tuple[NDArray[np.intp], Tree]] = []
        for _ in range(int(np.clip(enough, *RESAMPLES))):
            nodes = np.sort(rng.choice(m, size=max(2, round(RESAMPLED_SHARE * m)), replace=False))
            self._parts.append((nodes, grow_tree(graph.among(nodes), finest, seed=int(rng.integers(2**31)))))

    def agreement(self, cut: Cut) -> tuple[float, float]:
        """Mean adjusted Rand index of two resamples' cuts, on the nodes of both, and its standard error."""
        labels = np.full((len(self._parts), len(self._graph)), -1, dtype=np.int32)
        for row, (nodes, tree) in zip(labels, self._parts, strict=True):
            row[nodes] = cut(tree)
        found = []
        for first, second in combinations(labels, 2):
            both = (first >= 0) & (second >= 0)
            found.append(adjusted_rand(first[both], second[both]))
        return float(np.mean(found)), float(np.std(found) / len(found) ** 0.5)

    def consensus(self, resolution: float) -> NDArray[np.int32]:
        """Communities (m,) of the graph in which an edge counts as often as runs at `resolution` join its ends."""
        if self._runs < 2:
            return self.tree.at(resolution)
        origins, ends = self._graph.origins, self._graph.ends
        together = np.zeros(len(ends))
        for run in range(self._runs):
            labels = communities(self._graph, resolution, seed=self._seed * self._runs + run)
            together += labels[origins] == labels[ends]
        weights = self._graph.weights * np.maximum(together / self._runs, ALWAYS_APART)
        return communities(Graph(self._graph.starts, ends, weights), resolution, seed=self._seed)
