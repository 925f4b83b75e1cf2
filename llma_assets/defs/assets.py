"""The list of all assets, in the order of the graph; each has a module of its name."""

import dagster as dg

from llma_assets.defs.alerts import alerts
from llma_assets.defs.catalog import Catalog
from llma_assets.defs.cluster_assignments import cluster_assignments
from llma_assets.defs.cluster_attributes import cluster_attributes
from llma_assets.defs.cluster_causes import cluster_causes
from llma_assets.defs.cluster_events import cluster_events
from llma_assets.defs.cluster_labels import cluster_labels
from llma_assets.defs.eligible_teams import eligible_teams_of
from llma_assets.defs.external import external_assets
from llma_assets.defs.partitions import Partitions
from llma_assets.defs.segment_clusters import segment_clusters
from llma_assets.defs.summary_embeddings import summary_embeddings
from llma_assets.defs.tasks import tasks
from llma_assets.defs.trace_summaries import trace_summaries
from llma_assets.defs.trace_texts import trace_texts
from llma_assets.defs.trackers import trackers

STAGES = (
    trace_texts,
    trace_summaries,
    summary_embeddings,
    cluster_assignments,
    cluster_labels,
    cluster_attributes,
    cluster_causes,
    cluster_events,
    segment_clusters,
    tasks,
    alerts,
    trackers,
)


def assets_of(partitions: Partitions, catalog: Catalog) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets of an installation, with partitions from the oldest day on."""
    made = [eligible_teams_of(partitions, catalog), *(stage.definition(partitions, catalog) for stage in STAGES)]
    return [*external_assets(catalog), *made]
