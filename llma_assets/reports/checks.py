"""The list of data checks of all rooms, for `llma check` and Dagster."""

from llma_assets.clusters import CHECKS as CLUSTERS
from llma_assets.discovery import CHECKS as DISCOVERY
from llma_assets.embeddings import CHECKS as EMBEDDINGS
from llma_assets.events import CHECKS as EVENTS
from llma_assets.findings import Check
from llma_assets.labels import CHECKS as LABELS
from llma_assets.rendering import CHECKS as TEXTS
from llma_assets.summaries import CHECKS as SUMMARIES
from llma_assets.tasks import CHECKS as TASKS


def all_checks() -> list[Check]:
    """The checks of all rooms, in the order of the graph."""
    return [*DISCOVERY, *TEXTS, *SUMMARIES, *EMBEDDINGS, *CLUSTERS, *LABELS, *EVENTS, *TASKS]
