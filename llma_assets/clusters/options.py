"""From how a theme wants its items grouped to what the engine takes. What each parameter means belongs in `config`."""

from llma_assets.clusters.config import ClusteringConfig
from llma_assets.themes import ThemeClustering

MIN_TRACES_FOR_CLUSTERING = ThemeClustering().min_items
MAX_SAMPLES = 2000
MAX_SAMPLES_GRAPH = 20_000
"""`graph` grows with the number of items, not with its square: 20,000 x 1,536 take some seconds."""


def engine_config(clustering: ThemeClustering) -> ClusteringConfig:
    """The options as the pure engine takes them.

    Raises:
        InvalidConfigError: a parameter is outside its range.
    """
    return ClusteringConfig(
        method=clustering.method,
        target_clusters=clustering.target_clusters,
        min_cluster_size=clustering.min_cluster_size,
        min_k=clustering.min_k,
        max_k=clustering.max_k,
    )


def sample_size(clustering: ThemeClustering) -> int:
    """Items that are clustered at most; what is above is assigned to the clusters of these."""
    if clustering.max_samples is not None:
        return clustering.max_samples
    return MAX_SAMPLES_GRAPH if clustering.method == "graph" else MAX_SAMPLES
