"""Reports that read several rooms, as typed objects for the command line, notebooks and Dagster's pages."""

from llma_assets.reports.audit import Audit, AuditedCluster, audit
from llma_assets.reports.checks import all_checks
from llma_assets.reports.cluster_map import map_markdown, map_png
from llma_assets.reports.cluster_table import cluster_table, clusters_in_sentences, table_rows
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters, clusters_of_day
from llma_assets.reports.estimate import (
    BudgetLeft,
    EstimateReport,
    EstimateTotal,
    NoTextsError,
    StageEstimate,
    ThemeBudgetLeft,
    estimate_report,
)
from llma_assets.reports.funnel import STEPS, Funnel, FunnelReport, by_step, funnel, funnel_report, funnel_tables
from llma_assets.reports.items import ClusteredItem, clustered_items
from llma_assets.reports.overlap import FALSE_SHARE
from llma_assets.reports.overlap_queries import Among, NotClusteredError
from llma_assets.reports.overlap_report import AMONG, Overlap, OverlapSide, overlap_report
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.reports.runs import DeferredWork, RunReport, TeamOutcome, ThemeOutcome
from llma_assets.reports.shares import Estimate
from llma_assets.reports.skips import Skips, skips_of_day
from llma_assets.reports.tasks import TaskDetails, Tasks, task_details, tasks_report
from llma_assets.reports.trace import ThemeAnswer, TraceReport, trace_report
from llma_assets.reports.trend_queries import ThemeTrends, TrendsReport, latest_day, trends_report
from llma_assets.reports.trends import Trend
from llma_assets.reports.trial import Trial, try_theme
from llma_assets.reports.trial_report import TrialItem, TrialReport, trial_report
from llma_assets.reports.usage import Budget, ThemeBudget, UsageReport, UsageTotal, usage_report

__all__ = [
    "AMONG",
    "FALSE_SHARE",
    "STEPS",
    "Among",
    "Audit",
    "AuditedCluster",
    "Budget",
    "BudgetLeft",
    "ClusterRow",
    "ClusteredItem",
    "DeferredWork",
    "Estimate",
    "EstimateReport",
    "EstimateTotal",
    "Funnel",
    "FunnelReport",
    "NoTextsError",
    "NotClusteredError",
    "Overlap",
    "OverlapSide",
    "PublishedCluster",
    "PublishedClusters",
    "PublishedRun",
    "RunReport",
    "Skips",
    "StageEstimate",
    "TaskDetails",
    "Tasks",
    "TeamOutcome",
    "ThemeAnswer",
    "ThemeBudget",
    "ThemeBudgetLeft",
    "ThemeClusters",
    "ThemeOutcome",
    "ThemeTrends",
    "TraceReport",
    "Trend",
    "TrendsReport",
    "Trial",
    "TrialItem",
    "TrialReport",
    "UsageReport",
    "UsageTotal",
    "all_checks",
    "audit",
    "by_step",
    "cluster_table",
    "clustered_items",
    "clusters_in_sentences",
    "clusters_of_day",
    "estimate_report",
    "funnel",
    "funnel_report",
    "funnel_tables",
    "latest_day",
    "map_markdown",
    "map_png",
    "overlap_report",
    "published_clusters",
    "skips_of_day",
    "table_rows",
    "task_details",
    "tasks_report",
    "trace_report",
    "trends_report",
    "trial_report",
    "try_theme",
    "usage_report",
]
