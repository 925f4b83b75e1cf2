"""The asset `cluster_assignments`."""

from dataclasses import fields

from llma_assets.clusters import CLUSTERING_VERSION, PrivacyMinimum, RunOptions, store_clusters
from llma_assets.defs.overview import with_overview
from llma_assets.defs.stage_asset import ThemesConfig, stage_asset
from llma_assets.stage import Report, StageContext


class ClusteringRunConfig(ThemesConfig):
    """Options of a run. For options without a value the settings of each theme hold (`ThemeClustering`)."""

    method: str | None = None
    """`graph`, `kmeans` or `hdbscan`; `graph` unless the theme sets another."""
    target_clusters: int | None = None
    """Approximate number of clusters; None to derive it from the data."""
    min_cluster_size: int | None = None
    """`graph` and `hdbscan`: minimum size of a cluster; None for a share of the items."""
    min_k: int | None = None
    """k-means: smallest number of clusters tried, 3 unless the theme sets another number."""
    max_k: int | None = None
    """k-means: largest number of clusters tried, 6 unless the theme sets another number."""
    min_items: int | None = None
    """Minimum number of items in the window; with fewer, the theme is skipped with a reason. 20 unless the theme sets
    another number."""
    max_samples: int | None = None
    """With more items in the window a seeded sample is clustered, and all others are assigned to its clusters.
    None for 20,000 with `graph`, and 2,000 with the others."""
    items_per_trace: int | None = None
    """Maximum number of items of one trace that clusters are found from; its other items are assigned to them. 8 unless
    the theme sets another number."""
    mix_versions: bool | None = None
    """Cluster items that were summarised under an earlier version of the theme, too."""

    def run_options(self) -> RunOptions:
        """The options without those of Dagster."""
        return RunOptions(**{each.name: getattr(self, each.name) for each in fields(RunOptions)})


@stage_asset(
    deps=["summary_embeddings"],
    group="clusters",
    kinds={"clickhouse", "scikitlearn"},
    pool="clickhouse",
    table="cluster_members",
    code_version=CLUSTERING_VERSION,
    config=ClusteringRunConfig,
)
def cluster_assignments(ctx: StageContext) -> Report:
    """The clusters of the last seven days, per theme: members with distance and rank, centroids, a 2-D map."""
    options: ClusteringRunConfig = ctx.options
    report = store_clusters(
        ctx.database,
        ctx.partition,
        model_name=ctx.embedder().name,
        lookback_days=ctx.lookback_days,
        options=options.run_options(),
        themes=ctx.themes,
        privacy=PrivacyMinimum(ctx.team.min_users, ctx.team.below_min_users),
        progress=ctx.progress,
    )
    return with_overview(ctx, report, clustered=True)
