"""A table or view with the columns of the pipeline's own `events`."""

from typing import Final

from llma_assets.sources.reading import Kind, Reading
from llma_assets.sources.source import Source, table_sql
from llma_assets.sources.statement import DERIVED, Asked

_COLUMNS: Final = ("uuid", "event", "distinct_id", "timestamp", "properties")


def read(source: Source, _asked: Asked) -> tuple[Reading, ...]:
    """The columns as they are. Bounds of the statement reach them by themselves."""
    return (reading_of(table_sql(source.table)),)


def reading_of(table: str) -> Reading:
    """What is read of a table of events.

    Args:
        table: its name, quoted, or a placeholder.
    """
    return Reading({name: name for name in _COLUMNS} | DERIVED, table, (), "team_id", tenant_type="Int64")


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
