"""Chooses a cut of the tree of communities, on a curve of stability and separation.

U. von Luxburg, "Clustering stability: an overview", Foundations and Trends in Machine Learning (2010): stability
alone favours few clusters, and separation alone, many small ones; their product has its maximum in between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.agreement import adjusted_rand
from llma_assets.clusters.engine.leiden import Graph
from llma_assets.clusters.engine.separation import SeparationScorer
from llma_assets.clusters.engine.tree import Tree, grow_tree

FINEST_ITEMS = 100
"""The finest resolution divides evenly spread points into groups of about this many, or fewer."""
FINEST = (8.0, 256.0)
COARSEST = 0.05
RESAMPLED_SHARE = 0.8
FEWEST_CLUSTERS = 3
SLACK = 0.01
"""The coarsest cut with a score this close to the best wins, so that chance does not decide."""
KEEP_EARLIER_MARGIN = 0.1
"""The resolution of the run before is kept unless another scores better by this share: near its top the curve is flat,
and chance would cut the same clusters finer on one day and coarser on the next."""
NO_STRUCTURE = 0.05
"""Points without structure score below 0.01, real texts above 0.15."""


@dataclass(frozen=True, slots=True)
class ResolutionScore:
    """One point of the curve that the resolution was chosen from.

    Attributes:
        resolution: of the cut.
        clusters: of at least the smallest size.
        stability: mean adjusted Rand index with the same cut after resampling, at most 1.
        separation: mean over the points of how much nearer the own centroid is than the next, in [-1, 1].
        score: stability times separation.
    """

    resolution: float
    clusters: int
    stability: float
    separation: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The chosen cut.

    Attributes:
        labels: int32 (m,), with communities of all sizes.
        chosen: its point on the curve; None if there is no cut to score.
        curve: what was tried, by rising resolution.
        weak: whether no resample confirms the structure.
    """

    labels: NDArray[np.int32]
    chosen: ResolutionScore | None
    curve: tuple[ResolutionScore, ...]
    weak: bool

    def is_at(self, resolution: float) -> bool:
        """Whether the cut is one of structure, at this resolution."""
        return not self.weak and self.chosen is not None and bool(np.isclose(self.chosen.resolution, resolution))


class ResolutionChooser:
    """Grows the tree of a graph and those of its resamples, and scores cuts.

    Args:
        graph: of m points.
        points: float32 (m, p), that separation is measured on.
        weights: float64 (m,), how many items each stands for.
        smallest: items of the smallest cluster; points in smaller communities count 0 for separation.
        sample: points that separation is measured at, at most.
        resamples: of the graph's nodes.
        seed: of communities, resamples and sample.
    """

    def __init__(
        self,
        graph: Graph,
        points: NDArray[np.float32],
        weights: NDArray[np.float64],
        *,
        smallest: int,
        sample: int,
        resamples: int,
        seed: int,
    ) -> None:
        m = len(graph)
        self.finest = float(np.clip(m / FINEST_ITEMS, *FINEST))
        self._weights, self._smallest = weights, smallest
        self._tree = grow_tree(graph, self.finest, seed=seed)
        self._scorer = SeparationScorer(points, weights, self._tree.fine, sample=sample, seed=seed)
        rng = np.random.default_rng(seed)
        self._resampled: list[tuple[NDArray[np.intp], Tree]] = []
        for _ in range(resamples):
            nodes = np.sort(rng.choice(m, size=max(2, round(RESAMPLED_SHARE * m)), replace=False))
            self._resampled.append((nodes, grow_tree(graph.among(nodes), self.finest, seed=seed)))

    def choose(self, earlier: float | None = None, margin: float = KEEP_EARLIER_MARGIN) -> Choice:
        """Try resolutions by factors of two, then between those next to the best.

        Args:
            earlier: the resolution of the run before, kept if it is nearly as good as the best; None for none.
            margin: share of the best score that it may lack.
        """
        found = {exponent: self._at(exponent) for exponent in self._exponents()}
        best = max(found, key=lambda exponent: (found[exponent].score, -exponent))
        for exponent in (best - 0.5, best + 0.5):
            if min(found) < exponent < max(found):
                found[exponent] = self._at(exponent)
        before = None if earlier is None else float(np.log2(earlier))
        if before is not None and min(found) <= before <= max(found):
            found.setdefault(before, self._at(before))
        curve = tuple(found[exponent] for exponent in sorted(found))
        enough = [point for point in curve if point.clusters >= FEWEST_CLUSTERS] or list(curve)
        most = max(point.score for point in enough)
        weak = most < NO_STRUCTURE
        chosen = next(point for point in enough if weak or point.score >= most * (1 - SLACK))
        kept = found.get(before) if before is not None else None
        if kept in enough and not weak and kept.score >= most * (1 - margin):
            chosen = kept
        return Choice(self._tree.at(chosen.resolution), chosen, curve, weak)

    def at(self, resolution: float) -> Choice:
        """The cut at a given resolution."""
        point = self._score(resolution, self._tree.at(resolution), [tree.at(resolution) for _, tree in self._resampled])
        return Choice(self._tree.at(resolution), point, (point,), weak=False)

    def about(self, clusters: int) -> Choice:
        """The coarsest cut with `clusters` of at least the smallest size, or with as many as there can be."""
        best, most = self._tree.into(1), 1
        for parts in range(2, len(self._tree.pairs) + 2):
            labels = self._tree.into(parts)
            large = int((np.bincount(labels, weights=self._weights) >= self._smallest).sum())
            if large > most:
                best, most = labels, large
            if most >= clusters:
                break
        parts = int(best.max()) + 1
        joins = len(self._tree.pairs) + 1 - parts
        resolution = float(self._tree.resolutions[joins - 1]) if joins else self.finest
        point = self._score(resolution, best, [tree.into(parts) for _, tree in self._resampled])
        return Choice(best, point, (point,), weak=False)

    def _exponents(self) -> Iterator[float]:
        """Binary logarithms of the resolutions to try, from fine to coarse, down to the first cut of one cluster."""
        exponent = float(np.log2(self.finest))
        yield exponent
        while exponent - 1 >= np.log2(COARSEST):
            exponent -= 1
            if int(self._tree.at(2.0**exponent).max()) == 0:
                return
            yield exponent

    def _at(self, exponent: float) -> ResolutionScore:
        resolution = 2.0**exponent
        return self._score(resolution, self._tree.at(resolution), [tree.at(resolution) for _, tree in self._resampled])

    def _score(self, resolution: float, labels: NDArray[np.int32], others: list[NDArray[np.int32]]) -> ResolutionScore:
        sizes = np.bincount(labels, weights=self._weights)
        counts = sizes[labels] >= self._smallest
        separation = self._scorer.score(labels, counts)
        agreements = [
            adjusted_rand(labels[nodes], other) for (nodes, _), other in zip(self._resampled, others, strict=True)
        ]
        stability = float(np.mean(agreements)) if agreements else 0.0
        return ResolutionScore(
            resolution=resolution,
            clusters=int((sizes >= self._smallest).sum()),
            stability=stability,
            separation=separation,
            score=max(stability, 0.0) * separation,
        )
