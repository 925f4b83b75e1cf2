"""A table or view with the columns of the pipeline's own `events`."""

from typing import Final

from llma_assets.sources.reading import Kind, Reading
from llma_assets.sources.source import Source, table_sql, text_sql
from llma_assets.sources.statement import DERIVED, EVENTS_PLACEHOLDER, Asked

_COLUMNS: Final = ("uuid", "event", "distinct_id", "timestamp", "properties")
_OF_PROPERTIES: Final = ("properties", *(name for name in DERIVED if name != "event_counts"))
"""Columns for which properties are read anyway."""

# Newer servers store the lengths of texts apart. A part without them would be read whole for the length alone.
_SIZES_APART: Final = """
SELECT min(has(subcolumns.names, 'size'))
FROM system.parts_columns
WHERE database = {database} AND table = {table} AND column = 'properties' AND active
"""


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """The columns as they are. Bounds of the statement reach them by themselves."""
    columns = {name: name for name in _COLUMNS} | DERIVED | {"event_state": state_of_properties(source, asked)}
    return (Reading(columns, table_sql(source.table), (), "team_id", tenant_type="Int64"),)


def own_reading(asked: Asked) -> Reading:
    """What is read of the pipeline's own table of events."""
    state = _state(asked, "properties", "{events_database:String}", "{events_table:String}")
    columns = {name: name for name in _COLUMNS} | DERIVED | {"event_state": state}
    return Reading(columns, EVENTS_PLACEHOLDER, (), "team_id", tenant_type="Int64")


def state_of_properties(source: Source, asked: Asked, column: str = "properties") -> str:
    """The column `event_state` of a table whose properties are one text: their length."""
    database, dot, table = source.table.rpartition(".")
    return _state(asked, column, text_sql(database) if dot else "currentDatabase()", text_sql(table))


def _state(asked: Asked, column: str, database: str, table: str) -> str:
    length = f"toUInt64(length({column}) + 1)"
    if any(name in asked.columns for name in _OF_PROPERTIES):
        return length
    return f"if(({_SIZES_APART.format(database=database, table=table)}), {length}, toUInt64(0))"


KIND: Final = Kind(
    name="events",
    what="a table or view with the columns uuid, event, team_id, distinct_id, timestamp, properties",
    table="events",
    tenant="team_id",
    read=read,
    without_content="switch off privacy_mode of PostHog's SDKs; traces recorded from then on have content",
    others={},
    numbered=True,
)
