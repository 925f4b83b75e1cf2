"""Discovery, counting and sampling read no content: shown by the columns that ClickHouse plans to read."""

import re
from datetime import date, timedelta
from typing import Any, Final

import pytest

from llma_assets.clickhouse import Database
from llma_assets.discovery import EVENTS_BY_TEAM_AND_DAY, TRIGGER_EVENTS_OF_TEAM
from llma_assets.discovery.queries import TEAM_STATS
from llma_assets.rendering.candidates import TRACES_OF_DAY
from llma_assets.source_catalog import add_source
from llma_assets.trace_events import TRIGGER_EVENTS
from llma_assets_tests.sources.spans import DAY, refund
from llma_assets_tests.sources.writers import TOOLS, Tool

pytestmark = pytest.mark.database
CONTENT: Final = re.compile(
    r"\b(input|output|properties|output_choices|input_state|output_state|tools|SpanAttributes|attributes_string"
    r"|Events\.Attributes|events|attributes|content|Body|LogAttributes)\b(?!\.keys)"
)
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
STORED_OUTSIDE: Final = ("otel_traces", "distributed_signoz_index_v3")
"""Tables in which the user stands among the attributes: a sample that is fair to users reads them."""


def columns_read(database: Database, store: Database, statement: str, **parameters: Any) -> set[str]:
    """The columns that a statement reads from the tables of a tool."""
    plan = [
        row["explain"] for row in database.rows(f"EXPLAIN PLAN header = 1, description = 1 {statement}", **parameters)
    ]
    found: set[str] = set()
    for place, line in enumerate(plan):
        if re.search(rf"ReadFrom\w+ \({store.name}\.", line):
            for header in plan[place + 1 :]:
                name = re.sub(r"^\s*(Header: )?", "", header).split(" ")[0]
                if re.search(r"\b(ReadFrom|Parts|Granules|Prewhere|Filter|Expression)", header):
                    break
                found.add(name)
    assert found, "\n".join(plan)
    return found


@pytest.mark.parametrize("tool", [t for t in TOOLS if t.name not in ("posthog", "otel-events")], ids=lambda t: t.name)
def test_no_content_is_read_before_items_are_chosen(tool: Tool, database: Database, store: Database) -> None:
    tool.create(store)
    tool.write(store, refund())
    add_source(database, tool.source(store), by="test", team_id=None if tool.numbered else 7)
    statements = [
        (TEAM_STATS, DISCOVERY),
        (TRIGGER_EVENTS_OF_TEAM, BOUNDS | {"team_id": 7}),
        (EVENTS_BY_TEAM_AND_DAY, BOUNDS),
        *([] if tool.table in STORED_OUTSIDE else [(TRACES_OF_DAY, SAMPLE | {"team_id": 7})]),
    ]
    for statement, parameters in statements:
        read = columns_read(database, store, statement, **parameters)
        assert not [name for name in read if CONTENT.search(name)], (statement, read)
