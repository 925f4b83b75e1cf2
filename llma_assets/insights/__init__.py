"""What follows from clusters for those who fix things: what sets each apart, and whether a fix worked."""

from llma_assets.insights.attributes import VERSION as ATTRIBUTES_VERSION
from llma_assets.insights.attributes import RunAttributes, find_attributes, stored_attributes
from llma_assets.insights.comparing import Counts, Distinction, distinctions
from llma_assets.insights.partition import STAGE as ATTRIBUTES_STAGE
from llma_assets.insights.partition import store_attributes

__all__ = [
    "ATTRIBUTES_STAGE",
    "ATTRIBUTES_VERSION",
    "Counts",
    "Distinction",
    "RunAttributes",
    "distinctions",
    "find_attributes",
    "store_attributes",
    "stored_attributes",
]
