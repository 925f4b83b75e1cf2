"""Speed and memory of ingest by format: `python -m benchmarks.ingest_formats [--copies N] [FORMAT …]`.

The same events (the airline runs, `--copies` times) are written in each format and ingested, each in a process of its
own. MB are 10^6 bytes of the file after decompression (of Parquet, of its columns in memory); `lines' MB` is what the
same events have as our own lines, so that its rate compares formats. `read` is turning a file into events without a
database, `ingest` the whole; both in CPU seconds, of client and server together.
"""

import argparse
import gzip
import multiprocessing
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.ingest import DEFAULT, SHARED, cpu_s, own_peak_mb
from llma_assets.clickhouse import connect, stop
from llma_assets.ingest import ingest
from llma_assets.ingest.converting import converter_for
from llma_assets.ingest.items import read_items
from llma_assets.ingest.lines import ReadPosition
from llma_assets.ingest.parsing import Event
from llma_assets.settings import Settings

Json = dict[str, Any]
SPANS_A_REQUEST = 100
TEAM = 1
COLUMNS = (
    f"{'format':<18} {'events':>7} {'MB':>6} {'read: MB/s':>11} {'ingest: MB/s':>13} {'as lines: MB/s':>15} "
    f"{'read: rows/s':>13} {'ingest: rows/s':>15} {'client MB':>10}"
)


def main(arguments: list[str]) -> int:
    """Measure the formats of the command line, by default all; 2 if the shared file is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest_formats", description=__doc__)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("formats", nargs="*", choices=[*WRITERS, []], metavar="FORMAT")
    options = parser.parse_args(arguments)
    if not (SHARED / DEFAULT[0]).is_file():
        print(f"not found: {SHARED / DEFAULT[0]}", file=sys.stderr)
        return 2
    print(COLUMNS)
    lines_mb = sum(len(orjson.dumps(event)) + 1 for event in events(1)) * options.copies / 1e6
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        for name in options.formats or WRITERS:
            path = Path(folder) / name
            in_a_process(write, name, path, options.copies)
            in_a_process(measure, name, path, lines_mb)
            path.unlink()
    return 0


def in_a_process(work: Callable[..., None], *arguments: Any) -> None:
    """Do it in a process of its own, whose memory is its own, too."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(1)


def events(copies: int) -> Iterator[Json]:
    """The events, with other ids in each copy."""
    with gzip.open(SHARED / DEFAULT[0]) as file:
        sent = [orjson.loads(line) for line in file]
    for copy in range(copies):
        for event in sent:
            properties = dict(event["properties"])
            for name in ("$ai_trace_id", "$ai_span_id", "$ai_parent_id"):
                if name in properties:
                    properties[name] = f"{copy}-{properties[name]}"
            yield {**event, "uuid": str(uuid5(NAMESPACE_URL, f"{copy}{event['uuid']}")), "properties": properties}


def own(event: Json) -> Json:
    """Our own line."""
    return event


def otel_span(event: Json) -> Json:
    """A span of OTLP JSON by the current GenAI conventions."""
    held = event["properties"]
    end = datetime.fromisoformat(event["timestamp"])
    is_call = event["event"] == "$ai_generation"
    attributes: Json = {"user.id": event["distinct_id"]}
    if is_call:
        attributes |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": held["$ai_model"],
            "gen_ai.usage.input_tokens": held["$ai_input_tokens"],
            "gen_ai.usage.output_tokens": held["$ai_output_tokens"],
            "gen_ai.input.messages": orjson.dumps(held["$ai_input"]).decode(),
            "gen_ai.output.messages": orjson.dumps(held["$ai_output_choices"]).decode(),
        }
    else:
        attributes |= {
            "openinference.span.kind": "CHAIN",
            "input.value": orjson.dumps(held.get("$ai_input_state")).decode(),
            "output.value": orjson.dumps(held.get("$ai_output_state")).decode(),
        }
    return {
        "traceId": identity(held["$ai_trace_id"], 32),
        "spanId": identity(held["$ai_span_id"], 16),
        "parentSpanId": identity(held["$ai_parent_id"], 16) if "$ai_parent_id" in held else "",
        "name": held["$ai_span_name"],
        "startTimeUnixNano": nanoseconds(end - timedelta(seconds=held["$ai_latency"])),
        "endTimeUnixNano": nanoseconds(end),
        "attributes": attributes,
    }


