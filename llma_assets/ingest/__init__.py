"""Ingest: JSON lines of trace events, plain or gzip, into the events table, each event once."""

from llma_assets.ingest.errors import IngestError, LineError, Reason, SourceError, StrictError
from llma_assets.ingest.loading import IngestLimits, ignore_progress, ingest
from llma_assets.ingest.report import IngestProgress, IngestReport, TeamReport

__all__ = [
    "IngestError",
    "IngestLimits",
    "IngestProgress",
    "IngestReport",
    "LineError",
    "Reason",
    "SourceError",
    "StrictError",
    "TeamReport",
    "ignore_progress",
    "ingest",
]
