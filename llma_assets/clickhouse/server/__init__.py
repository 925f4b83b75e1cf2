"""The embedded server: chDB behind ClickHouse's HTTP interface, run as `python -m llma_assets.clickhouse.server`.

Nothing in here is imported by the pipeline; it talks to this process over HTTP as to any other ClickHouse.
"""
