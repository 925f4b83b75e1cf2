"""Vectors of summaries: what text stands for a summary, and its embedding, one bad item costing itself alone."""

from llma_assets.embeddings.compose import (
    EmbeddedItem,
    FailedItem,
    embed_batches,
    embed_items,
    embedding_text,
    text_of_summary,
)

__all__ = ["EmbeddedItem", "FailedItem", "embed_batches", "embed_items", "embedding_text", "text_of_summary"]
