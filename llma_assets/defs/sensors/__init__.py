"""The list of all sensors; each is off until somebody switches it on."""

from llma_assets.defs.sensors.late_events import late_events
from llma_assets.defs.sensors.open_batches import open_batches
from llma_assets.defs.sensors.stale_clusters import stale_clusters
from llma_assets.defs.sensors.theme_schedules import theme_schedules

sensors = [late_events, open_batches, stale_clusters, theme_schedules]

__all__ = ["late_events", "open_batches", "sensors", "stale_clusters", "theme_schedules"]
