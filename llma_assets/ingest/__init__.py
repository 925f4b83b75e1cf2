"""Ingest: stores trace events of files, ours and those of other tools, in the events table, each event once."""

from llma_assets.ingest.converting import FORMAT_NAMES
from llma_assets.ingest.errors import IngestError, LineError, Reason, SourceError, StrictError
from llma_assets.ingest.lines import DamagedSource, Line
from llma_assets.ingest.loading import IngestLimits, ignore_progress, ingest
from llma_assets.ingest.records import read_records
from llma_assets.ingest.rejects import FirstRefusal, Refusal, RejectsFile
from llma_assets.ingest.report import IngestProgress, IngestReport, TeamReport

__all__ = [
    "FORMAT_NAMES",
    "DamagedSource",
    "FirstRefusal",
    "IngestError",
    "IngestLimits",
    "IngestProgress",
    "IngestReport",
    "Line",
    "LineError",
    "Reason",
    "Refusal",
    "RejectsFile",
    "SourceError",
    "StrictError",
    "TeamReport",
    "ignore_progress",
    "ingest",
    "read_records",
]
