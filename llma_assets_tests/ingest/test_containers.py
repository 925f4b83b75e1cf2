"""Parquet and OTLP protobuf: the same events as the same data in JSON, from any container, in bounded memory."""

import bz2
import gzip
import json
import struct
import tracemalloc
import zipfile
from base64 import b64encode
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llma_assets.ingest.converting import Rejected
from llma_assets.ingest.items import read_items
from llma_assets.ingest.lines import DamagedSource, ReadPosition
from llma_assets.ingest.parsing import Event
from llma_assets_tests.ingest.events import event
from llma_assets_tests.ingest.test_formats import FOLDER, converted

OTLP = FOLDER / "otlp.jsonl"
ROWS = ("langsmith", "laminar", "otel_rows", "posthog_ai_events", "phoenix_rows", "helicone", "langfuse_blob")


def requests(path: Path = OTLP) -> list[bytes]:
    """The requests with spans, or with log records, of a fixture, as protobuf."""
    found = []
    for line in path.read_text().splitlines():
        request = json.loads(line)
        spans = [each["scopeSpans"][0]["spans"] for each in request.get("resourceSpans", [])]
        logs = [each["scopeLogs"][0]["logRecords"] for each in request.get("resourceLogs", [])]
        for item in chain.from_iterable((*spans, *logs)):
            for name in {"traceId", "spanId", "parentSpanId"} & item.keys():
                item[name] = b64encode(bytes.fromhex(item[name])).decode()
        if spans or logs:
            kind = ExportTraceServiceRequest if spans else ExportLogsServiceRequest
            found.append(ParseDict(request, kind()).SerializeToString())
    return found


def parquet(rows: list[dict[str, Any]], **options: Any) -> bytes:
    """Rows as a Parquet file; objects and lists are JSON text, as exports write them."""
    flat = [
        {
            name: orjson.dumps(value).decode() if isinstance(value, dict | list) and "Attributes" not in name else value
            for name, value in row.items()
        }
        for row in rows
    ]
    names = {name: None for row in flat for name in row}
    columns: dict[str, Any] = {}
    for name in names:
        values = [row.get(name) for row in flat]
        if any(isinstance(each, dict) for each in values):
            columns[name] = pa.array([list((each or {}).items()) for each in values], pa.map_(pa.string(), pa.string()))
        elif {type(each) for each in values} <= {str, int, type(None)} and len({type(each) for each in values}) > 1:
            columns[name] = [None if each is None else str(each) for each in values]
        else:
            columns[name] = values
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def comparable(events: list[Any]) -> list[tuple[Any, ...]]:
    return [(e.uuid, e.event, e.team_id, e.distinct_id, e.timestamp_us) for e in events]


def test_protobuf_has_the_events_of_the_same_spans_in_json() -> None:
    _, wanted = converted(OTLP)
    converter, found = converted(BytesIO(b"".join(requests())))
    assert converter.name == "otlp-protobuf"
    assert comparable(found) == comparable(wanted)
    assert [orjson.loads(e.properties) for e in found] == [orjson.loads(e.properties) for e in wanted]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("framed", [False, True])
def test_messages_in_log_records_of_protobuf_are_those_of_the_same_in_json(order: int, *, framed: bool) -> None:
    """Most log records cannot be read as spans at all: their ids stand where spans have attributes."""
    path = FOLDER / "otlp_logs.jsonl"
    _, wanted = converted(path)
    parts = [struct.pack(">I", len(each)) + each if framed else each for each in requests(path)]
    converter, found = converted(BytesIO(b"".join(parts[::order])))
    assert converter.name == "otlp-protobuf"
    assert sorted(comparable(found)) == sorted(comparable(wanted))
    texts = [sorted(json.dumps(json.loads(e.properties), sort_keys=True) for e in events) for events in (found, wanted)]
    assert texts[0] == texts[1]
    assert "I refunded order 1042." in "".join(texts[0])


def test_protobuf_with_lengths_as_the_collector_writes_it() -> None:
    framed = b"".join(struct.pack(">I", len(request)) + request for request in requests())
    assert comparable(converted(BytesIO(gzip.compress(framed)))[1]) == comparable(converted(OTLP)[1])


@pytest.mark.parametrize("kind", ["json", "proto"])
def test_requests_that_the_collector_compresses_one_by_one(kind: str) -> None:
    lines = [line for line in OTLP.read_bytes().splitlines() if b"resourceSpans" in line]
    contents = [zstd.compress(each) for each in (lines if kind == "json" else requests())]
    framed = b"".join(struct.pack(">I", len(each)) + each for each in contents)
    assert comparable(converted(BytesIO(framed))[1]) == comparable(converted(OTLP)[1])
    with pytest.raises(DamagedSource, match="truncated"):
        converted(BytesIO(framed[:-5]))


def test_a_frame_that_grows_beyond_the_limit_is_not_unpacked() -> None:
    bomb = zstd.compress(b"{" + b" " * (1 << 22))
    with pytest.raises(DamagedSource, match="more than 1,048,576 bytes"):
        list(read_items(BytesIO(struct.pack(">I", len(bomb)) + bomb), 1 << 20, ReadPosition()))


