"""Discovery, counting and sampling read no content: shown by the bytes that ClickHouse reads."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import pytest

from llma_assets.clickhouse import Database
from llma_assets.discovery import EVENTS_BY_TEAM_AND_DAY, EVENTS_OF_TEAM_BY_DAY, TRIGGER_EVENTS_OF_TEAM
from llma_assets.discovery.queries import TEAM_STATS
from llma_assets.rendering.candidates import GENERATIONS_OF_DAY, TRACES_OF_DAY
from llma_assets.rendering.queries import EVENTS_OF_TRACES
from llma_assets.source_catalog import add_source
from llma_assets.sources import KINDS
from llma_assets.trace_events import TRIGGER_EVENTS
from llma_assets_tests.sources.spans import DAY, identity, refund
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = pytest.mark.database
BOUNDS: dict[str, Any] = {"start": DAY, "end": DAY + timedelta(days=1), "trigger_events": list(TRIGGER_EVENTS)}
DISCOVERY: dict[str, Any] = {
    "first_day": DAY.date(),
    "end_day": date(2026, 11, 9),
    "trigger_events": list(TRIGGER_EVENTS),
}
SAMPLE: dict[str, Any] = {
    **BOUNDS,
    "from": DAY - timedelta(days=1),
    "until": DAY + timedelta(days=2),
    "level": "trace",
    "first_home": DAY.date(),
    "last_home": DAY.date(),
    "quiet_before": DAY,
    "per_hour": 10,
    "seed": 1,
}
PAYLOAD: dict[str, Any] = {
    "trigger_events": list(TRIGGER_EVENTS),
    "team_id": 7,
    "from": DAY,
    "until": DAY + timedelta(days=1),
}
DECOMPRESSED: Final = "SELECT sum(value) FROM system.events WHERE event = 'CompressedReadBufferBytes'"
USERS_IN_ATTRIBUTES: Final = ("otel_traces", "distributed_signoz_index_v3")
"""Tables in which the user stands among the attributes: a sample that is fair to users reads them."""


def bytes_read(database: Database, statement: str, **parameters: Any) -> int:
    """What ClickHouse read for a statement, uncompressed."""
    sql, options = database._prepared(statement, parameters)
    result = database._client.call(lambda client: client.query(sql, **options), repeatable=True)
    return int(result.summary["read_bytes"])


def decompressed(database: Database, statement: str, **parameters: Any) -> int:
    """What ClickHouse went through for a statement; the least of three, because merges count, too."""
    found = []
    for _ in range(3):
        before = database.value(DECOMPRESSED)
        database.rows(statement, **parameters)
        found.append(database.value(DECOMPRESSED) - before)
    return int(min(found))


@pytest.mark.parametrize("tool", [t for t in TOOLS if t.name != "posthog"], ids=lambda t: t.name)
def test_no_content_is_read_before_items_are_chosen(tool: Tool, database: Database, store: Database) -> None:
    tool.create(store)
    long = "word " * 40_000
    tool.write(store, [replace(span, said=long, answered=long) for span in refund() if span.kind == "llm"])
    add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else 7)
    statements = {
        "discovery": (TEAM_STATS, DISCOVERY),
        "events of a day": (TRIGGER_EVENTS_OF_TEAM, BOUNDS | {"team_id": 7}),
        "new events": (EVENTS_BY_TEAM_AND_DAY, BOUNDS),
        "sample": (TRACES_OF_DAY, SAMPLE | {"team_id": 7}),
        "sample of model calls": (GENERATIONS_OF_DAY, SAMPLE | {"team_id": 7, "level": "generation"}),
    }
    read = {name: bytes_read(database, statement, **parameters) for name, (statement, parameters) in statements.items()}
    if tool.table in USERS_IN_ATTRIBUTES:
        del read["sample"], read["sample of model calls"]
    assert max(read.values()) < len(long) / 20, read
    payload = bytes_read(database, EVENTS_OF_TRACES, **PAYLOAD | {"trace_ids": [tool.trace("refund")]})
    assert payload > len(long), "the messages are read where they are asked for"


@pytest.mark.parametrize("name", ["otel", "signoz"])
def test_with_a_column_of_light_attributes_samples_read_no_other(
    name: str, database: Database, store: Database
) -> None:
    tool = next(each for each in TOOLS if each.name == name)
    tool.create(store)
    table = "signoz_index_v3" if name == "signoz" else tool.table
    store.execute(f"ALTER TABLE {table} MODIFY SETTING min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0")
    long = "word " * 40_000
    tool.write(store, [replace(span, said=long) for span in refund() if span.kind == "llm"])
    add_source(database, tool.source(store), by="test", team_id=7)
    samples: dict[str, tuple[str, dict[str, Any]]] = {
        "trace": (TRACES_OF_DAY, SAMPLE | {"team_id": 7}),
        "generation": (GENERATIONS_OF_DAY, SAMPLE | {"team_id": 7, "level": "generation"}),
    }
    drawn = {level: database.rows(statement, **asked) for level, (statement, asked) in samples.items()}
    store.execute(KINDS[tool.kind].light.format(table=table))
    store.execute(f"ALTER TABLE {table} MATERIALIZE COLUMN LlmAttributes SETTINGS mutations_sync = 1")
    if name == "signoz":  # the table over all shards has the columns that it is told
        store.execute(f"ALTER TABLE {tool.table} ADD COLUMN LlmAttributes Map(LowCardinality(String), String)")
    heavy = min(decompressed(database, statement, **asked) for statement, asked in samples.values())
    assert heavy > len(long), "without that column the keys of the map are looked for among its values"
    add_source(database, replace(tool.source(store), others={"light": "LlmAttributes"}), by="test")
    assert {level: database.rows(statement, **asked) for level, (statement, asked) in samples.items()} == drawn
    for statement, asked in samples.values():
        assert decompressed(database, statement, **asked) < len(long) / 5


def test_events_of_one_text_are_told_apart_by_lengths_where_these_are_stored_apart(database: Database) -> None:
    """A part of an older server would be read whole for the lengths: then nothing but the number is compared."""
    wide = "min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0"
    database.execute(f"ALTER TABLE events MODIFY SETTING {wide}")
    long = "word " * 40_000

    def write(trace: str, said: str) -> None:
        properties = {"$ai_trace_id": trace, "$ai_input": said}
        row = {"uuid": identity(trace), "event": "$ai_generation", "team_id": 7, "distinct_id": "ann"}
        database.insert_rows("events", [{**row, "timestamp": DAY, "properties": json.dumps(properties)}])

    def digests() -> set[int]:
        counting = (
            (TRIGGER_EVENTS_OF_TEAM, BOUNDS | {"team_id": 7}),
            (EVENTS_OF_TEAM_BY_DAY, BOUNDS | {"team_id": 7}),
            (EVENTS_BY_TEAM_AND_DAY, BOUNDS),
        )
        assert max(decompressed(database, sql, **asked) for sql, asked in counting) < len(long) / 20
        return {row["events_digest"] for sql, asked in counting for row in database.rows(sql, **asked)}

    write("refund", long)
    (first,) = digests()
    database.execute(
        "ALTER TABLE events UPDATE properties = replace(properties, 'word word', 'word') WHERE team_id = 7"
    )
    (second,) = digests()
    assert 0 not in (first, second)
    assert first != second
    database.execute("ALTER TABLE events MODIFY SETTING string_serialization_version = 'single_stream'")
    write("invoice", long)
    assert digests() == {0}
