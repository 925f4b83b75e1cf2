"""From clusters to published events: aggregates of cost, latency, tokens and errors, and the event itself.

What is a cluster belongs in `clusters`, what it is called in `labels`.
"""

from llma_assets.events.aggregates import ClusterMetrics, ItemNumbers, aggregate
from llma_assets.events.checks import CHECKS
from llma_assets.events.partition import event_uuid, publish_events
from llma_assets.events.payload import PAYLOAD_VERSION, EmptyClusteringError, NoNamesError, cluster_event_properties

__all__ = [
    "CHECKS",
    "PAYLOAD_VERSION",
    "ClusterMetrics",
    "EmptyClusteringError",
    "ItemNumbers",
    "NoNamesError",
    "aggregate",
    "cluster_event_properties",
    "event_uuid",
    "publish_events",
]
