"""The embedded server: chDB behind ClickHouse's HTTP interface, run as `python -m llma_assets.clickhouse.server`.

The pipeline imports nothing from here: it talks to this process over HTTP, as to any other ClickHouse.
"""
