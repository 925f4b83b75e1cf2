"""What can go wrong with an ingest as a whole, and with one line of it. No reading and no parsing here."""

from typing import Literal

from llma_assets.ingest.report import IngestReport

Reason = Literal[
    "broken_json",
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
"""Why a line was refused; stable, the rejects file and the report carry it."""


class LineError(ValueError):
    """One line cannot become an event. Rejecting it is up to the caller.

    Attributes:
        reason: the stable class of the fault.
        detail: what was wrong with which field, for a person; holds no content of the trace.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


class IngestError(Exception):
    """The ingest ended early. What `report` counts as inserted is stored and stays.

    Running the same source again is always safe: events that are stored already are skipped.
    """

    def __init__(self, message: str, report: IngestReport) -> None:
        super().__init__(f"{message}. Stored so far: {report.inserted:,} new events; running it again is safe")
        self.report = report


class StrictError(IngestError):
    """A bad line met `strict`.

    Attributes:
        line: its number in the source, from 1.
        reason: the class of the fault.
    """

    def __init__(self, line: int, error: LineError, report: IngestReport) -> None:
        super().__init__(f"Line {line:,} is refused, {error.reason}: {error.detail}", report)
        self.line = line
        self.reason: Reason = error.reason


class SourceError(IngestError):
    """The source cannot be read to its end: missing, unreadable, damaged, truncated, or a file of another kind."""
