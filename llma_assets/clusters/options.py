"""From how a theme wants its items grouped to what the engine takes. What each parameter means belongs in `config`."""

from dataclasses import dataclass, fields, replace

from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.themes import Theme, ThemeClustering

MIN_TRACES_FOR_CLUSTERING = ThemeClustering().min_items
MAX_SAMPLES = 2000
MAX_SAMPLES_GRAPH = 20_000
"""`graph` grows with the number of items, not with its square: 20,000 x 1,536 take some seconds."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How one run groups items; what is None is as each theme wants it. The fields are those of `ThemeClustering`."""

    method: str | None = None
    target_clusters: int | None = None
    min_cluster_size: int | None = None
    min_k: int | None = None
    max_k: int | None = None
    min_items: int | None = None
    max_samples: int | None = None
    mix_versions: bool | None = None

    def of(self, theme: Theme) -> ThemeClustering:
        """How this run groups a theme's items. A bound of k that is given alone moves the theme's other one."""
        own = {each.name: getattr(self, each.name) for each in fields(ThemeClustering)}
        given = {name: value for name, value in own.items() if value is not None}
        if self.min_k is not None:
            given.setdefault("max_k", max(theme.clustering.max_k, self.min_k))
        if self.max_k is not None:
            given.setdefault("min_k", min(theme.clustering.min_k, self.max_k))
        return replace(theme.clustering, **given)


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
