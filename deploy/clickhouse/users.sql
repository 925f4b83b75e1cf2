-- Users and least rights for a ClickHouse server or cluster; run it once as an administrator:
--   clickhouse-client --queries-file deploy/clickhouse/users.sql
-- On a cluster add ON CLUSTER '…' to each statement (or keep users in Keeper: `user_directories`). Nobody can log in by
-- these users until an administrator sets a password (last lines). A test compares the rights with the statements that the
-- code has; no server ran this file here, only ClickHouse's parser read it.

CREATE DATABASE IF NOT EXISTS llma;

-- The schema: `llma db upgrade`, and nothing else.
CREATE ROLE IF NOT EXISTS llma_schema;
GRANT CREATE TABLE, ALTER ADD COLUMN, ALTER MODIFY COLUMN, ALTER SETTINGS, ALTER TTL ON llma.* TO llma_schema;
GRANT SELECT, INSERT ON llma.schema_migrations TO llma_schema;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON llma.* TO llma_schema;
GRANT SELECT ON system.tables TO llma_schema;
GRANT SELECT ON system.databases TO llma_schema;

-- Runs, pages and commands. ALTER DELETE is what DELETE FROM needs: a trace that moves to another day, older attempts.
CREATE ROLE IF NOT EXISTS llma_pipeline;
GRANT SELECT, INSERT, ALTER DELETE ON llma.* TO llma_pipeline;
GRANT SHOW DATABASES, SHOW TABLES, SHOW COLUMNS ON llma.* TO llma_pipeline;
GRANT SELECT ON system.tables TO llma_pipeline;
GRANT SELECT ON system.columns TO llma_pipeline;
GRANT SELECT ON system.databases TO llma_pipeline;
GRANT SELECT ON system.parts TO llma_pipeline;
GRANT SELECT ON system.disks TO llma_pipeline;
GRANT SELECT ON system.parts_columns TO llma_pipeline;

-- People and dashboards that only read.
CREATE ROLE IF NOT EXISTS llma_reader;
GRANT SELECT ON llma.* TO llma_reader;

-- Only where teams are spread over shards (LLMA_CLICKHOUSE_SHARDED=1): DELETE … ON CLUSTER.
-- GRANT CLUSTER ON *.* TO llma_pipeline, llma_schema;
-- Of each table of another tool that is read in place (docs/sources.md), or named by LLMA_EVENTS_TABLE:
-- GRANT SELECT ON otel.otel_traces TO llma_pipeline;

CREATE SETTINGS PROFILE IF NOT EXISTS llma_limits SETTINGS
    max_memory_usage = 8000000000,
    max_execution_time = 900,
    max_concurrent_queries_for_user = 200
    TO llma_pipeline;
CREATE SETTINGS PROFILE IF NOT EXISTS llma_reading SETTINGS
    readonly = 2,
    max_memory_usage = 4000000000,
    max_execution_time = 120
    TO llma_reader;

CREATE USER IF NOT EXISTS llma_schema_user IDENTIFIED WITH no_password HOST NONE DEFAULT ROLE llma_schema, llma_pipeline;
CREATE USER IF NOT EXISTS llma IDENTIFIED WITH no_password HOST NONE DEFAULT ROLE llma_pipeline;
CREATE USER IF NOT EXISTS llma_read IDENTIFIED WITH no_password HOST NONE DEFAULT ROLE llma_reader;
-- Nobody can log in until you say by which password, and from where:
-- ALTER USER llma IDENTIFIED WITH sha256_password BY '…' HOST IP '10.0.0.0/8';
