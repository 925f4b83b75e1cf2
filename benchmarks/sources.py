"""Measure what reading a source costs: seconds and bytes of each step, on spans with much content.

    python benchmarks/sources.py                                    # 2,000 traces, 40 MB of content
    python benchmarks/sources.py --traces 100000 --kilobytes 200    # 20 GB of content
    python benchmarks/sources.py --write

Spans are made by the server (five a trace, one of them with all the content), in an `otel_traces` of the collector's
columns in a temporary data folder: first as the collector makes the table, then with a column of light attributes. MB
"given" are what ClickHouse counts as read, the columns and keys of maps that the statement gets; MB "decompressed" are
what it went through for them. `--write` puts the figures into benchmarks/results/sources.md.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from llma_assets.clickhouse import Database, open_database
from llma_assets.discovery import EVENTS_BY_TEAM_AND_DAY, TRIGGER_EVENTS_OF_TEAM
from llma_assets.discovery.queries import TEAM_STATS
from llma_assets.rendering.candidates import GENERATIONS_OF_DAY, TRACES_OF_DAY
from llma_assets.rendering.queries import EVENTS_OF_TRACES
from llma_assets.source_catalog import add_source
from llma_assets.sources import KINDS, Source
from llma_assets.testing import temporary_database
from llma_assets.trace_events import TRIGGER_EVENTS

RESULTS = Path(__file__).resolve().parent / "results" / "sources.md"
TABLES = Path(__file__).resolve().parents[1] / "llma_assets_tests" / "sources" / "tables" / "otel.sql"
DAY = datetime(2026, 11, 7, tzinfo=UTC)
EVENTS = list(TRIGGER_EVENTS)

# Content that compresses as text does, and differs from row to row.
FILL = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, SpanAttributes, Duration)
SELECT
    toDateTime64({day:DateTime64(6, 'UTC')}, 9) + toIntervalMillisecond(number * 86000000 / {spans:UInt64}),
    hex(cityHash64(intDiv(number, 5))), hex(cityHash64(number, 1)), if(number % 5 = 0, '', hex(cityHash64(number, 1))),
    if(number % 5 = 1, 'chat', 'step'), 'support',
    if(number % 5 = 1,
        map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'gpt-5', 'user.id', toString(number % 97),
            'gen_ai.input.messages', concat('[{"role":"user","content":"', toString(number),
                repeat(concat(' word', toString(number % 1000)), intDiv({bytes:UInt64}, 9)), '"}]')),
        map('gen_ai.operation.name', 'execute_tool', 'gen_ai.tool.name', 'search')),
    1000000
FROM numbers({start:UInt64}, {count:UInt64})
"""

TABLES_AS: Final = (
    ("the table as the collector makes it", (), {}),
    (
        "a column of light attributes",
        (
            KINDS["otel"].light.format(table="otel_traces"),
            "ALTER TABLE otel_traces MATERIALIZE COLUMN LlmAttributes SETTINGS mutations_sync = 1",
        ),
        {"light": "LlmAttributes"},
    ),
)
"""What the table is like, what makes it so, and the further columns that are named."""


DECOMPRESSED = "SELECT sum(value) FROM system.events WHERE event = 'CompressedReadBufferBytes'"


def measured(database: Database, statement: str, **parameters: Any) -> tuple[int, float, int, int]:
    """Rows of the answer, seconds, bytes that the statement was given, and bytes that were decompressed for it."""
    sql, options = database._prepared(statement, parameters)
    before = database.value(DECOMPRESSED)
    started = time.perf_counter()
    result = database._client.call(lambda client: client.query(sql, **options), repeatable=True)
    seconds = time.perf_counter() - started
    given = int(result.summary.get("read_bytes", 0))
    return len(result.result_rows), seconds, given, database.value(DECOMPRESSED) - before


def steps(traces: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What the pipeline asks of a day, in its order."""
    end = DAY + timedelta(days=1)
    of_day = {"start": DAY, "end": end, "trigger_events": EVENTS}
    yield "discovery", TEAM_STATS, {"first_day": DAY.date(), "end_day": end.date(), "trigger_events": EVENTS}
    yield "new events, by day", EVENTS_BY_TEAM_AND_DAY, of_day
    yield "events of a team's day", TRIGGER_EVENTS_OF_TEAM, of_day | {"team_id": 7}
    sampling = {"level": "trace", "first_home": DAY.date(), "last_home": DAY.date(), "per_hour": 4, "seed": 42}
    bounds = {"from": DAY - timedelta(days=1), "until": end + timedelta(days=1)}
    asked = {**of_day, **sampling, **bounds, "team_id": 7, "quiet_before": end}
    yield "sample of traces", TRACES_OF_DAY, asked
    yield "sample of model calls", GENERATIONS_OF_DAY, asked | {"level": "generation"}
    bounds = {"from": DAY, "until": end}
    yield (
        f"payloads of {len(traces)} traces",
        EVENTS_OF_TRACES,
        {**bounds, "trigger_events": EVENTS, "team_id": 7, "trace_ids": traces},
    )


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=2_000)
    parser.add_argument("--kilobytes", type=int, default=20, help="content of a trace")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    with temporary_database() as database:
        store = open_database(database._client, "tool")
        for statement in TABLES.read_text().replace("__db__", "tool").split(";\n"):
            if statement.strip():
                store.execute(statement)
        spans = chosen.traces * 5
        for start in range(0, spans, 5_000):
            count = min(5_000, spans - start)
            store.execute(FILL, day=DAY, spans=spans, bytes=chosen.kilobytes * 1000, start=start, count=count)
        content = store.value("SELECT sum(length(SpanAttributes['gen_ai.input.messages'])) FROM otel_traces")
        ids = store.rows("SELECT DISTINCT TraceId AS id FROM otel_traces ORDER BY id LIMIT 100")
        for number, (named, changes, others) in enumerate(TABLES_AS):
            for change in changes:
                store.execute(change)
            add_source(database, Source("otel", "otel", "tool.otel_traces", others=others), by="benchmark", team_id=7)
            lines = [f"{chosen.traces:,} traces, {spans:,} spans, {content / 1e9:.2f} GB of content; {named}", ""]
            lines += ["| step | rows | seconds | MB given | MB decompressed |", "|---|--:|--:|--:|--:|"]
            for name, statement, parameters in steps([row["id"] for row in ids]):
                rows, seconds, given, read = measured(database, statement, **parameters)
                lines.append(f"| {name} | {rows:,} | {seconds:.2f} | {given / 1e6:,.1f} | {read / 1e6:,.1f} |")
            print("\n".join(lines), flush=True)
            if chosen.write:
                head = "# Reading a source\n\nMade by `python benchmarks/sources.py`, whose docstring says how.\n"
                before = RESULTS.read_text() if number else head
                RESULTS.write_text(before + "\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
