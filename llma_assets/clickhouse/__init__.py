"""ClickHouse for all rooms: one `Database`, the embedded server of a data folder, and the schema's migrations.

Statements about traces, clusters or labels belong to the rooms that ask them.
"""

from llma_assets.clickhouse.client import Link, database_name, translated
from llma_assets.clickhouse.connecting import connect, open_database
from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, MigrationError, NoDatabase, in_one_line
from llma_assets.clickhouse.lifecycle import has_data, start, status, stop
from llma_assets.clickhouse.migrate import migrate
from llma_assets.clickhouse.server_folder import ServerState

__all__ = [
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "Link",
    "MigrationError",
    "NoDatabase",
    "ServerState",
    "connect",
    "database_name",
    "has_data",
    "in_one_line",
    "migrate",
    "open_database",
    "start",
    "status",
    "stop",
    "translated",
]
