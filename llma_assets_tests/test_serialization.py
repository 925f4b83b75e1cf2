"""Reports as JSON: the keys of docs/cli.md in the order of the fields, and a schema for whoever serves them."""

from dataclasses import is_dataclass
from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter

from llma_assets import reports
from llma_assets.reports import Budget, PublishedClusters, Skips, TaskDetails
from llma_assets.reports.published import PublishedCluster, PublishedRun
from llma_assets.reports.skips import SkippedWork
from llma_assets.serialization import json_object
from llma_assets.tasks import Task

DAY = date(2026, 11, 7)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
TASK = Task(
    "t1", "Pays twice", "- why", "new", 0.1234567891, 2, 3, 0.5, NOON, NOON, "yes", "it hurts", "m", "", ("t2",)
)
DOCUMENTS = [
    name
    for name in reports.__all__
    if is_dataclass(getattr(reports, name)) and name not in {"MapPoints", "ThemeClusters"}
]


def test_keys_have_the_order_of_the_fields_and_the_names_of_the_docs() -> None:
    skips = Skips(DAY, (SkippedWork(1, "trace_summaries", "ux", "trace", "t-1", "rule_failed", "why"),), decided=True)
    document = json_object(skips)
    assert list(document) == ["date", "skips"]
    assert list(document["skips"][0]) == ["team", "stage", "theme", "level", "item", "reason", "detail"]


def test_a_sum_of_nothing_stays_an_integer_and_a_float_a_float() -> None:
    budget = json_object(Budget(5.0, 0, 0.25, 0.0, 0.0, 0.0, 0.0))
    assert [repr(budget[key]) for key in ("daily_usd", "of_day", "on_date")] == ["5.0", "0", "0.25"]


def test_a_task_is_flat_in_its_story_rounded_and_with_moments_as_python_writes_them() -> None:
    document = json_object(TaskDetails(1, TASK, (), ()))
    assert (list(document)[:2], list(document)[-3:]) == (["team", "task_id"], ["segments", "history", "traces"])
    assert (document["priority"], document["actionable"]) == (0.123457, True)
    assert (document["first_seen"], document["merged"]) == ("2026-11-07T12:00:00+00:00", ["t2"])


def test_examples_can_be_cut_and_what_is_for_people_only_is_left_out() -> None:
    cluster = PublishedCluster(0, "l", "new", 0.0, (), 2, "A", "", ("a", "b"), False, False, False, ())
    run = PublishedRun("r", "trace", "traces", "1", False, 2, None, {}, {}, 0, (cluster,), skip_detail="for people")
    document = json_object(PublishedClusters(1, DAY, (run,)).with_examples(1))
    assert document["runs"][0]["clusters"][0]["item_ids"] == ["a"]
    assert "skip_detail" not in document["runs"][0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_report_has_a_schema(name: str) -> None:
    schema = TypeAdapter(getattr(reports, name)).json_schema(mode="serialization", by_alias=True)
    assert schema["type"] == "object"
