"""ClickHouse for all rooms: `Database`, the embedded server of a data folder, and the migrations of the schema.

Statements about traces, clusters or labels belong in the rooms that run them.
"""

from llma_assets.clickhouse.client import SharedClient, database_errors, database_name
from llma_assets.clickhouse.connecting import connect, open_database
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, MigrationError, NoDatabase, error_summary
from llma_assets.clickhouse.lifecycle import has_data, start, status, stop
from llma_assets.clickhouse.migrate import migrate
from llma_assets.clickhouse.server_folder import ServerState

__all__ = [
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "MigrationError",
    "NoDatabase",
    "ServerState",
    "SharedClient",
    "connect",
    "database_errors",
    "database_name",
    "error_summary",
    "has_data",
    "migrate",
    "open_database",
    "start",
    "status",
    "stop",
]
