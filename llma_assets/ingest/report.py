"""What an ingest tells: how far it is, and what came of it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from llma_assets.ingest.rejects import FirstRefusal


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """How far an ingest is. Sent after each stored batch and once at the end.

    Attributes:
        lines: lines read so far.
        source_bytes: bytes taken from the source so far, before unpacking.
        source_size: bytes that the source has, before unpacking; None for a stream of unknown length.
        inserted: events stored by this ingest.
        duplicates: events that were stored already.
        rejected: lines refused.
    """

    lines: int
    source_bytes: int
    source_size: int | None
    inserted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True, slots=True)
class TeamReport:
    """What one team got.

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
    """What came of an ingest: lines = accepted + rejected + empty, accepted = inserted + duplicates.

    Attributes:
        lines: lines of the source, the empty ones too.
        empty: blank lines, ignored.
        accepted: valid events.
        inserted: events that are new in the table.
        duplicates: events that were in the table already, or came twice in the source.
        rejected: lines refused.
        bytes: bytes of JSON, after unpacking.
        repaired: accepted events in which something was repaired.
        repairs: how often each repair was made in them.
        reasons: number of refused lines for each reason.
        first_refusal: the first of them, None if there are none.
        rejects_file: where the refused lines are; None if there are none, or no folder was given.
        teams: what each team got.
        duration_s: wall time.
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
    duration_s: float
