"""What reads across rooms, as typed objects: the command line, notebooks and pages show the same ones."""

from llma_assets.reports.checks import all_checks
from llma_assets.reports.cluster_map import map_markdown, map_png
from llma_assets.reports.cluster_table import cluster_table, clusters_in_sentences, table_rows
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters, clusters_of_day
from llma_assets.reports.funnel import Funnel, by_step, funnel, funnel_tables
from llma_assets.reports.overlap import FALSE_SHARE, CrossPair
from llma_assets.reports.overlap_queries import Among, CrossedThemes, NotClusteredError, cross_themes
from llma_assets.reports.shares import Estimate, theme_shares
from llma_assets.reports.trend_queries import latest_day, trends_of
from llma_assets.reports.trends import Trend
from llma_assets.reports.trial import Trial, TriedItem, try_theme

__all__ = [
    "FALSE_SHARE",
    "Among",
    "ClusterRow",
    "CrossPair",
    "CrossedThemes",
    "Estimate",
    "Funnel",
    "NotClusteredError",
    "ThemeClusters",
    "Trend",
    "Trial",
    "TriedItem",
    "all_checks",
    "by_step",
    "cluster_table",
    "clusters_in_sentences",
    "clusters_of_day",
    "cross_themes",
    "funnel",
    "funnel_tables",
    "latest_day",
    "map_markdown",
    "map_png",
    "table_rows",
    "theme_shares",
    "trends_of",
    "try_theme",
]
