"""What one segment holds costs that segment alone: it is refused by name, and all others become tasks."""

import gzip
import io
import json
from typing import Any

import numpy as np
import pytest

from llma_assets.clickhouse import Database
from llma_assets.models import Embedder, OfflineChat, Record, Usage, ignore_usage
from llma_assets.tasks import (
    cluster_new_segments,
    ingest_segments,
    refused_segments,
    segment_counts,
    task_segments,
    update_tasks,
)
from llma_assets.tasks.checks import segments_in_tasks
from llma_assets.team_day import TeamDay
from llma_assets.testing import axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import DIMENSION, MODEL, MONDAY
from llma_assets_tests.tasks.passing import DAY, a_pass, tasks
from llma_assets_tests.tasks.test_segments import SESSIONS

NOW = MONDAY + DAY


class Places(Embedder):
    """One place for every text."""

    name = MODEL
    dimension = DIMENSION

    def embed(self, texts: Any, *, record: Record = ignore_usage) -> Any:
        record(Usage(self.name, 0, 0, 0.0, 0.0))
        return np.array([axis_vector(0, shift=0.01 * number) for number in range(len(texts))], dtype=np.float32)


def reasons(database: Database, team_id: int = 1) -> dict[str, str]:
    return {row["document_id"].partition(":")[0]: row["reason"] for row in refused_segments(database, team_id)}


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "list": ({"metadata": '["a"]'}, "not_an_object"),
    "deep": ({"metadata": "[" * 5_000}, "broken_json"),
    "times": ({"metadata": '{"distinct_id": "a", "start": {"a": 1}, "end": []}'}, "invalid_time"),
    "user": ({"metadata": '{"distinct_id": ["a"], "start": 1793610000, "end": 1793610001}'}, "wrong_type"),
    "long": ({"content": "word " * 1_000_000}, "too_long"),
    "fat": ({"metadata": json.dumps({"x": "y" * 5_000_000})}, "broken_json"),
    "blank": ({"content": " \n"}, "no_description"),
    "short": ({"embedding": [1.0, 2.0]}, "invalid_vector"),
    "none": ({"embedding": []}, "invalid_vector"),
    "nan": ({"embedding": [float("nan")] * DIMENSION}, "invalid_vector"),
    "inf": ({"embedding": [float("inf")] * DIMENSION}, "invalid_vector"),
    "zero": ({"embedding": [0.0] * DIMENSION}, "invalid_vector"),
    "tiny": ({"embedding": [1e-40] * DIMENSION}, "invalid_vector"),
    "huge": ({"embedding": [3e38] * DIMENSION}, "invalid_vector"),
    "session": (
        {"metadata": '{"distinct_id": "a", "start": 1793610000, "end": 1793610001, "session_id": {}}'},
        "wrong",
    ),
}


def test_odd_rows_of_another_pipeline_are_refused_one_by_one(database: Database) -> None:
    for name, (columns, _) in ODD.items():
        write_segments(database, [(segment(name), axis_vector(0))], **columns)
    write_segments(database, similar_segments("a", 0) + similar_segments("b", 0, team_id=2))
    clustered, updated = a_pass(database, NOW)
    assert (clustered.refused, clustered.groups, updated.created) == (len(ODD), 1, 1)
    found = reasons(database)
    assert found.keys() == ODD.keys()
    assert all(found[name].startswith(reason) for name, (_, reason) in ODD.items()), found
    assert reasons(database, 2) == {}


@pytest.mark.parametrize("columns", [{"embedding": [1.0, 2.0]}, {"embedding": []}])
def test_a_first_segment_with_another_dimension_decides_nothing(database: Database, columns: dict[str, Any]) -> None:
    """It came alone, so that nobody could know that it is the odd one."""
    write_segments(database, [(segment("odd"), axis_vector(0))], **columns)
    a_pass(database, NOW)
    write_segments(database, similar_segments("a", 0), arrived=NOW)
    a_pass(database, NOW + DAY)
    assert [task.occurrence_count for task in tasks(database, NOW + DAY) if task.occurrence_count > 1] == [3]


def test_a_segment_that_is_stored_again_with_another_dimension_stops_no_pass(database: Database) -> None:
    """Held ones are compared with new ones, and those of tasks are read again for their labels."""
    write_segments(database, [*similar_segments("a", 0), (segment("held", "Looks around"), axis_vector(3))])
    a_pass(database, NOW)
    write_segments(
        database, [(segment("held", "Looks around"), [1.0]), (segment("a0", "An error came (0)"), [1.0, 2.0])]
    )
    write_segments(
        database,
        [*similar_segments("c", 0, count=9, start=NOW), (segment("n", "Looks around", start=NOW), axis_vector(3))],
    )
    _, updated = a_pass(database, NOW + DAY)
    assert updated.grown == 1
    assert [task.occurrence_count for task in tasks(database, NOW + DAY)] == [12]


def test_a_member_that_changes_between_its_batch_and_its_task_is_in_it_all_the_same(database: Database) -> None:
    write_segments(database, similar_segments("a", 0))
    cluster_new_segments(database, 1, model_name=MODEL, now=NOW)
    write_segments(database, [(segment("a1", "An error came (1)"), [1.0])])
    update_tasks(database, 1, OfflineChat(), now=NOW)
    assert [task.occurrence_count for task in tasks(database, NOW)] == [3]
    assert [each.passed for each in segments_in_tasks(database, TeamDay(1, NOW.date()))] == [True]


def test_odd_lines_are_refused_one_by_one_and_ids_are_kept_as_they_are(database: Database) -> None:
    good = {"team_id": 1, "start": MONDAY.isoformat(), "end": MONDAY.isoformat(), "description": "The page crashed"}
    lines = [{**good, "session_id": each, "distinct_id": f"user:{each}"} for each in SESSIONS]
    odd: list[Any] = [
        {**good, "session_id": "x", "distinct_id": "u", "description": ["a", {"b": 1}]},
        {**good, "session_id": "x", "distinct_id": "u", "embedding": [[1.0]]},
        {**good, "session_id": "x", "distinct_id": "u", "embedding": [1.0]},
        {**good, "session_id": "x", "distinct_id": "u", "embedding": [10**400]},
        {**good, "session_id": "x", "distinct_id": "u", "start": 10**300},
        {**good, "session_id": "", "distinct_id": "u"},
        {**good, "session_id": "x", "distinct_id": "u", "description": "word " * 900_000},
        ["x"],
    ]
    second = [{**lines[0], "team_id": 2}]
    source = io.BytesIO(gzip.compress("\n".join(json.dumps(line) for line in [*odd, *lines, *second]).encode()))
    report = ingest_segments(source, database, Places(), rejects=None)
    assert (report.refused, report.stored, report.teams) == (len(odd), len(lines) + 1, {1: len(lines), 2: 1})
    a_pass(database, NOW)
    (task,) = tasks(database, NOW)
    assert {row["session_id"] for row in task_segments(database, 1, task)} == set(SESSIONS)
    assert {row["distinct_id"] for row in task_segments(database, 1, task)} == {f"user:{each}" for each in SESSIONS}
    assert segment_counts(database, 1)["refused"] == 0
    assert tasks(database, NOW, 2) == []
