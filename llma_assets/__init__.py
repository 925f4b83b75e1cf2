"""LLMA Assets: from the trace events of LLM applications to labelled clusters, as Dagster assets over ClickHouse."""
