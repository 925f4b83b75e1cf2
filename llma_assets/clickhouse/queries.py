"""The statements of this room: databases and applied migrations."""

CREATE_DATABASE = """
CREATE DATABASE IF NOT EXISTS {name:Identifier}
"""

DATABASE_EXISTS = """
SELECT count()
FROM system.databases
WHERE name = {name:String}
"""

# Key: the migration's number. Two processes that apply the same one write equal rows.
CREATE_SCHEMA_MIGRATIONS = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32,
    name String,
    checksum FixedString(64),
    applied_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY number
"""

HAS_SCHEMA_MIGRATIONS = """
SELECT count()
FROM system.tables
WHERE database = {database:String}
  AND name = 'schema_migrations'
"""

APPLIED_MIGRATIONS = """
SELECT number, name, checksum
FROM schema_migrations FINAL
ORDER BY number
"""
