"""Vectors to clusters: reduce, cluster, noise, quality, map. Pure apart from the Dagster and query modules."""

from llma_assets.clusters.clustering import Clustering, Quality, representatives
from llma_assets.clusters.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.engine import BORDERLINE, cluster
from llma_assets.clusters.errors import ClusteringError, InvalidConfigError, InvalidEmbeddingsError
from llma_assets.clusters.partition import KScore
from llma_assets.clusters.resolution import ResolutionScore

__all__ = [
    "BORDERLINE",
    "NOISE_LABEL",
    "Clustering",
    "ClusteringConfig",
    "ClusteringError",
    "InvalidConfigError",
    "InvalidEmbeddingsError",
    "KScore",
    "Quality",
    "ResolutionScore",
    "cluster",
    "representatives",
]
