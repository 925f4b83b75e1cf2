"""Embeddings of summaries. Summaries belong in `summaries`, clustering in `clusters`."""

from llma_assets.embeddings.checks import CHECKS
from llma_assets.embeddings.compose import (
    TEXT_VERSION,
    EmbeddedItem,
    FailedItem,
    embed_items,
    embedding_text,
)
from llma_assets.embeddings.estimate import SUMMARY_TOKENS, forecast_embeddings
from llma_assets.embeddings.partition import store_embeddings
from llma_assets.embeddings.queries import PRODUCT, space_of

__all__ = [
    "CHECKS",
    "PRODUCT",
    "SUMMARY_TOKENS",
    "TEXT_VERSION",
    "EmbeddedItem",
    "FailedItem",
    "embed_items",
    "embedding_text",
    "forecast_embeddings",
    "space_of",
    "store_embeddings",
]
