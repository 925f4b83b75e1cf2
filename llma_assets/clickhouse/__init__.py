"""ClickHouse for all rooms: `Database`, the embedded server of a data folder, and the migrations of the schema.

Statements about traces, clusters or labels belong in the rooms that run them.
"""

from llma_assets.clickhouse.backup import back_up, restore
from llma_assets.clickhouse.client import SentTable, SharedClient, database_errors, database_name
from llma_assets.clickhouse.columns import Column, columns_of
from llma_assets.clickhouse.connecting import connect, open_database
from llma_assets.clickhouse.database import Database, RememberingDatabase
from llma_assets.clickhouse.errors import (
    DatabaseError,
    DatabaseUnavailable,
    EmbeddedNotInstalled,
    MigrationError,
    NoDatabase,
    error_summary,
)
from llma_assets.clickhouse.holdings import DayColumns
from llma_assets.clickhouse.kept import Kept
from llma_assets.clickhouse.lifecycle import has_data, missing_embedded, start, status, stop
from llma_assets.clickhouse.migrate import migrate, shipped_migrations
from llma_assets.clickhouse.retention import keep_for
from llma_assets.clickhouse.server_folder import ServerState

__all__ = [
    "Column",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "DayColumns",
    "EmbeddedNotInstalled",
    "Kept",
    "MigrationError",
    "NoDatabase",
    "RememberingDatabase",
    "SentTable",
    "ServerState",
    "SharedClient",
    "back_up",
    "columns_of",
    "connect",
    "database_errors",
    "database_name",
    "error_summary",
    "has_data",
    "keep_for",
    "migrate",
    "missing_embedded",
    "open_database",
    "restore",
    "shipped_migrations",
    "start",
    "status",
    "stop",
]
