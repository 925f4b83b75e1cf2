"""The method `graph`: communities of the graph of shared neighbours. Works on distinct, reduced, weighted points."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.clusters.engine.dominant import divide_dominant
from llma_assets.clusters.engine.kmeans import kmeans_partition
from llma_assets.clusters.engine.leiden import Graph, shared_neighbour_graph
from llma_assets.clusters.engine.neighbours import Neighbours
from llma_assets.clusters.engine.news import set_apart
from llma_assets.clusters.engine.noise import (
    dissolve_diffuse,
    isolation_of,
    mark_noise,
    neighbour_agreement,
    without_small,
)
from llma_assets.clusters.engine.partition import Partition
from llma_assets.clusters.engine.prior import HELD_FINER, HELD_MARGIN, held_together
from llma_assets.clusters.engine.resolution import KEEP_EARLIER_MARGIN, Choice, ResolutionChooser
from llma_assets.clusters.engine.silhouettes import SilhouetteScorer
from llma_assets.clusters.engine.tree import grow_tree

FEWEST_POINTS = 12
"""Least number of points for a graph of shared neighbours."""
FEWEST_NEIGHBOURS, POINTS_A_NEIGHBOUR = 3, 6
"""With few points neighbourhoods are small, too, so that there can be several clusters."""

NO_STRUCTURE, ONE_CLUSTER = "no structure that a resample confirms", "one cluster of all"


def graph_partition(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    neighbours: Neighbours,
    scorer: SilhouetteScorer,
    config: ClusteringConfig,
    earlier_resolution: float | None = None,
    earlier: NDArray[np.int_] | None = None,
    arrivals: tuple[NDArray[np.int_], NDArray[np.intp]] | None = None,
) -> Partition:
    """Find communities at the resolution that resamples confirm; points that belong to none are noise.

    Args:
        points: float32 (m, p), distinct.
        weights: float64 (m,).
        neighbours: of the same points.
        scorer: of the same points; used only if there are too few of them for a graph.
        config: neighbours, resolution, number or size of clusters, noise, seed.
        earlier_resolution: of the run before.
        earlier: int (m, r), cluster of each point in each of r runs before, below 0 where it had none.
        arrivals: of items, and the point that each belongs to, as in `set_apart`; None sets nothing apart.
    """
    m = len(points)
    if m < FEWEST_POINTS:
        few = kmeans_partition(points, weights, scorer, config)
        return replace(few, collapse=f"{m} distinct items are too few", fallback="k-means")
    smallest = config.smallest_community(int(weights.sum()))
    neighbours = neighbours.nearest(max(FEWEST_NEIGHBOURS, m // POINTS_A_NEIGHBOUR))
    graph = shared_neighbour_graph(neighbours)
    isolation = isolation_of(points, neighbours, graph, seed=config.seed)

    def chooser_of(chosen: NDArray[np.intp], part: Graph, near: Neighbours) -> ResolutionChooser:
        return ResolutionChooser(
            part,
            points[chosen],
            weights[chosen],
            near,
            isolation.isolated[chosen],
            smallest=smallest,
            sample=config.silhouette_sample,
            runs=config.runs,
            seed=config.seed,
        )

    margin = KEEP_EARLIER_MARGIN if earlier is None else HELD_MARGIN
    chooser = chooser_of(np.arange(m), graph, neighbours)
    choice = _choice(chooser, config, earlier_resolution, margin)
    if earlier is not None and earlier_resolution is not None and choice.is_at(earlier_resolution):
        held = grow_tree(held_together(graph, earlier), chooser.finest, seed=config.seed)
        choice = replace(choice, labels=held.at(earlier_resolution * HELD_FINER))
    if config.target_clusters is None and config.resolution is None:
        choice = divide_dominant(choice, graph, weights, neighbours, chooser_of)
    labels = mark_noise(choice.labels, weights, isolation, neighbours, smallest=smallest)
    labels = dissolve_diffuse(labels, points, weights, isolation, neighbours, smallest=smallest)
    if arrivals is not None:
        labels = set_apart(labels, chooser.tree, *arrivals, smallest=smallest)
    faults: list[tuple[str, str]] = []
    if choice.weak:
        faults.append((NO_STRUCTURE, ONE_CLUSTER))
    share = _noise_share(labels, weights)
    if share > config.max_noise_share:
        # If most items are noise, the limit says nothing about single items.
        faults.append(
            (f"{share:.0%} of the items lie no closer together than chance puts them", "no item called noise for that")
        )
        labels = without_small(choice.labels, weights, smallest=smallest)
    if (labels < 0).all():
        faults.append(("no community is large enough for a cluster", ONE_CLUSTER))
    if choice.weak or (labels < 0).all():
        labels = np.zeros(m, dtype=np.int32)
    return Partition(
        labels,
        strength=neighbour_agreement(labels, neighbours),
        resolution=None if choice.chosen is None else choice.chosen.resolution,
        resolution_curve=choice.curve,
        collapse="; ".join(reason for reason, _ in faults),
        fallback="; ".join(dict.fromkeys(fallback for _, fallback in faults)),
        stability=None if choice.chosen is None else choice.chosen.stability,
    )


def _choice(
    chooser: ResolutionChooser, config: ClusteringConfig, earlier_resolution: float | None, margin: float
) -> Choice:
    if config.target_clusters is not None:
        return chooser.about(config.target_clusters)
    if config.resolution is not None:
        return chooser.at(config.resolution)
    return chooser.choose(earlier_resolution, margin)


def _noise_share(labels: NDArray[np.int32], weights: NDArray[np.float64]) -> float:
    return float(weights[labels < 0].sum() / weights.sum())
