"""Errors of an ingest as a whole, and of one line."""

from typing import Literal

from llma_assets.ingest.report import IngestReport

Reason = Literal[
    "broken_json",
    "broken_protobuf",
    "invalid_utf8",
    "too_deep",
    "too_long",
    "not_an_object",
    "missing_field",
    "wrong_type",
    "invalid_uuid",
    "invalid_timestamp",
    "timestamp_out_of_range",
]
"""Why a line was rejected; stored in the rejects file and in the report."""


class LineError(ValueError):
    """A line is not a valid event. The caller rejects it.

    Attributes:
        reason: the stored name of the fault.
        detail: which field is wrong, and how; holds no content of the trace.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class IngestError(Exception):
    """The ingest ended early. Events that `report` counts as inserted are stored.

    It is always safe to ingest the same source again: stored events are skipped.
    """

    def __init__(self, message: str, report: IngestReport) -> None:
        super().__init__(f"{message}. Stored so far: {report.inserted:,} new events; running it again is safe")
        self.report = report


class StrictError(IngestError):
    """A line was rejected, and `strict` is set.

    Attributes:
        line: number of the line in the source, from 1.
        reason: the stored name of the fault.
    """

    def __init__(self, line: int, error: LineError, report: IngestReport) -> None:
        super().__init__(f"line {line:,} is rejected ({error.reason}): {error.detail}", report)
        self.line = line
        self.reason: Reason = error.reason


class SourceError(IngestError):
    """The source is missing, unreadable, damaged, truncated or of another file format."""
