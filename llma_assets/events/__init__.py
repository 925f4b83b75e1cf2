"""From clusters to published events: aggregates of cost, latency, tokens and errors, and the event itself.

What is a cluster belongs in `clusters`, what it is called in `labels`.
"""

from llma_assets.events.aggregates import ClusterMetrics, ItemNumbers, aggregate
from llma_assets.events.payload import EmptyClusteringError, NoNamesError, cluster_event_properties

__all__ = [
    "ClusterMetrics",
    "EmptyClusteringError",
    "ItemNumbers",
    "NoNamesError",
    "aggregate",
    "cluster_event_properties",
]
