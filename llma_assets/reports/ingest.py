"""The outcomes of `llma ingest` and `llma segments ingest`, file by file. Nothing is read or stored here."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from llma_assets.ingest import FirstRefusal, IngestReport
from llma_assets.serialization import Seconds, TeamId
from llma_assets.tasks import SegmentReport

Name = Annotated[str, Field(serialization_alias="file")]


@dataclass(frozen=True, slots=True)
class TeamEvents:
    """Events of a team in a file: valid ones, those that were new, and their first and last UTC day."""

    team_id: TeamId
    accepted: int
    inserted: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class EventsFile:
    """The outcome of a file of events; see `llma_assets.ingest.IngestReport`."""

    name: Name
    format: str
    lines: int
    empty: int
    accepted: int
    inserted: int
    duplicates: int
    rejected: int
    repaired: int
    repairs: dict[str, int]
    reasons: dict[str, int]
    first_refusal: FirstRefusal | None
    rejects_file: Path | None
    bytes: int
    duration_s: Seconds
    teams: tuple[TeamEvents, ...]


@dataclass(frozen=True, slots=True)
class IngestedEvents:
    """The outcome of some files of events."""

    files: tuple[EventsFile, ...]


@dataclass(frozen=True, slots=True)
class TeamSegments:
    """New segments of a team in a file."""

    team_id: TeamId
    stored: int


@dataclass(frozen=True, slots=True)
class SegmentsFile:
    """The outcome of a file of segments; see `llma_assets.tasks.SegmentReport`."""

    name: Name
    lines: int
    stored: int
    known: int
    refused: int
    reasons: dict[str, int]
    first_refusal: FirstRefusal | None
    rejects_file: Path | None
    teams: tuple[TeamSegments, ...]


@dataclass(frozen=True, slots=True)
class IngestedSegments:
    """The outcome of some files of segments."""

    files: tuple[SegmentsFile, ...]


def events_file(name: str, report: IngestReport) -> EventsFile:
    """The outcome of a file of events: kinds of repairs and reasons by name."""
    return EventsFile(
        name=name,
        format=report.format,
        lines=report.lines,
        empty=report.empty,
        accepted=report.accepted,
        inserted=report.inserted,
        duplicates=report.duplicates,
        rejected=report.rejected,
        repaired=report.repaired,
        repairs=dict(sorted(report.repairs.items())),
        reasons=dict(sorted(report.reasons.items())),
        first_refusal=report.first_refusal,
        rejects_file=report.rejects_file,
        bytes=report.bytes,
        duration_s=report.duration_s,
        teams=tuple(
            TeamEvents(team_id, team.accepted, team.inserted, team.first_day, team.last_day)
            for team_id, team in report.teams.items()
        ),
    )


def segments_file(name: str, report: SegmentReport) -> SegmentsFile:
    """The outcome of a file of segments: reasons by name."""
    return SegmentsFile(
        name=name,
        lines=report.lines,
        stored=report.stored,
        known=report.known,
        refused=report.refused,
        reasons=dict(sorted(report.reasons.items())),
        first_refusal=report.first_refusal,
        rejects_file=report.rejects_file,
        teams=tuple(TeamSegments(team_id, count) for team_id, count in report.teams.items()),
    )
