"""The method `graph`: communities of the graph of shared neighbours. Works on distinct, reduced, weighted points."""

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.leiden import communities, shared_neighbour_graph
from llma_assets.clusters.neighbours import nearest_neighbours
from llma_assets.clusters.partition import Partition
from llma_assets.clusters.silhouettes import SilhouetteScorer


def graph_partition(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    scorer: SilhouetteScorer,  # noqa: ARG001
    config: ClusteringConfig,
) -> Partition:
    """Find communities; what is smaller than the smallest cluster is noise.

    Args:
        points: float32 (m, p), distinct.
        weights: float64 (m,).
        scorer: of the same points.
        config: neighbours, resolution, sizes, seed.
    """
    neighbours = nearest_neighbours(points, config.neighbours, seed=config.seed)
    labels = communities(shared_neighbour_graph(neighbours), config.resolution, seed=config.seed)
    sizes = np.bincount(labels, weights=weights)
    if (sizes < config.min_cluster_floor).all():
        return Partition(np.zeros(len(points), dtype=np.int32), collapse="too few items")
    labels = np.where(sizes[labels] < config.min_cluster_floor, np.int32(NOISE_LABEL), labels)
    return Partition(labels, strength=None)