def identity(text: str, digits: int) -> str:
    """An id of OpenTelemetry."""
    return uuid5(NAMESPACE_URL, text).hex[:digits]


def nanoseconds(moment: datetime) -> str:
    """Unix time as OTLP JSON writes it."""
    return str((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000)


def otlp_requests(copies: int) -> Iterator[list[Json]]:
    """Spans of a request."""
    batch: list[Json] = []
    for event in events(copies):
        batch.append(otel_span(event))
        if len(batch) == SPANS_A_REQUEST:
            yield batch
            batch = []
    if batch:
        yield batch


def write_otlp(path: Path, copies: int) -> None:
    """Requests as JSON, one a line."""

    def value(held: Any) -> Json:
        return {"intValue": str(held)} if isinstance(held, int) else {"stringValue": held}

    with path.open("wb") as file:
        for spans in otlp_requests(copies):
            listed = [
                {**span, "attributes": [{"key": key, "value": value(held)} for key, held in span["attributes"].items()]}
                for span in spans
            ]
            file.write(orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": listed}]}]}) + b"\n")


def write_protobuf(path: Path, copies: int) -> None:
    """Requests as the collector's file exporter writes them."""
    with path.open("wb") as file:
        for spans in otlp_requests(copies):
            request = ExportTraceServiceRequest()
            listed = request.resource_spans.add().scope_spans.add().spans
            for span in spans:
                made = listed.add(
                    trace_id=bytes.fromhex(span["traceId"]),
                    span_id=bytes.fromhex(span["spanId"]),
                    parent_span_id=bytes.fromhex(span["parentSpanId"]),
                    name=span["name"],
                    start_time_unix_nano=int(span["startTimeUnixNano"]),
                    end_time_unix_nano=int(span["endTimeUnixNano"]),
                )
                for key, held in span["attributes"].items():
                    value = made.attributes.add(key=key).value
                    if isinstance(held, int):
                        value.int_value = held
                    else:
                        value.string_value = held
            content = request.SerializeToString()
            file.write(struct.pack(">I", len(content)) + content)


def otel_row(event: Json) -> Json:
    """A row of `otel_traces`."""
    span = otel_span(event)
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    return {
        "Timestamp": datetime.fromtimestamp(start / 1e9, UTC).isoformat(),
        "TraceId": span["traceId"],
        "SpanId": span["spanId"],
        "ParentSpanId": span["parentSpanId"],
        "SpanName": span["name"],
        "ServiceName": "airline",
        "SpanAttributes": {key: str(held) for key, held in span["attributes"].items()},
        "Duration": end - start,
        "StatusCode": "Unset",
        "StatusMessage": "",
    }


def observation(event: Json) -> Json:
    """An observation of Langfuse's blob export."""
    held = event["properties"]
    end = datetime.fromisoformat(event["timestamp"])
    is_call = event["event"] == "$ai_generation"
    said, answered = ("$ai_input", "$ai_output_choices") if is_call else ("$ai_input_state", "$ai_output_state")
    return {
        "id": held["$ai_span_id"],
        "trace_id": held["$ai_trace_id"],
        "project_id": "p",
        "type": "GENERATION" if is_call else "SPAN",
        "parent_observation_id": held.get("$ai_parent_id"),
        "start_time": (end - timedelta(seconds=held["$ai_latency"])).isoformat(),
        "end_time": end.isoformat(),
        "name": held["$ai_span_name"],
        "level": "DEFAULT",
        "input": orjson.dumps(held.get(said)).decode(),
        "output": orjson.dumps(held.get(answered)).decode(),
        "provided_model_name": held.get("$ai_model"),
        "usage_details": {"input": held.get("$ai_input_tokens", 0), "output": held.get("$ai_output_tokens", 0)},
        "total_cost": held.get("$ai_total_cost_usd"),
    }


def run(event: Json) -> Json:
    """A run of LangSmith."""
    held, of = event["properties"], observation(event)
    return {
        "id": of["id"],
        "trace_id": of["trace_id"],
        "parent_run_id": of["parent_observation_id"],
        "name": of["name"],
        "run_type": "llm" if of["type"] == "GENERATION" else "chain",
        "start_time": of["start_time"],
        "end_time": of["end_time"],
        "inputs": {"messages": held.get("$ai_input", held.get("$ai_input_state"))},
        "outputs": {"output": held.get("$ai_output_choices", held.get("$ai_output_state"))},
        "extra": {"metadata": {"ls_model_name": held.get("$ai_model")}},
        "prompt_tokens": held.get("$ai_input_tokens", 0),
        "completion_tokens": held.get("$ai_output_tokens", 0),
    }


def write_lines(shape: Callable[[Json], Json]) -> Callable[[Path, int], None]:
    """A writer of JSON lines."""

    def written(path: Path, copies: int) -> None:
        with path.open("wb") as file:
            for event in events(copies):
                file.write(orjson.dumps(shape(event), option=orjson.OPT_APPEND_NEWLINE))

    return written


def write_gzip(path: Path, copies: int) -> None:
    """Our own lines under gzip."""
    with gzip.open(path, "wb", compresslevel=6) as file:
        for event in events(copies):
            file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))


