"""The first traces of the shared airline file."""

import gzip
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson

AIRLINE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "airline_agent.events.jsonl.gz"


def airline_traces(most: int) -> dict[str, list[dict[str, Any]]]:
    """Events of the file's first traces by trace id, in the order of the file."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(AIRLINE) as lines:
        for line in lines:
            event = orjson.loads(line)
            trace_id = event["properties"]["$ai_trace_id"]
            if trace_id in traces or len(traces) < most:
                traces[trace_id].append(event)
    return dict(traces)
