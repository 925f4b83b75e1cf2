"""PostHog's own tables: `events`, or `ai_events`, which keeps messages in columns of their own for 30 days.

Where `events` has lost its messages (`$ai_input` and so on are stripped from newer rows), `ai_events` holds them.
Events that are stored twice have one uuid, by which readers count. The user is the person;
`distinct_id` is a device or login.
"""

from typing import Final

from llma_assets.sources.kinds.events import state_of_properties
from llma_assets.sources.reading import UNREAD_BYTES, Kind, Reading, state_of
from llma_assets.sources.source import Source, table_sql, text_sql
from llma_assets.sources.statement import Asked
from llma_assets.trace_events import TRIGGER_EVENTS

_HEAVY: Final = ("input", "output", "output_choices", "input_state", "output_state", "tools")
_NOBODY: Final = "toUUID('00000000-0000-0000-0000-000000000000')"
_OF_TRACES: Final = f"e.event IN ({', '.join(map(text_sql, TRIGGER_EVENTS))})"
_COMMON: Final = {
    "uuid": "e.uuid",
    "event": "CAST(e.event, 'String')",
    "distinct_id": f"if(e.person_id = {_NOBODY}, e.distinct_id, toString(e.person_id))",
    "timestamp": "e.timestamp",
}


def read(source: Source, asked: Asked) -> tuple[Reading, ...]:
    """One of the two tables, by its name."""
    tables = f"{table_sql(source.table)} AS e"
    if source.table.endswith("ai_events"):
        return (Reading(_COMMON | _ai_events(), tables, (_OF_TRACES,), "e.team_id", tenant_type="Int64"),)
    held = {
        "properties": "e.properties",
        "event_facts": "e.properties",
        "event_trace_id": "JSONExtractString(e.properties, '$ai_trace_id')",
        "event_bytes": "length(e.properties)",
        "event_unreadable": "JSONType(e.properties) != 'Object'",
        "event_state": state_of_properties(source, asked, "e.properties"),
    }
    return (Reading(_COMMON | held, tables, (_OF_TRACES,), "e.team_id", tenant_type="Int64"),)


def _ai_events() -> dict[str, str]:
    """Messages are JSON already, so that they go into the object as they are."""
    given = "if(startsWith(e.properties, '{') AND endsWith(e.properties, '}'), e.properties, '{}')"
    own = f"substring({given}, 2, length({given}) - 2)"
    heavy = (f"if(e.{name} IS NULL, '', concat('\"$ai_{name}\":', assumeNotNull(e.{name})))" for name in _HEAVY)
    parts = f"arrayFilter(p -> p != '', [{', '.join((f'trimBoth({own})', *heavy))}])"
    return {
        "properties": f"concat('{{', arrayStringConcat({parts}, ','), '}}')",
        "event_facts": "e.properties",
        "event_trace_id": "e.trace_id",
        "event_bytes": f"toUInt64({UNREAD_BYTES})",
        "event_state": state_of(*(f"e.{name} IS NULL" for name in _HEAVY)),
    }


KIND: Final = Kind(
    name="posthog",
    what="PostHog: ai_events (messages for 30 days), or events",
    table="posthog.ai_events",
    tenant="team_id",
    read=read,
    without_content=(
        "newer rows of events have no messages: name ai_events; ai_events drops rows after retention_days (30), so "
        "that days must be run by then; privacy_mode of the SDKs leaves messages out"
    ),
    others={},
    numbered=True,
)
