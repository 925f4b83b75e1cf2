"""Probable causes of a cluster: asked of a model, each with lines of traces that show it, and judged by these lines."""

from llma_assets.insights.causes.estimate import forecast_causes
from llma_assets.insights.causes.evidence import Cause, ClusterCauses, Reference
from llma_assets.insights.causes.partition import STAGE, store_causes
from llma_assets.insights.causes.prompt import PROMPT_VERSION
from llma_assets.insights.causes.store import causes_of

__all__ = [
    "PROMPT_VERSION",
    "STAGE",
    "Cause",
    "ClusterCauses",
    "Reference",
    "causes_of",
    "forecast_causes",
    "store_causes",
]
