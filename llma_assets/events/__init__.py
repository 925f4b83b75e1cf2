"""Publishes each clustering run as one event, with aggregates of cost, latency, tokens and errors.

Clusters belong in `clusters`, their names in `labels`.
"""

from llma_assets.events.aggregates import ClusterMetrics, ItemNumbers, aggregate
from llma_assets.events.checks import CHECKS, teams_with_empty_events
from llma_assets.events.partition import event_uuid, publish_events, published_at
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
    "published_at",
    "teams_with_empty_events",
]