def test_a_span_without_id_costs_itself_and_is_told_by_its_place() -> None:
    request = ExportTraceServiceRequest.FromString(requests()[0])
    request.resource_spans[0].scope_spans[0].spans[1].span_id = b""
    _, found = converted(BytesIO(request.SerializeToString()))
    (refused,) = [each for each in found if isinstance(each, Rejected)]
    assert len(found) == 3
    assert refused.error.detail == "scopeSpans[0].spans[1]: spanId is missing"


@pytest.mark.parametrize("cut", [3, 9, 200])
def test_protobuf_that_is_cut_is_damaged(cut: int) -> None:
    content = requests()[0]
    with pytest.raises(DamagedSource, match="truncated"):
        converted(BytesIO(content[: len(content) - cut]))


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_parquet_have_the_events_of_the_same_rows_in_lines(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    file = tmp_path / "rows.parquet"
    file.write_bytes(parquet(rows))
    converter, found = converted(file)
    wanted_converter, wanted = converted(path)
    assert converter.name == wanted_converter.name
    assert comparable(found) == comparable(wanted)


def test_a_batch_export_of_our_events_in_parquet(tmp_path: Path) -> None:
    rows = [event(number) for number in range(20)]
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    table = pa.table(
        {
            "uuid": [row["uuid"] for row in rows],
            "event": [row["event"] for row in rows],
            "properties": pa.array([orjson.dumps(row["properties"]) for row in rows], pa.binary()),
            "distinct_id": [row["distinct_id"] for row in rows],
            "timestamp": pa.array(moments, pa.timestamp("us", "UTC")),
        }
    )
    file = tmp_path / "events.parquet"
    pq.write_table(table, file, row_group_size=7, compression="zstd")
    converter, found = converted(file)
    assert converter.name == "events"
    _, wanted = converted(BytesIO(b"\n".join(orjson.dumps(row) for row in rows)))
    assert found == wanted


def test_one_bad_row_of_parquet_costs_itself(tmp_path: Path) -> None:
    rows = [{**event(number), "properties": {"n": number}} for number in range(3)]
    rows[1]["timestamp"] = "yesterday"
    file = tmp_path / "rows.parquet"
    file.write_bytes(parquet(rows))
    _, found = converted(file)
    assert [type(each) for each in found] == [Event, Rejected, Event]
    assert (found[1].line.number, found[1].error.reason) == (2, "invalid_timestamp")


@pytest.mark.parametrize("packed", ["gzip", "bz2", "zstd", "zip"])
def test_parquet_and_protobuf_may_be_compressed(packed: str) -> None:
    def pack(content: bytes) -> BytesIO:
        if packed == "zip":
            held = BytesIO()
            with zipfile.ZipFile(held, "w") as archive:
                archive.writestr("spans", content)
            return BytesIO(held.getvalue())
        return BytesIO({"gzip": gzip.compress, "bz2": bz2.compress, "zstd": zstd.compress}[packed](content))

    rows = [json.loads(line) for line in (FOLDER / "laminar.jsonl").read_text().splitlines()]
    assert comparable(converted(pack(parquet(rows)))[1]) == comparable(converted(FOLDER / "laminar.jsonl")[1])
    assert comparable(converted(pack(b"".join(requests())))[1]) == comparable(converted(OTLP)[1])


@pytest.mark.parametrize("cut", [10, 500])
def test_a_parquet_file_that_is_cut_is_damaged(cut: int) -> None:
    rows = [json.loads(line) for line in (FOLDER / "laminar.jsonl").read_text().splitlines()]
    with pytest.raises(DamagedSource, match="the Parquet file is broken"):
        converted(BytesIO(parquet(rows)[:-cut]))


@pytest.mark.heavy
def test_a_large_row_group_is_not_held_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.parquet"
    text = "a word and another one " * 1_000
    pq.write_table(
        pa.table(
            {
                "uuid": [event(number)["uuid"] for number in range(4_000)],
                "event": ["$ai_span"] * 4_000,
                "timestamp": ["2026-11-07T09:00:00Z"] * 4_000,
                "properties": [f'{{"n": {number}, "t": "{text}"}}' for number in range(4_000)],
            }
        ),
        file,
        row_group_size=4_000,
        use_dictionary=False,
    )
    before = pa.total_allocated_bytes()
    most = 0
    tracemalloc.start()
    for number, _ in enumerate(read_items(file, 1 << 20, ReadPosition())):
        if number % 100 == 0:
            most = max(most, pa.total_allocated_bytes() - before)
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40e6  # of 92 MB
    assert python < 40e6


def test_times_of_parquet_may_be_in_nanoseconds(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 7, 9, tzinfo=UTC)
    file = tmp_path / "rows.parquet"
    table = pa.table(
        {
            "TraceId": ["t"],
            "SpanId": ["s"],
            "Timestamp": pa.array([moment], pa.timestamp("ns", "UTC")),
            "Duration": pa.array([1_500_000_000], pa.uint64()),
            "SpanAttributes": pa.array([[("gen_ai.operation.name", "chat")]], pa.map_(pa.string(), pa.string())),
        }
    )
    pq.write_table(table, file)
    (found,) = converted(file)[1]
    assert (found.event, found.timestamp_us) == ("$ai_generation", 1_794_042_001_500_000)
