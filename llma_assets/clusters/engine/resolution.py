"""Chooses a cut of the tree of communities, on a curve of evidence.

Four things speak for a cut: that resamples find it again (stability), that its clusters lie apart (separation), that it
leaves little noise, and that no cluster is much larger than its share. Each alone favours an end of the curve: few
clusters are stable and leave no noise, many lie apart and are even. Their product has its maximum in between.

U. von Luxburg, "Clustering stability: an overview", Foundations and Trends in Machine Learning (2010).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph
from llma_assets.clusters.engine.neighbours import Neighbours
from llma_assets.clusters.engine.noise import SURE_SHARE, neighbour_agreement
from llma_assets.clusters.engine.resampling import Cut, Forest
from llma_assets.clusters.engine.separation import SeparationScorer

FINEST_ITEMS = 100
"""The finest resolution divides evenly spread points into groups of about this many. It is a power of two, so that one
item more or less does not move the whole curve."""
FINEST = (8.0, 256.0)
COARSEST = 0.05
FEWEST_CLUSTERS = 2
SLACK = 0.05
"""A cut that scores lower than the best by this share, or by the usual standard error where that is more, has 1 / e of
its say in the choice: where the curve is flat a few items more or less would otherwise choose another end of it."""
KEEP_EARLIER_MARGIN = 0.1
"""The resolution of the run before is kept unless another scores better by this share: near its top the curve is flat,
and chance would cut the same clusters finer on one day and coarser on the next."""
STABILITY_POWER, CLEANNESS_POWER = 0.5, 3
NO_STRUCTURE = 0.005
"""Points without structure score below 0.001, the hardest real texts seen 0.02."""


@dataclass(frozen=True, slots=True)
class ResolutionScore:
    """One point of the curve that the resolution was chosen from.

    Attributes:
        resolution: of the cut.
        clusters: of at least the smallest size.
        stability: mean adjusted Rand index of the same cut in two resamples, at most 1.
        separation: mean over the points of how much nearer the own centroid is than the next, in [-1, 1].
        noise: share of the items that would be noise.
        largest: share of the items in the largest cluster.
        score: of all four, see `score_of`.
        error: standard error of the score, as far as the resamples tell.
    """

    resolution: float
    clusters: int
    stability: float
    separation: float
    noise: float
    largest: float
    score: float
    error: float


def score_of(*, clusters: int, stability: float, separation: float, noise: float, largest: float) -> float:
    """How much speaks for a cut: sqrt(stability) * separation * (1 - noise)³ * evenness; 0 for one cluster.

    Evenness is 1 where the largest cluster has its share of 1 / clusters, and 0 where it has everything.
    """
    if clusters < FEWEST_CLUSTERS:
        return 0.0
    return float(
        max(stability, 0.0) ** STABILITY_POWER
        * max(separation, 0.0)
        * (1 - noise) ** CLEANNESS_POWER
        * evenness_of(clusters, largest)
    )


def evenness_of(clusters: int, largest: float) -> float:
    """1 where the largest of `clusters` has its share, down to 0 where it has everything; 0 for one cluster."""
    return 0.0 if clusters < 2 else float(np.clip((1 - largest) / (1 - 1 / clusters), 0.0, 1.0))


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
        neighbours: of the same points.
        isolated: bool (m,), points that are noise unless most of their neighbours are in their cluster.
        smallest: items of the smallest cluster; points in smaller communities are noise.
        sample: points that separation is measured at, at most.
        runs: that communities are drawn from, at most.
        seed: of communities, resamples and sample.

    Attributes:
        tree: of the graph.
    """

    def __init__(
        self,
        graph: Graph,
        points: NDArray[np.float32],
        weights: NDArray[np.float64],
        neighbours: Neighbours,
        isolated: NDArray[np.bool_],
        *,
        smallest: int,
        sample: int,
        runs: int,
        seed: int,
    ) -> None:
        self.finest = float(2.0 ** np.round(np.log2(np.clip(len(graph) / FINEST_ITEMS, *FINEST))))
        self._weights, self._smallest = weights, smallest
        self._neighbours, self._isolated = neighbours, isolated
        self._forest = Forest(graph, self.finest, runs=runs, seed=seed)
        self.tree = self._forest.tree
        self._scorer = SeparationScorer(points, weights, self.tree.fine, sample=sample, seed=seed)

    def choose(self, earlier: float | None = None, margin: float = KEEP_EARLIER_MARGIN) -> Choice:
        """Try resolutions by factors of two, and take the one in the middle of those nearly as good as the best.

        Args:
            earlier: the resolution of the run before, kept if it is nearly as good as the best; None for none.
            margin: share of the best score that it may lack.
        """
        found = {exponent: self._at(exponent) for exponent in self._exponents()}
        before = None if earlier is None else float(np.log2(earlier))
        if before is not None and min(found) <= before <= max(found):
            found.setdefault(before, self._at(before))
        curve = tuple(found[exponent] for exponent in sorted(found))
        best = max(curve, key=lambda point: (point.score, -point.resolution))
        weak = best.score < NO_STRUCTURE
        kept = found.get(before) if before is not None else None
        if kept is not None and not weak and kept.score >= best.score * (1 - margin):
            chosen = kept
        elif weak:
            chosen = best
        else:
            chosen = _middle(curve)
        return Choice(self._forest.consensus(chosen.resolution), chosen, curve, weak)

    def at(self, resolution: float) -> Choice:
        """The cut at a given resolution."""
        point = self._at(float(np.log2(resolution)))
        return Choice(self._forest.consensus(resolution), point, (point,), weak=False)

    def about(self, clusters: int) -> Choice:
        """The coarsest cut with `clusters` of at least the smallest size, or with as many as there can be."""
        best, most = self.tree.into(1), 1
        for parts in range(2, len(self.tree.pairs) + 2):
            labels = self.tree.into(parts)
            large = int((np.bincount(labels, weights=self._weights) >= self._smallest).sum())
            if large > most:
                best, most = labels, large
            if most >= clusters:
                break
        parts = int(best.max()) + 1
        joins = len(self.tree.pairs) + 1 - parts
        resolution = float(self.tree.resolutions[joins - 1]) if joins else self.finest
        point = self._score(resolution, lambda tree: tree.into(parts))
        return Choice(best, point, (point,), weak=False)

    def _exponents(self) -> Iterator[float]:
        """Binary logarithms of the resolutions to try, from fine to coarse, down to the first cut of one cluster."""
        exponent = float(np.log2(self.finest))
        yield exponent
        while exponent - 1 >= np.log2(COARSEST):
            exponent -= 1
            if int(self.tree.at(2.0**exponent).max()) == 0:
                return
            yield exponent

    def _at(self, exponent: float) -> ResolutionScore:
        resolution = 2.0**exponent
        return self._score(resolution, lambda tree: tree.at(resolution))

    def _score(self, resolution: float, cut: Cut) -> ResolutionScore:
        labels = cut(self.tree)
        sizes = np.bincount(labels, weights=self._weights)
        held = sizes[labels] >= self._smallest
        stability, error = self._forest.agreement(cut)
        loose = self._isolated & (neighbour_agreement(labels, self._neighbours) < SURE_SHARE)
        kept = held & ~loose
        total = float(self._weights.sum())
        noise = float(self._weights[~kept].sum()) / total
        largest = float(np.bincount(labels[kept], weights=self._weights[kept], minlength=1).max()) / total
        clusters, separation = int((sizes >= self._smallest).sum()), self._scorer.score(labels, held)
        score = score_of(clusters=clusters, stability=stability, separation=separation, noise=noise, largest=largest)
        return ResolutionScore(
            resolution=resolution,
            clusters=clusters,
            stability=stability,
            separation=separation,
            noise=noise,
            largest=largest,
            score=score,
            error=score * STABILITY_POWER * error / stability if stability > 0 else 0.0,
        )


def _middle(curve: tuple[ResolutionScore, ...]) -> ResolutionScore:
    """The point in the middle of what is nearly as good as the best; what lies behind a valley does not count.

    Scores are averaged with those next to them, because each hangs on a few resamples.
    """
    exponents = np.log2([point.resolution for point in curve])
    found = np.array([point.score for point in curve])
    around = np.pad(found, 1, mode="edge")
    scores = np.where(found > 0, (around[:-2] + 2 * found + around[2:]) / 4, 0.0)
    top = int(scores.argmax())
    reached = np.r_[np.minimum.accumulate(scores[top::-1])[::-1], np.minimum.accumulate(scores[top:])[1:]]
    error = float(np.median([point.error / point.score for point in curve if point.score > 0]))
    middle = np.average(exponents, weights=np.exp((reached / scores[top] - 1) / max(SLACK, error)))
    return curve[int(np.abs(np.where(scores > 0, exponents, np.inf) - middle).argmin())]
