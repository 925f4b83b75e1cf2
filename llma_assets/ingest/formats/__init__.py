"""Formats: one module a tool, each a pure function from a record to drafts of events.

A format recognises its records by their structure, never by a file name. Where two could, the more specific one comes
first in `FORMATS`. How a file is cut into records is not known here.
"""

from collections.abc import Mapping
from typing import Any, Final

from llma_assets.ingest.formats import (
    helicone,
    laminar,
    langfuse,
    langsmith,
    mlflow,
    openinference,
    opik,
    otel_rows,
    otlp,
    otlp_protobuf,
    posthog,
    signoz,
)
from llma_assets.ingest.formats.draft import Draft, Fault, Format, Outcome, Piece, Waiting, whole_number

FORMATS: Final[tuple[Format, ...]] = (
    otlp.FORMAT,
    otlp_protobuf.FORMAT,
    otel_rows.FORMAT,
    signoz.FORMAT,
    openinference.FORMAT,
    mlflow.FORMAT,
    langsmith.FORMAT,
    helicone.FORMAT,
    laminar.FORMAT,
    langfuse.FORMAT,
    opik.FORMAT,
    posthog.FORMAT,
)


def is_own(record: Mapping[str, Any]) -> bool:
    """Whether a record is an event of ours, as far as its names tell."""
    return all(name in record for name in ("uuid", "event", "properties")) and not posthog.is_row(record)


def recognised(record: object) -> Format | None:
    """The format of a record; None if it is of none."""
    if isinstance(record, bytes):
        return otlp_protobuf.FORMAT
    if not isinstance(record, Mapping):
        return None
    return next((each for each in FORMATS if each.recognises(record)), None)


def nearest(record: Mapping[str, Any]) -> tuple[Format, list[str]] | None:
    """The format that shares most names of fields with a record, and those names; None if none shares two."""
    shared = [(each, [name for name in each.fields if name in record]) for each in FORMATS]
    best = max(shared, key=lambda pair: len(pair[1]))
    return best if len(best[1]) >= 2 else None


__all__ = [
    "FORMATS",
    "Draft",
    "Fault",
    "Format",
    "Outcome",
    "Piece",
    "Waiting",
    "is_own",
    "nearest",
    "recognised",
    "whole_number",
]
