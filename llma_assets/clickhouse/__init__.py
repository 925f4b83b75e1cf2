"""ClickHouse for all rooms: one `Database`, the embedded server of a data folder, and the schema's migrations.

Statements about traces, clusters or labels belong to the rooms that ask them.
"""

from llma_assets.clickhouse.columns import Column, columns_of
from llma_assets.clickhouse.connecting import connect, open_database
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import (
    DatabaseError,
    DatabaseUnavailable,
    EmbeddedNotInstalled,
    MigrationError,
    NoDatabase,
    in_one_line,
)
from llma_assets.clickhouse.folder import ServerState
from llma_assets.clickhouse.lifecycle import has_data, missing_embedded, start, status, stop
from llma_assets.clickhouse.link import Link, database_name, translated
from llma_assets.clickhouse.migrate import migrate

__all__ = [
    "Column",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "EmbeddedNotInstalled",
    "Link",
    "MigrationError",
    "NoDatabase",
    "ServerState",
    "columns_of",
    "connect",
    "database_name",
    "has_data",
    "in_one_line",
    "migrate",
    "missing_embedded",
    "open_database",
    "start",
    "status",
    "stop",
    "translated",
]
