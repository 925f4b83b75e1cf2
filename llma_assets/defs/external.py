"""What others make and the pipeline reads: external assets, so that the lineage shows where everything begins."""

import dagster as dg

from llma_assets.defs.catalog import Catalog
from llma_assets.defs.partitions import teams


def external_assets(catalog: Catalog) -> list[dg.AssetSpec]:
    """The sources of an installation."""
    events = dg.AssetSpec(
        "events",
        group_name="sources",
        kinds={"clickhouse"},
        owners=list(catalog.owners),
        metadata={"dagster/table_name": catalog.table(catalog.events_table)},
        description="Trace events of LLM applications, as they were sent, or read by `llma ingest`.",
    )
    video_segments = dg.AssetSpec(
        "video_segments",
        group_name="sources",
        kinds={"clickhouse"},
        owners=list(catalog.owners),
        partitions_def=teams,
        metadata={"dagster/table_name": catalog.table("document_embeddings")},
        description=(
            "Segments of session replays, described in words and embedded elsewhere, or by `llma segments ingest`: "
            "rows of document_embeddings with product session-replay."
        ),
    )
    return [events, video_segments]
