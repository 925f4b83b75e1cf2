"""The one Definitions object: it assembles what the rooms offer, and decides nothing."""

import warnings

import dagster as dg

# Partitioned asset checks, dimension mappings and backfill policies are what this pipeline stands on; that Dagster
# still calls them beta or preview is pinned in pyproject.toml and need not be said at each start.
for category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=category)

from llma_assets.automation import schedules, sensors  # noqa: E402
from llma_assets.clusters.assets import cluster_assignments  # noqa: E402
from llma_assets.clusters.checks import asset_checks as cluster_checks  # noqa: E402
from llma_assets.discovery.assets import eligible_teams  # noqa: E402
from llma_assets.discovery.checks import asset_checks as discovery_checks  # noqa: E402
from llma_assets.embeddings.assets import summary_embeddings  # noqa: E402
from llma_assets.embeddings.checks import asset_checks as embedding_checks  # noqa: E402
from llma_assets.events.assets import cluster_events  # noqa: E402
from llma_assets.events.checks import asset_checks as event_checks  # noqa: E402
from llma_assets.jobs import jobs  # noqa: E402
from llma_assets.labels.assets import cluster_labels  # noqa: E402
from llma_assets.labels.checks import asset_checks as label_checks  # noqa: E402
from llma_assets.rendering.assets import trace_texts  # noqa: E402
from llma_assets.rendering.checks import asset_checks as text_checks  # noqa: E402
from llma_assets.resources import (  # noqa: E402
    ChatModelResource,
    ClickHouseResource,
    EmbedderResource,
    TeamSettingsResource,
    utc_now,
)
from llma_assets.stage import Progress, silent, unfailing  # noqa: E402
from llma_assets.summaries.assets import trace_summaries  # noqa: E402
from llma_assets.summaries.checks import asset_checks as summary_checks  # noqa: E402
from llma_assets.tasks.assets import segment_clusters, tasks, video_segments  # noqa: E402
from llma_assets.tasks.checks import asset_checks as task_checks  # noqa: E402


def build_definitions(*, progress: Progress = silent, **resource_overrides: object) -> dg.Definitions:
    """Everything that Dagster loads; tests and commands swap a resource by its name instead of patching."""
    resources: dict[str, object] = {
        "clickhouse": ClickHouseResource(),
        "chat": ChatModelResource(),
        "embedder": EmbedderResource(),
        "team_settings": TeamSettingsResource(),
        "clock": utc_now,
        "progress": unfailing(progress),
    }
    unknown = resource_overrides.keys() - resources.keys()
    if unknown:
        raise ValueError(f"unknown resources {sorted(unknown)}; there are {sorted(resources)}")
    return dg.Definitions(
        assets=[
            eligible_teams,
            trace_texts,
            trace_summaries,
            summary_embeddings,
            cluster_assignments,
            cluster_labels,
            cluster_events,
            video_segments,
            segment_clusters,
            tasks,
        ],
        asset_checks=[
            *discovery_checks,
            *text_checks,
            *summary_checks,
            *embedding_checks,
            *cluster_checks,
            *label_checks,
            *event_checks,
            *task_checks,
        ],
        jobs=jobs,
        schedules=schedules,
        sensors=sensors,
        resources=resources | resource_overrides,
        executor=dg.in_process_executor,
    )


defs = build_definitions()
