"""A table that is read in place and an export of it that is ingested as a file give the same texts."""

from datetime import timedelta
from difflib import unified_diff
from io import BytesIO
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.ingest.moments import EPOCH, MICROSECOND
from llma_assets.ingest.parsing import Event
from llma_assets.rendering import render_trace
from llma_assets.rendering.candidates import items_of_day
from llma_assets.rendering.queries import events_of_traces
from llma_assets.source_catalog import add_source
from llma_assets.team_day import TeamDay
from llma_assets.trace_events import TRIGGER_EVENTS
from llma_assets_tests.ingest.test_formats import converted
from llma_assets_tests.sources.spans import DAY
from llma_assets_tests.sources.twenty import NAMES, twenty
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = pytest.mark.database
LATEST = DAY + timedelta(days=30)


def of_table(database: Database, team_id: int) -> dict[str, str]:
    """The text of each trace, as the pipeline reads it."""
    day = TeamDay(team_id, DAY.date())
    frame = items_of_day(database, day, "trace", now=DAY + timedelta(days=3), quiet=timedelta(minutes=30), per_hour=50)
    found = events_of_traces(database, team_id, frame.candidates)
    return {trace_id: render_trace(events).text for trace_id, events in found.items()}


def of_file(content: bytes) -> dict[str, str]:
    """The text of each trace of a file."""
    traces: dict[str, list[dict[str, Any]]] = {}
    outcomes = converted(BytesIO(content), latest=LATEST)[1]
    for event in outcomes:
        assert isinstance(event, Event), event
        if event.event not in TRIGGER_EVENTS:
            continue
        properties = orjson.loads(event.properties)
        moment = EPOCH + event.timestamp_us * MICROSECOND
        row = {"event": event.event, "uuid": event.uuid, "timestamp": moment, "properties": event.properties.decode()}
        traces.setdefault(str(properties.get("$ai_trace_id")), []).append(row)
    return {
        trace_id: render_trace(sorted(rows, key=lambda row: (row["timestamp"], row["uuid"]))).text
        for trace_id, rows in traces.items()
    }


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_an_export_of_the_table_has_the_same_texts(tool: Tool, database: Database, store: Database) -> None:
    tool.create(store)
    tool.write(store, twenty())
    add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else 7)
    held, filed = of_table(database, 7), of_file(tool.export(store))
    assert set(held) == set(filed) == {tool.trace(name) for name in NAMES}
    other = [
        line
        for name in NAMES
        for line in unified_diff(
            held[tool.trace(name)].splitlines(), filed[tool.trace(name)].splitlines(), f"{name}, table", "file", n=0
        )
    ]
    assert not other, "\n".join(other)
