"""What follows from clusters for those who fix things: what sets each apart, and whether a fix worked."""

from llma_assets.insights.attributes import VERSION as ATTRIBUTES_VERSION
from llma_assets.insights.attributes import RunAttributes, find_attributes, stored_attributes
from llma_assets.insights.causes import PROMPT_VERSION as CAUSES_VERSION
from llma_assets.insights.causes import STAGE as CAUSES_STAGE
from llma_assets.insights.causes import Cause, ClusterCauses, Reference, causes_of, forecast_causes, store_causes
from llma_assets.insights.comparing import Counts, Distinction, distinctions
from llma_assets.insights.effect import DayRate, Effect, effect_of
from llma_assets.insights.partition import STAGE as ATTRIBUTES_STAGE
from llma_assets.insights.partition import store_attributes
from llma_assets.insights.parts import Part, Parts, parts_of_cluster
from llma_assets.insights.rates import Rates, lineage_rates
from llma_assets.insights.releases import (
    Release,
    ReleaseError,
    add_release,
    find_release,
    releases_of,
    remove_release,
)
from llma_assets.insights.unseen import Unseen, unseen

__all__ = [
    "ATTRIBUTES_STAGE",
    "ATTRIBUTES_VERSION",
    "CAUSES_STAGE",
    "CAUSES_VERSION",
    "Cause",
    "ClusterCauses",
    "Counts",
    "DayRate",
    "Distinction",
    "Effect",
    "Part",
    "Parts",
    "Rates",
    "Reference",
    "Release",
    "ReleaseError",
    "RunAttributes",
    "Unseen",
    "add_release",
    "causes_of",
    "distinctions",
    "effect_of",
    "find_attributes",
    "find_release",
    "forecast_causes",
    "lineage_rates",
    "parts_of_cluster",
    "releases_of",
    "remove_release",
    "store_attributes",
    "store_causes",
    "stored_attributes",
    "unseen",
]
