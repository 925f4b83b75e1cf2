import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.models import Record, TextsRejected, Usage, ignore_usage
from llma_assets.tasks import SegmentReport, ingest_segments
from llma_assets.testing.segments import MODEL

STORED = """
SELECT team_id, document_id, content, metadata, embedding, model_name
FROM document_embeddings FINAL
WHERE product = 'session-replay'
ORDER BY team_id, document_id
"""


class Lengths:
    """An embedder whose vectors tell the length of the text, and which refuses what says so."""

    name = MODEL
    dimension: int | None = 3

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Any, *, record: Record = ignore_usage) -> NDArray[np.float32]:
        self.texts += texts
        record(Usage(self.name, len(texts), 0, 0.0, 0.0))
        vectors = np.array([[len(text), 1, 0] for text in texts], dtype=np.float32)
        refused = [index for index, text in enumerate(texts) if "refuse" in text]
        if refused:
            vectors[refused] = np.nan
            raise TextsRejected("refused", indexes=refused, vectors=vectors)
        return vectors


def line(session: str, team_id: int = 1, description: str = "An error", **more: Any) -> bytes:
    record = {
        "team_id": team_id,
        "session_id": session,
        "start": 1793610000,
        "end": 1793610030,
        "distinct_id": "anna",
        "description": description,
        **more,
    }
    return json.dumps(record).encode() + b"\n"


def ingested(database: Database, *lines: bytes, rejects: Path | None = None, model: Any = None) -> SegmentReport:
    return ingest_segments(io.BytesIO(b"".join(lines)), database, model or Lengths(), rejects=rejects)


def test_segments_are_stored_with_their_own_vector_or_the_embedders(database: Database) -> None:
    model = Lengths()
    report = ingested(database, line("a"), line("b", embedding=[0, 0, 2.5]), model=model)
    assert (report.stored, report.refused) == (2, 0)
    assert model.texts == ["An error"]
    rows = database.rows(STORED)
    assert [list(row["embedding"]) for row in rows] == [[8.0, 1.0, 0.0], [0.0, 0.0, 2.5]]
    assert json.loads(rows[0]["metadata"])["distinct_id"] == "anna"


def test_a_file_can_be_ingested_again(database: Database) -> None:
    ingested(database, line("a"), line("b"))
    model = Lengths()
    report = ingested(database, line("a"), line("b"), line("c"), model=model)
    assert (report.known, report.stored, len(model.texts)) == (2, 1, 1)
    assert len(database.rows(STORED)) == 3


def test_equal_sessions_of_two_teams_are_two_segments(database: Database) -> None:
    report = ingested(database, line("a"), line("a", team_id=2))
    assert report.teams == {1: 1, 2: 1}
    assert [row["team_id"] for row in database.rows(STORED)] == [1, 2]


def test_bad_lines_are_refused_one_by_one_and_kept_with_their_reason(database: Database, tmp_path: Path) -> None:
    report = ingested(
        database,
        line("a"),
        b"{\n",
        b"\n",
        line(""),
        line("a"),
        line("d", embedding=[1, 2]),
        line("e", description="refuse this"),
        line("f"),
        rejects=tmp_path,
    )
    assert report.stored == 2
    assert report.reasons == {
        "broken_json": 1,
        "missing_field": 1,
        "duplicate": 1,
        "invalid_vector": 1,
        "embedding_failed": 1,
    }
    assert report.rejects_file is not None
    kept = [json.loads(each) for each in report.rejects_file.read_text().splitlines()]
    assert sorted(each["line"] for each in kept) == [2, 4, 5, 6, 7]
    assert [row["document_id"].partition(":")[0] for row in database.rows(STORED)] == ["a", "f"]


def test_gzip_is_read_as_plain_lines_are(database: Database) -> None:
    report = ingest_segments(io.BytesIO(gzip.compress(line("a"))), database, Lengths(), rejects=None)
    assert report.stored == 1


def test_an_empty_file_is_an_empty_report(database: Database) -> None:
    report = ingested(database)
    assert (report.lines, report.stored, report.refused) == (0, 0, 0)


@pytest.mark.parametrize("dimension", [None, 3])
def test_a_vector_of_another_length_is_refused_where_the_length_is_known(
    database: Database, dimension: int | None
) -> None:
    model = Lengths()
    model.dimension = dimension
    report = ingested(database, line("a", embedding=[1, 2]), model=model)
    assert report.refused == (0 if dimension is None else 1)


def test_years_of_segments_are_stored_from_one_file_in_any_form(database: Database) -> None:
    moments = [f"{2010 + month // 12}-{1 + month % 12:02}-02T10:00:00Z" for month in range(130)]
    segments = [
        json.loads(line("a", team_id=1 + number % 2, start=moment, end=moment, embedding=[1, 0, number]))
        for number, moment in enumerate(moments)
    ]
    array = gzip.compress(json.dumps(segments, indent=1).encode())
    assert (ingested(database, array).stored, ingested(database, array).known) == (130, 130)
    assert [row["team_id"] for row in database.rows(STORED)] == [1] * 65 + [2] * 65


def test_the_first_refused_segment_is_reported(database: Database) -> None:
    report = ingested(database, line("a"), b"no json\n", line("", description="x"))
    assert report.first_refusal is not None
    assert (report.first_refusal.line, report.first_refusal.reason) == (2, "broken_json")
    assert ingested(database, line("b")).first_refusal is None
