"""What others make and the pipeline reads: external assets, so that the lineage shows where everything begins."""

import dagster as dg

from llma_assets.defs.partitions import teams

events = dg.AssetSpec(
    "events",
    group_name="sources",
    kinds={"clickhouse"},
    metadata={"dagster/table_name": "events"},
    description="Trace events of LLM applications, as they were sent, or read by `llma ingest`.",
)

video_segments = dg.AssetSpec(
    "video_segments",
    group_name="sources",
    kinds={"clickhouse"},
    partitions_def=teams,
    metadata={"dagster/table_name": "document_embeddings"},
    description=(
        "Segments of session replays, described in words and embedded elsewhere, or by `llma segments ingest`: rows of "
        "document_embeddings with product session-replay."
    ),
)