def write_array(path: Path, copies: int) -> None:
    """Our own events as one array."""
    path.write_bytes(orjson.dumps(list(events(copies))))


def write_parquet(shape: Callable[[Json], Json]) -> Callable[[Path, int], None]:
    """A writer of Parquet, whose objects are JSON text and whose times are times, as exports have them."""

    def written(path: Path, copies: int) -> None:
        rows = [
            {
                name: orjson.dumps(value).decode() if isinstance(value, dict | list) else value
                for name, value in shape(event).items()
            }
            for event in events(copies)
        ]
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
        for name in ("timestamp", "start_time", "end_time"):
            if name in columns:
                moments = [datetime.fromisoformat(each) for each in columns[name]]
                columns[name] = pa.array(moments, pa.timestamp("us", "UTC"))
        pq.write_table(pa.table(columns), path, compression="zstd")

    return written


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "lines": write_lines(own),
    "lines-gzip": write_gzip,
    "array": write_array,
    "parquet": write_parquet(own),
    "otlp": write_otlp,
    "otlp-protobuf": write_protobuf,
    "otel-rows": write_lines(otel_row),
    "langfuse": write_lines(observation),
    "langfuse-parquet": write_parquet(observation),
    "langsmith": write_lines(run),
    "langsmith-parquet": write_parquet(run),
}


def write(name: str, path: Path, copies: int) -> None:
    """Write the file of a format."""
    WRITERS[name](path, copies)


def measure(name: str, path: Path, lines_mb: float) -> None:
    """Print the row of a format."""
    started, position = time.process_time(), ReadPosition()
    converter, items = converter_for(read_items(path, 64 << 20, position), None, TEAM)
    read = sum(isinstance(each, Event) for item in items for each in converter.read(item, datetime.now(UTC)))
    read_s = time.process_time() - started
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            with connect(settings) as database:
                before = cpu_s(settings.data_dir)
                report = ingest(path, database, rejects=None, team_id=TEAM)
                ingest_s = cpu_s(settings.data_dir) - before
        finally:
            stop(settings.data_dir)
    assert report.inserted == read, (report, read)
    megabytes = report.bytes / 1e6
    print(
        f"{name:<18} {read:>7,} {megabytes:>6.0f} {megabytes / read_s:>11.0f} {megabytes / ingest_s:>13.0f} "
        f"{lines_mb / ingest_s:>15.0f} {read / read_s:>13,.0f} {read / ingest_s:>15,.0f} {own_peak_mb():>10.0f}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
