"""Clusters of embeddings, their lineage over days, and people's edits.

The algorithms belong in `engine`, which knows no database; names of clusters belong in `labels`.
"""

from llma_assets.clusters.checks import CHECKS, days_to_check
from llma_assets.clusters.deciding import Decided, decide_about
from llma_assets.clusters.disclosure import (
    FEW_USERS_TITLE,
    FULL,
    WITHHELD,
    Disclosure,
    PrivacyMinimum,
    Withheld,
    ask_clusters_of,
    clusters_of,
    first_members_of,
    held_back,
    members_of,
)
from llma_assets.clusters.edits.decisions import (
    NOTHING,
    Action,
    Edit,
    EditError,
    Lineage,
    Standing,
    UnknownLineageError,
    after,
    counted_as,
    decide,
    taken_out_of,
)
from llma_assets.clusters.engine.clustering import Clustering, Quality, representatives
from llma_assets.clusters.engine.clustering_run import BORDERLINE, cluster
from llma_assets.clusters.engine.config import NOISE_LABEL, NOISE_TITLE, ClusteringConfig
from llma_assets.clusters.engine.errors import ClusteringError, InvalidConfigError, InvalidEmbeddingsError
from llma_assets.clusters.engine.partition import KScore
from llma_assets.clusters.engine.resolution import ResolutionScore
from llma_assets.clusters.lineage.relink import Relinked, relink
from llma_assets.clusters.lineage.stored import LINK_DAYS, CarriedName, carried_names
from llma_assets.clusters.new_items import NewItems, assign_new_items
from llma_assets.clusters.options import RunOptions
from llma_assets.clusters.partition import CLUSTERING_VERSION, store_clusters
from llma_assets.clusters.partition import STAGE as CLUSTERING_STAGE
from llma_assets.clusters.store.cluster_edits import ask_edits_of, ask_together, edits_of, standings_of, store_edit
from llma_assets.clusters.store.cluster_members import clustered_since
from llma_assets.clusters.store.clustering_runs import (
    READ_TOGETHER,
    Run,
    ask_of_runs,
    ask_runs_of_day,
    clustered_days,
    committed_run,
    committed_runs,
    has_runs,
    last_runs,
    rows_of_run,
    runs_of_day,
)
from llma_assets.clusters.store.clusters import clusters_of_items
from llma_assets.clusters.store.first_runs import ITEMS_OF_FIRST_RUNS
from llma_assets.clusters.store.lineages import find_lineage, lineages_of, withheld_lineages
from llma_assets.clusters.store.nearest import NearCluster, nearest_clusters
from llma_assets.clusters.store.stale import STALE_RUNS
from llma_assets.clusters.taken_out import taken_out_by_lineage, taken_out_pairs

__all__ = [
    "BORDERLINE",
    "CHECKS",
    "CLUSTERING_STAGE",
    "CLUSTERING_VERSION",
    "FEW_USERS_TITLE",
    "FULL",
    "ITEMS_OF_FIRST_RUNS",
    "LINK_DAYS",
    "NOISE_LABEL",
    "NOISE_TITLE",
    "NOTHING",
    "READ_TOGETHER",
    "STALE_RUNS",
    "WITHHELD",
    "Action",
    "CarriedName",
    "Clustering",
    "ClusteringConfig",
    "ClusteringError",
    "Decided",
    "Disclosure",
    "Edit",
    "EditError",
    "InvalidConfigError",
    "InvalidEmbeddingsError",
    "KScore",
    "Lineage",
    "NearCluster",
    "NewItems",
    "PrivacyMinimum",
    "Quality",
    "Relinked",
    "ResolutionScore",
    "Run",
    "RunOptions",
    "Standing",
    "UnknownLineageError",
    "Withheld",
    "after",
    "ask_clusters_of",
    "ask_edits_of",
    "ask_of_runs",
    "ask_runs_of_day",
    "ask_together",
    "assign_new_items",
    "carried_names",
    "cluster",
    "clustered_days",
    "clustered_since",
    "clusters_of",
    "clusters_of_items",
    "committed_run",
    "committed_runs",
    "counted_as",
    "days_to_check",
    "decide",
    "decide_about",
    "edits_of",
    "find_lineage",
    "first_members_of",
    "has_runs",
    "held_back",
    "last_runs",
    "lineages_of",
    "members_of",
    "nearest_clusters",
    "relink",
    "representatives",
    "rows_of_run",
    "runs_of_day",
    "standings_of",
    "store_clusters",
    "store_edit",
    "taken_out_by_lineage",
    "taken_out_of",
    "taken_out_pairs",
    "withheld_lineages",
]
