"""ClickHouse for all rooms: one `Database`, the embedded server of a data folder, and the schema's migrations.

Statements about traces, clusters or labels belong to the rooms that ask them.
"""

from llma_assets.clickhouse.database import Database, connect
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, MigrationError, NoDatabase
from llma_assets.clickhouse.folder import ServerState
from llma_assets.clickhouse.lifecycle import start, status, stop
from llma_assets.clickhouse.migrate import migrate

__all__ = [
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "MigrationError",
    "NoDatabase",
    "ServerState",
    "connect",
    "migrate",
    "start",
    "status",
    "stop",
]
