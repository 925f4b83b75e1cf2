"""Reports that read several rooms, as typed objects for the command line, notebooks and Dagster's pages."""

from llma_assets.reports.asking import asking_of
from llma_assets.reports.attributes import (
    AttributesReport,
    ClusterAttributes,
    ThemeAttributes,
    attributes_report,
)
from llma_assets.reports.audit import Audit, AuditedCluster, audit
from llma_assets.reports.checks import CheckReport, CheckResult, all_checks, check_report
from llma_assets.reports.cluster import ClusterReport, cluster_report
from llma_assets.reports.cluster_map import map_markdown, map_png
from llma_assets.reports.cluster_table import cluster_table, clusters_in_sentences, table_rows
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters, clusters_of_day
from llma_assets.reports.day_states import days_with_anything, span_with_anything
from llma_assets.reports.decisions import Decision, Decisions, decisions
from llma_assets.reports.digest import Digest, NothingToTell, Sentence, digest_of, outdated
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
from llma_assets.reports.ingest import (
    EventsFile,
    IngestedEvents,
    IngestedSegments,
    SegmentsFile,
    events_file,
    segments_file,
)
from llma_assets.reports.item_page import ORDERS, ItemPage, ItemRow, Sort, item_page
from llma_assets.reports.items import ClusteredItem, clustered_items
from llma_assets.reports.lineage_flow import FlowCluster, FlowDay, LineageFlow, lineage_flow
from llma_assets.reports.map_points import (
    COLOURS,
    OUTLIERS,
    Colour,
    MapItem,
    MapPoints,
    map_groups,
    map_item,
    map_points,
)
from llma_assets.reports.names_of_teams import names_of_teams
from llma_assets.reports.new_items import NewItemsReport, RunWithNewItems, new_items_report
from llma_assets.reports.overlap import FALSE_SHARE
from llma_assets.reports.overlap_queries import Among, NotClusteredError
from llma_assets.reports.overlap_report import Overlap, OverlapSide, overlap_report
from llma_assets.reports.overview import TeamsReport, TeamSummary, teams_report
from llma_assets.reports.packs import PackReport, PacksReport, pack_report, packs_report
from llma_assets.reports.paid_trial import paid_trial
from llma_assets.reports.preview import PreviewReport, first_message, preview_report
from llma_assets.reports.progress import Progress, ThemeProgress, progress_report
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.reports.relinked import RelinkReport, relink_report
from llma_assets.reports.results import ClusterResult, Figures, ThemeResults, theme_results
from llma_assets.reports.retry import RetryReport, RetryRun
from llma_assets.reports.run_state import RunState, run_state
from llma_assets.reports.runs import DeferredWork, RunReport, TeamOutcome, ThemeOutcome
from llma_assets.reports.shares import Estimate
from llma_assets.reports.skips import Skips, skips_of_day
from llma_assets.reports.sources import SourceReport, TenantOfSource, source_report
from llma_assets.reports.stored_runs import LineagesReport, RunsReport, lineages_report, runs_report
from llma_assets.reports.tasks import TaskDetails, Tasks, task_details, tasks_report
from llma_assets.reports.themes import (
    AppliedChanges,
    ThemeChanges,
    ThemeHistory,
    ThemeReport,
    ThemeSettings,
    ThemesReport,
    changes_report,
    history_report,
    theme_report,
    themes_report,
)
from llma_assets.reports.trace import ThemeAnswer, TraceReport, trace_report
from llma_assets.reports.trend_queries import ThemeTrends, TrendsReport, latest_day, trends_report
from llma_assets.reports.trends import Trend
from llma_assets.reports.trial import Trial, try_theme
from llma_assets.reports.trial_report import TrialItem, TrialReport, trial_report
from llma_assets.reports.usage import Budget, ThemeBudget, UsageReport, UsageTotal, usage_report
from llma_assets.reports.verification import (
    NoChangeError,
    ReleasesReport,
    Verification,
    verify_lineage,
    verify_task,
)

__all__ = [
    "COLOURS",
    "FALSE_SHARE",
    "ORDERS",
    "OUTLIERS",
    "STEPS",
    "Among",
    "AppliedChanges",
    "AttributesReport",
    "Audit",
    "AuditedCluster",
    "Budget",
    "BudgetLeft",
    "CheckReport",
    "CheckResult",
    "ClusterAttributes",
    "ClusterReport",
    "ClusterResult",
    "ClusterRow",
    "ClusteredItem",
    "Colour",
    "Decision",
    "Decisions",
    "DeferredWork",
    "Digest",
    "Estimate",
    "EstimateReport",
    "EstimateTotal",
    "EventsFile",
    "Figures",
    "FlowCluster",
    "FlowDay",
    "Funnel",
    "FunnelReport",
    "IngestedEvents",
    "IngestedSegments",
    "ItemPage",
    "ItemRow",
    "LineageFlow",
    "LineagesReport",
    "MapItem",
    "MapPoints",
    "NewItemsReport",
    "NoChangeError",
    "NoTextsError",
    "NotClusteredError",
    "NothingToTell",
    "Overlap",
    "OverlapSide",
    "PackReport",
    "PacksReport",
    "PreviewReport",
    "Progress",
    "PublishedCluster",
    "PublishedClusters",
    "PublishedRun",
    "ReleasesReport",
    "RelinkReport",
    "RetryReport",
    "RetryRun",
    "RunReport",
    "RunState",
    "RunWithNewItems",
    "RunsReport",
    "SegmentsFile",
    "Sentence",
    "Skips",
    "Sort",
    "SourceReport",
    "StageEstimate",
    "TaskDetails",
    "Tasks",
    "TeamOutcome",
    "TeamSummary",
    "TeamsReport",
    "TenantOfSource",
    "ThemeAnswer",
    "ThemeAttributes",
    "ThemeBudget",
    "ThemeBudgetLeft",
    "ThemeChanges",
    "ThemeClusters",
    "ThemeHistory",
    "ThemeOutcome",
    "ThemeProgress",
    "ThemeReport",
    "ThemeResults",
    "ThemeSettings",
    "ThemeTrends",
    "ThemesReport",
    "TraceReport",
    "Trend",
    "TrendsReport",
    "Trial",
    "TrialItem",
    "TrialReport",
    "UsageReport",
    "UsageTotal",
    "Verification",
    "all_checks",
    "asking_of",
    "attributes_report",
    "audit",
    "by_step",
    "changes_report",
    "check_report",
    "cluster_report",
    "cluster_table",
    "clustered_items",
    "clusters_in_sentences",
    "clusters_of_day",
    "days_with_anything",
    "decisions",
    "digest_of",
    "estimate_report",
    "events_file",
    "first_message",
    "funnel",
    "funnel_report",
    "funnel_tables",
    "history_report",
    "item_page",
    "latest_day",
    "lineage_flow",
    "lineages_report",
    "map_groups",
    "map_item",
    "map_markdown",
    "map_png",
    "map_points",
    "names_of_teams",
    "new_items_report",
    "outdated",
    "overlap_report",
    "pack_report",
    "packs_report",
    "paid_trial",
    "preview_report",
    "progress_report",
    "published_clusters",
    "relink_report",
    "run_state",
    "runs_report",
    "segments_file",
    "skips_of_day",
    "source_report",
    "span_with_anything",
    "table_rows",
    "task_details",
    "tasks_report",
    "teams_report",
    "theme_report",
    "theme_results",
    "themes_report",
    "trace_report",
    "trends_report",
    "trial_report",
    "try_theme",
    "usage_report",
    "verify_lineage",
    "verify_task",
]
