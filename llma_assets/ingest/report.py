"""Progress and report of an ingest. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from llma_assets.ingest.rejects import FirstRefusal


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Progress of an ingest, reported after each stored batch and at the end.

    Attributes:
        lines: lines read so far.
        source_bytes: bytes read from the source so far, before decompression.
        source_size: size of the source before decompression; None for a stream of unknown length.
        inserted: events stored by this ingest.
        duplicates: events that were stored already.
        rejected: rejected lines.
    """

    lines: int
    source_bytes: int
    source_size: int | None
    inserted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True, slots=True)
class TeamReport:
    """Counts of one team.

    Attributes:
        accepted: valid events of the team in the source.
        inserted: those that were not stored before.
        first_day: UTC day of the earliest valid event.
        last_day: UTC day of the latest valid event.
    """

    accepted: int
    inserted: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Result of an ingest: accepted = inserted + duplicates.

    Of our own events, lines = accepted + rejected + empty. A record of another format may hold many events, or none.

    Attributes:
        lines: lines, records or rows of the source, including empty ones.
        empty: blank lines and records without an event, which are ignored.
        accepted: valid events.
        inserted: events that are new in the table.
        duplicates: events that were stored already, or occur twice in the source.
        rejected: rejected lines.
        bytes: bytes of JSON, after decompression.
        repaired: accepted events with repairs.
        repairs: number of repairs by kind.
        reasons: number of rejected lines by reason.
        first_refusal: the first rejected line, None for none.
        rejects_file: the file of rejected lines; None if there are none, or no folder was given.
        teams: counts of each team.
        format: name of the format.
        advice: what to do, if every record was refused, or none held an event; else "".
        duration_s: wall time.
        kept: records, or parts of them, that are content of others or waited for it.
    """

    lines: int
    empty: int
    accepted: int
    inserted: int
    duplicates: int
    rejected: int
    bytes: int
    repaired: int
    repairs: Mapping[str, int]
    reasons: Mapping[str, int]
    first_refusal: FirstRefusal | None
    rejects_file: Path | None
    teams: Mapping[int, TeamReport]
    format: str
    advice: str
    duration_s: float
    kept: int = 0
