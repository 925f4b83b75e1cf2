"""Turns the clustering options of a theme and a run into the engine's config. Parameters belong in `engine.config`."""

from dataclasses import dataclass, fields, replace

from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.themes import Theme, ThemeClustering

MAX_SAMPLES = 2000
MAX_SAMPLES_GRAPH = 20_000
"""`graph` needs time proportional to the number of items: 20,000 x 1,536 take some seconds."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of one run; None keeps the theme's own value. The fields are those of `ThemeClustering`."""

    method: str | None = None
    target_clusters: int | None = None
    min_cluster_size: int | None = None
    min_k: int | None = None
    max_k: int | None = None
    min_items: int | None = None
    max_samples: int | None = None
    items_per_trace: int | None = None
    mix_versions: bool | None = None

    def of(self, theme: Theme) -> ThemeClustering:
        """The options for a theme in this run. A single bound of k moves the theme's other bound."""
        own = {each.name: getattr(self, each.name) for each in fields(ThemeClustering)}
        given = {name: value for name, value in own.items() if value is not None}
        if self.min_k is not None:
            given.setdefault("max_k", max(theme.clustering.max_k, self.min_k))
        if self.max_k is not None:
            given.setdefault("min_k", min(theme.clustering.min_k, self.max_k))
        return replace(theme.clustering, **given)


def engine_config(clustering: ThemeClustering) -> ClusteringConfig:
    """The options as the engine's config.

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
    """Items that are clustered at most; further items are assigned to the clusters found."""
    if clustering.max_samples is not None:
        return clustering.max_samples
    return MAX_SAMPLES_GRAPH if clustering.method == "graph" else MAX_SAMPLES
