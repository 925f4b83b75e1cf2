"""Reports that read several rooms, as typed objects for the command line, notebooks and Dagster's pages."""

from llma_assets.reports.asking import asking_of
from llma_assets.reports.attributes import AttributesReport, ClusterAttributes, ThemeAttributes, attributes_report
from llma_assets.reports.audit import Audit, AuditedCluster, audit
from llma_assets.reports.automations import AutomationRow, AutomationsReport, AutomationTick, Daemon
from llma_assets.reports.causes import CausesOfCluster, CausesReport, ThemeCauses, causes_of_cluster, causes_report
from llma_assets.reports.checks import CheckReport, CheckResult, all_checks, check_report
from llma_assets.reports.cluster import ClusterReport, cluster_report
from llma_assets.reports.cluster_map import map_markdown, map_png
from llma_assets.reports.cluster_overlap import ClusterOverlap, SharingTheme, cluster_overlap
from llma_assets.reports.cluster_table import cluster_table, clusters_in_sentences, table_rows
from llma_assets.reports.cluster_task import MadeTask, NoSuchClusterError, task_of_cluster
from llma_assets.reports.clusters import published_clusters, published_of_teams
from llma_assets.reports.clusters_of_day import ClusterRow, ThemeClusters, clusters_of_day
from llma_assets.reports.database import BackupMade, BackupRestored, DatabaseStatus, SchemaUpgrade, TableSize
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
from llma_assets.reports.holdings import HISTORY_DAYS, learn_holdings
from llma_assets.reports.ingest import (
    EventsFile,
    IngestedEvents,
    IngestedSegments,
    SegmentsFile,
    events_file,
    segments_file,
)
from llma_assets.reports.item_page import ItemPage, ItemRow, Wanted, item_page
from llma_assets.reports.item_queries import ORDERS, Sort
from llma_assets.reports.item_select import ItemSelect, item_select
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
from llma_assets.reports.not_seen import not_seen
from llma_assets.reports.operations import OperationsReport, operations_report
from llma_assets.reports.overlap import FALSE_SHARE
from llma_assets.reports.overlap_queries import Among, NotClusteredError
from llma_assets.reports.overlap_report import Overlap, OverlapSide, overlap_report
from llma_assets.reports.overview import TeamsReport, TeamSummary, teams_report
from llma_assets.reports.paid_trial import paid_trial
from llma_assets.reports.preview import PreviewReport, first_message, preview_report
from llma_assets.reports.progress import Progress, ThemeProgress, progress_report
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.reports.quality import Gates, RunQuality, gates_of, run_quality
from llma_assets.reports.relinked import RelinkReport, relink_report
from llma_assets.reports.results import ClusterResult, Figures, ThemeResults, theme_results
from llma_assets.reports.retry import RetryReport, RetryRun, retry_report
from llma_assets.reports.run_plan import PlannedTeam, RunPlan
from llma_assets.reports.run_state import RunState, run_state, run_states
from llma_assets.reports.runs import ActionOutcome, DeferredWork, DemoReport, RunReport, TeamOutcome, ThemeOutcome
from llma_assets.reports.shares import Estimate
from llma_assets.reports.skips import Skips, skips_of_day
from llma_assets.reports.sources import (
    SourceReport,
    SourceRow,
    SourcesReport,
    TenantOfSource,
    source_report,
    source_row,
    sources_report,
)
from llma_assets.reports.stages import FailedStage, StageOfDay, StagesReport, stages_report
from llma_assets.reports.stored_runs import LineagesReport, RunsReport, lineages_report, runs_report
from llma_assets.reports.tasks import (
    RefusedSegment,
    RefusedSegments,
    SegmentCounts,
    SegmentsRun,
    TaskDetails,
    Tasks,
    task_details,
    tasks_report,
)
from llma_assets.reports.theme_states import ThemeState, ThemeStates, theme_states
from llma_assets.reports.themes import (
    AppliedChanges,
    ExportedThemes,
    ThemeChanges,
    ThemeExamples,
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
from llma_assets.reports.trace_events import TraceEvents, trace_events
from llma_assets.reports.trend_queries import ThemeTrends, TrendsReport, latest_day, trends_report
from llma_assets.reports.trends import Trend
from llma_assets.reports.trial import Trial, try_theme
from llma_assets.reports.trial_report import TrialItem, TrialReport, trial_report
from llma_assets.reports.usage import Budget, ThemeBudget, UsageReport, UsageTotal, usage_report
from llma_assets.reports.verification import (
    NoChangeError,
    ReleasesReport,
    Verification,
    first_whole_day,
    verified_closings,
    verify_lineage,
    verify_task,
)

__all__ = [
    "COLOURS",
    "FALSE_SHARE",
    "HISTORY_DAYS",
    "ORDERS",
    "OUTLIERS",
    "STEPS",
    "ActionOutcome",
    "Among",
    "AppliedChanges",
    "AttributesReport",
    "Audit",
    "AuditedCluster",
    "AutomationRow",
    "AutomationTick",
    "AutomationsReport",
    "BackupMade",
    "BackupRestored",
    "Budget",
    "BudgetLeft",
    "CausesOfCluster",
    "CausesReport",
    "CheckReport",
    "CheckResult",
    "ClusterAttributes",
    "ClusterOverlap",
    "ClusterReport",
    "ClusterResult",
    "ClusterRow",
    "ClusteredItem",
    "Colour",
    "Daemon",
    "DatabaseStatus",
    "Decision",
    "Decisions",
    "DeferredWork",
    "DemoReport",
    "Digest",
    "Estimate",
    "EstimateReport",
    "EstimateTotal",
    "EventsFile",
    "ExportedThemes",
    "FailedStage",
    "Figures",
    "FlowCluster",
    "FlowDay",
    "Funnel",
    "FunnelReport",
    "Gates",
    "IngestedEvents",
    "IngestedSegments",
    "ItemPage",
    "ItemRow",
    "ItemSelect",
    "LineageFlow",
    "LineagesReport",
    "MadeTask",
    "MapItem",
    "MapPoints",
    "NewItemsReport",
    "NoChangeError",
    "NoSuchClusterError",
    "NoTextsError",
    "NotClusteredError",
    "NothingToTell",
    "OperationsReport",
    "Overlap",
    "OverlapSide",
    "PlannedTeam",
    "PreviewReport",
    "Progress",
    "PublishedCluster",
    "PublishedClusters",
    "PublishedRun",
    "RefusedSegment",
    "RefusedSegments",
    "ReleasesReport",
    "RelinkReport",
    "RetryReport",
    "RetryRun",
    "RunPlan",
    "RunQuality",
    "RunReport",
    "RunState",
    "RunWithNewItems",
    "RunsReport",
    "SchemaUpgrade",
    "SegmentCounts",
    "SegmentsFile",
    "SegmentsRun",
    "Sentence",
    "SharingTheme",
    "Skips",
    "Sort",
    "SourceReport",
    "SourceRow",
    "SourcesReport",
    "StageEstimate",
    "StageOfDay",
    "StagesReport",
    "TableSize",
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
    "ThemeCauses",
    "ThemeChanges",
    "ThemeClusters",
    "ThemeExamples",
    "ThemeHistory",
    "ThemeOutcome",
    "ThemeProgress",
    "ThemeReport",
    "ThemeResults",
    "ThemeSettings",
    "ThemeState",
    "ThemeStates",
    "ThemeTrends",
    "ThemesReport",
    "TraceEvents",
    "TraceReport",
    "Trend",
    "TrendsReport",
    "Trial",
    "TrialItem",
    "TrialReport",
    "UsageReport",
    "UsageTotal",
    "Verification",
    "Wanted",
    "all_checks",
    "asking_of",
    "attributes_report",
    "audit",
    "by_step",
    "causes_of_cluster",
    "causes_report",
    "changes_report",
    "check_report",
    "cluster_overlap",
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
    "first_whole_day",
    "funnel",
    "funnel_report",
    "funnel_tables",
    "gates_of",
    "history_report",
    "item_page",
    "item_select",
    "latest_day",
    "learn_holdings",
    "lineage_flow",
    "lineages_report",
    "map_groups",
    "map_item",
    "map_markdown",
    "map_png",
    "map_points",
    "names_of_teams",
    "new_items_report",
    "not_seen",
    "operations_report",
    "outdated",
    "overlap_report",
    "paid_trial",
    "preview_report",
    "progress_report",
    "published_clusters",
    "published_of_teams",
    "relink_report",
    "retry_report",
    "run_quality",
    "run_state",
    "run_states",
    "runs_report",
    "segments_file",
    "skips_of_day",
    "source_report",
    "source_row",
    "sources_report",
    "span_with_anything",
    "stages_report",
    "table_rows",
    "task_details",
    "task_of_cluster",
    "tasks_report",
    "teams_report",
    "theme_report",
    "theme_results",
    "theme_states",
    "themes_report",
    "trace_events",
    "trace_report",
    "trends_report",
    "trial_report",
    "try_theme",
    "usage_report",
    "verified_closings",
    "verify_lineage",
    "verify_task",
]
