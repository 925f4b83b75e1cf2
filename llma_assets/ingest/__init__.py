"""Ingest: stores trace events of files, ours and those of other tools, in the events table, each event once."""

from llma_assets.ingest.converting import FORMAT_NAMES
from llma_assets.ingest.errors import IngestError, LineError, Reason, SourceError, StrictError
from llma_assets.ingest.lines import DamagedSource, Line
from llma_assets.ingest.loading import IngestLimits, ignore_progress, ingest
from llma_assets.ingest.ordering import reading_order
from llma_assets.ingest.parsing import MAX_TEAM_ID
from llma_assets.ingest.pieces import PieceStore
from llma_assets.ingest.receiving import (
    MAX_BODY_BYTES,
    MAX_CONTENT_BYTES,
    BadRequest,
    Busy,
    Hold,
    Inbox,
    Received,
    TooLarge,
    gunzipped,
    read_request,
)
from llma_assets.ingest.records import read_records
from llma_assets.ingest.rejects import FirstRefusal, Refusal, RejectsFile
from llma_assets.ingest.report import IngestProgress, IngestReport, TeamReport

__all__ = [
    "FORMAT_NAMES",
    "MAX_BODY_BYTES",
    "MAX_CONTENT_BYTES",
    "MAX_TEAM_ID",
    "BadRequest",
    "Busy",
    "DamagedSource",
    "FirstRefusal",
    "Hold",
    "Inbox",
    "IngestError",
    "IngestLimits",
    "IngestProgress",
    "IngestReport",
    "Line",
    "LineError",
    "PieceStore",
    "Reason",
    "Received",
    "Refusal",
    "RejectsFile",
    "SourceError",
    "StrictError",
    "TeamReport",
    "TooLarge",
    "gunzipped",
    "ignore_progress",
    "ingest",
    "read_records",
    "read_request",
    "reading_order",
]
