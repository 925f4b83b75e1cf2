"""Which stored segments of a batch can be used, and the rows of `segment_members` that they become.

What a valid segment is belongs in `segments`, grouping in `grouping`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llma_assets.tasks.grouping import NOISE
from llma_assets.tasks.impact import Flags, flags_of
from llma_assets.tasks.segments import Segment, SegmentError, stored_segment
from llma_assets.tasks.vectors import EPOCH

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UsableSegment:
    """A usable segment with its flags and its time of arrival."""

    segment: Segment
    document_id: str
    flags: Flags
    arrived_at: datetime


def usable_segments(
    team_id: int, rows: Sequence[dict[str, Any]], dimension: int, now: datetime
) -> tuple[list[UsableSegment], list[dict[str, Any]]]:
    """The segments that can be used, and rows for the others with the reason; each fails alone."""
    usable: list[UsableSegment] = []
    refused: list[dict[str, Any]] = []
    for row in rows:
        try:
            segment = stored_segment(team_id, row["document_id"], row["description"], row["facts"], latest=now)
            _check_vector(row, dimension)
            flags = flags_of(segment.description)
        except SegmentError as error:
            refused.append(_refused_row(row, error))
        except Exception as error:
            log.exception("a segment of team %d cannot be used", team_id)
            refused.append(_refused_row(row, SegmentError("unusable", type(error).__name__)))
        else:
            usable.append(UsableSegment(segment, row["document_id"], flags, row["arrived_at"]))
    return usable, refused


def _check_vector(row: dict[str, Any], dimension: int) -> None:
    if row["dimension"] == 0 or row["zero"]:
        raise SegmentError("invalid_vector", "the vector is empty or zero")
    if row["broken"]:
        raise SegmentError("invalid_vector", "the vector holds NaN or infinity")
    if row["dimension"] != dimension:
        raise SegmentError("invalid_vector", f"the vector has {row['dimension']} numbers; {dimension} are expected")


def member_row(each: UsableSegment, status: str, cluster_no: int, distance: float) -> dict[str, Any]:
    return {
        "document_id": each.document_id,
        "status": status,
        "reason": "",
        "cluster_no": cluster_no,
        "distance": distance,
        "session_id": each.segment.session_id,
        "distinct_id": each.segment.distinct_id,
        "segment_start": each.segment.start,
        "segment_end": each.segment.end,
        "failure": each.flags.failure,
        "confusion": each.flags.confusion,
        "abandonment": each.flags.abandonment,
        "impact": each.flags.impact,
        "arrived_at": each.arrived_at,
    }


def _refused_row(row: dict[str, Any], error: SegmentError) -> dict[str, Any]:
    blank = Segment(0, "", EPOCH, EPOCH, "", "")
    segment = UsableSegment(blank, row["document_id"], Flags(False, False, False), row["arrived_at"])
    return {**member_row(segment, "refused", NOISE, 0.0), "reason": str(error)}


def held_segment(team_id: int, row: dict[str, Any], description: str) -> UsableSegment:
    segment = Segment(
        team_id, row["session_id"], row["segment_start"], row["segment_end"], row["distinct_id"], description
    )
    flags = Flags(row["failure"], row["confusion"], row["abandonment"])
    return UsableSegment(segment, row["document_id"], flags, row["first_arrived"])
