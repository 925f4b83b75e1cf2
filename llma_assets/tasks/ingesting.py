"""Ingests segments from JSON lines into `document_embeddings`, each once, and embeds those without a vector.

Parsing a segment belongs in `segments`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ingest import FirstRefusal, Line, RejectsFile, read_records
from llma_assets.models import Embedder, Record, TextsRejected, ignore_usage
from llma_assets.tasks.segment_queries import DOCUMENT_TYPE, KNOWN_SEGMENTS, PRODUCT, RENDERING
from llma_assets.tasks.segments import Segment, SegmentError, metadata_of, parse_segment
from llma_assets.tasks.vectors import IDS_AT_ONCE, space_key
from llma_assets.teams import TeamLeftOut

MAX_LINE_BYTES = 4 << 20
BATCH_SEGMENTS = 500


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """The result of ingesting a file of segments.

    Attributes:
        lines: lines read, blank ones included.
        stored: new segments.
        known: segments that were stored before, or that are in the file twice with the same id.
        reasons: refused lines by reason.
        rejects_file: file of the refused lines, None if there is none.
        teams: new segments by team.
        first_refusal: the first refused line, None if there is none.
    """

    lines: int
    stored: int
    known: int
    reasons: dict[str, int]
    rejects_file: Path | None
    teams: dict[int, int]
    first_refusal: FirstRefusal | None = None

    @property
    def refused(self) -> int:
        """Refused lines of all reasons."""
        return sum(self.reasons.values())


def ingest_segments(
    source: BinaryIO,
    database: Database,
    embedder: Embedder,
    *,
    rejects: Path | None,
    left_out: Callable[[int], TeamLeftOut | None] = lambda _team_id: None,
    record: Callable[[int, str], Record] = lambda _team_id, _item: ignore_usage,
    progress: Callable[[int], None] = lambda _lines: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SegmentReport:
    """Store the segments of a source of JSON (`read_records`), plain or compressed; an invalid line is refused alone.

    Segments are equal if team, session, start and end are equal; the first one stays. A second line of the same
    segment in a file is refused as a duplicate; a segment of an earlier ingest is known, so a file can be ingested
    again. Vectors in the file must have the embedder's dimension, if it is known, because they are compared.

    Args:
        rejects: folder for the file of refused lines; None to keep none.
        left_out: why a team is left out: its segments are refused unless they have vectors.
        record: gives the usage recorder for a team.
        progress: gets the number of lines done.

    Raises:
        ModelConfigurationError, ModelUnavailable: the embedder gives no vectors; earlier segments are stored.
        DamagedSource: the source cannot be read to its end; earlier segments are stored.
    """
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    teams: Counter[int] = Counter()
    seen: set[tuple[int, str]] = set()
    refused_file = RejectsFile(rejects)

    def refuse(line: Line, error: SegmentError) -> None:
        reasons[error.reason] += 1
        refused_file.add(line, error)

    def valid() -> Iterator[tuple[Line, Segment]]:
        for line in read_records(source, MAX_LINE_BYTES):
            counts["lines"] += 1
            if not line.content.strip():
                continue
            try:
                segment = _parse_line(line, clock(), embedder.dimension)
                key = (segment.team_id, segment.document_id)
                if key in seen:
                    raise SegmentError("duplicate", "the segment is in an earlier line of the file, too")
                seen.add(key)
                if segment.embedding is None and (why := left_out(segment.team_id)) is not None:
                    raise SegmentError(why.reason, why.detail)
            except SegmentError as error:
                refuse(line, error)
                continue
            except Exception as error:  # an unexpected error fails this line alone
                refuse(line, SegmentError("unusable", type(error).__name__))
                continue
            yield line, segment

    with refused_file:
        for batch in chunked(valid(), BATCH_SEGMENTS):
            known = _known(database, [segment for _, segment in batch], embedder.name)
            new = [pair for pair in batch if (pair[1].team_id, pair[1].document_id) not in known]
            counts["known"] += len(batch) - len(new)
            rows = _rows(new, embedder, record, refuse)
            database.insert_rows("document_embeddings", rows)
            counts["stored"] += len(rows)
            teams.update(row["team_id"] for row in rows)
            progress(counts["lines"])
    progress(counts["lines"])
    return SegmentReport(
        counts["lines"],
        counts["stored"],
        counts["known"],
        dict(reasons),
        refused_file.path,
        dict(sorted(teams.items())),
        refused_file.first,
    )


def _parse_line(line: Line, now: datetime, dimension: int | None) -> Segment:
    if line.too_long:
        raise SegmentError("too_long", f"the line has {line.size:,} bytes")
    segment = parse_segment(line.content, latest=now)
    if segment.embedding is not None and dimension is not None and len(segment.embedding) != dimension:
        raise SegmentError(
            "invalid_vector", f"embedding has {len(segment.embedding)} numbers; the configured model makes {dimension}"
        )
    return segment


def _known(database: Database, segments: Sequence[Segment], model_name: str) -> set[tuple[int, str]]:
    known: set[tuple[int, str]] = set()
    for team_id in sorted({segment.team_id for segment in segments}):
        ids = [segment.document_id for segment in segments if segment.team_id == team_id]
        for some in chunked(ids, IDS_AT_ONCE):
            rows = database.rows(KNOWN_SEGMENTS, **space_key(team_id, model_name), document_ids=some)
            known.update((team_id, row["document_id"]) for row in rows)
    return known


def _rows(
    pairs: Sequence[tuple[Line, Segment]],
    embedder: Embedder,
    record: Callable[[int, str], Record],
    refuse: Callable[[Line, SegmentError], None],
) -> list[dict[str, Any]]:
    """Rows of segments that have or get a vector; the others are refused."""
    vectors: dict[int, Sequence[float]] = {
        index: segment.embedding for index, (_, segment) in enumerate(pairs) if segment.embedding is not None
    }
    for team_id in sorted({segment.team_id for _, segment in pairs}):
        asked = [
            index
            for index, (_, segment) in enumerate(pairs)
            if segment.team_id == team_id and segment.embedding is None
        ]
        texts = [pairs[index][1].description for index in asked]
        try:
            made = embedder.embed(texts, record=record(team_id, "")) if texts else np.empty((0, 0), np.float32)
        except TextsRejected as error:
            made = error.vectors
        for index, vector in zip(asked, made, strict=True):
            if vector.size and np.isfinite(vector).all() and vector.any():
                vectors[index] = vector.tolist()
    for index, (line, _) in enumerate(pairs):
        if index not in vectors:
            refuse(line, SegmentError("embedding_failed", "the embedder has no vector for the description"))
    return [
        segment_row(segment, embedder.name, vectors[index])
        for index, (_, segment) in enumerate(pairs)
        if index in vectors
    ]


def segment_row(segment: Segment, model_name: str, embedding: Sequence[float]) -> dict[str, Any]:
    """The row of `document_embeddings` that holds a segment and the vector of its description."""
    return {
        "team_id": segment.team_id,
        "product": PRODUCT,
        "document_type": DOCUMENT_TYPE,
        "model_name": model_name,
        "rendering": RENDERING,
        "document_id": segment.document_id,
        "timestamp": segment.start,
        "content": segment.description,
        "metadata": metadata_of(segment),
        "embedding": list(embedding),
    }
