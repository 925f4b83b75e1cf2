"""Schedules and the sensor ask for the partitions with something to do, once, and for no others."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from llma_assets.automation import clusters_daily, discovery_hourly, late_events, texts_hourly
from llma_assets.clickhouse import Database
from llma_assets.resources import ClickHouseResource
from llma_assets.settings import Settings
from llma_assets_tests.pipeline import Pipeline
from llma_assets_tests.traffic import day_of_traces, event, write

DAY = date(2026, 11, 7)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)


@pytest.fixture
def pipeline(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    with dg.instance_for_test() as instance:
        yield Pipeline(database, now=NOON, instance=instance)


def requests(schedule: dg.ScheduleDefinition, pipeline: Pipeline, when: datetime) -> list[dg.RunRequest]:
    with dg.build_schedule_context(
        instance=pipeline.instance,
        scheduled_execution_time=when,
        repository_def=pipeline.definitions.get_repository_def(),
        resources={"clickhouse": ClickHouseResource()} if schedule is not discovery_hourly else {},
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


def tick(pipeline: Pipeline, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=pipeline.instance, cursor=cursor) as context:
        return late_events(context, clickhouse=ClickHouseResource(), clock=lambda: pipeline.now)


def test_discovery_is_asked_for_today(pipeline: Pipeline) -> None:
    (request,) = requests(discovery_hourly, pipeline, NOON)
    assert request.partition_key == "2026-11-07"


def test_texts_are_asked_for_eligible_teams_with_events_today(pipeline: Pipeline) -> None:
    write(pipeline.database, day_of_traces(1, DAY, 25))
    write(pipeline.database, day_of_traces(2, DAY, 3))
    write(pipeline.database, day_of_traces(3, DAY - timedelta(days=1), 25))
    pipeline.discover(DAY)
    found = requests(texts_hourly, pipeline, NOON)
    assert [request.partition_key for request in found] == ["2026-11-07|1"]
    again = requests(texts_hourly, pipeline, NOON)
    assert [request.run_key for request in again] == [request.run_key for request in found]


def test_the_first_hour_also_finishes_yesterday(pipeline: Pipeline) -> None:
    write(pipeline.database, day_of_traces(1, DAY, 25))
    pipeline.discover(DAY)
    found = requests(texts_hourly, pipeline, datetime(2026, 11, 8, tzinfo=UTC))
    assert [request.partition_key for request in found] == ["2026-11-07|1"]


def test_clusters_are_asked_for_the_day_that_ended(pipeline: Pipeline) -> None:
    write(pipeline.database, day_of_traces(1, DAY, 25))
    write(pipeline.database, day_of_traces(2, DAY, 3))
    pipeline.discover(DAY)
    found = requests(clusters_daily, pipeline, datetime(2026, 11, 8, 1, 30, tzinfo=UTC))
    assert [request.partition_key for request in found] == ["2026-11-07|1"]


def test_nobody_eligible_is_a_skip(pipeline: Pipeline) -> None:
    assert requests(clusters_daily, pipeline, NOON) == []
    assert requests(texts_hourly, pipeline, NOON) == []


def test_the_sensor_sees_late_events_once(pipeline: Pipeline) -> None:
    write(pipeline.database, day_of_traces(1, DAY, 25))
    pipeline.discover(DAY)
    pipeline.now = NOON + timedelta(days=2)
    first = tick(pipeline)
    assert isinstance(first, dg.SensorResult)
    assert [request.partition_key for request in first.run_requests or []] == ["2026-11-07|1"]
    assert isinstance(tick(pipeline, first.cursor), dg.SkipReason)

    write(pipeline.database, day_of_traces(1, DAY, 1, prefix="late", hour=20))
    second = tick(pipeline, first.cursor)
    assert isinstance(second, dg.SensorResult)
    (request,) = second.run_requests or []
    assert request.run_key != (first.run_requests or [])[0].run_key


def test_the_sensor_waits_for_discovery_and_ignores_own_events(pipeline: Pipeline) -> None:
    when = NOON - timedelta(days=1)
    write(pipeline.database, day_of_traces(1, DAY - timedelta(days=1), 25))
    write(pipeline.database, [event(2, "$ai_trace_clusters", when, {"$ai_trace_id": "x"})])
    assert isinstance(tick(pipeline), dg.SkipReason)
    pipeline.discover(DAY)
    seen = tick(pipeline)
    assert isinstance(seen, dg.SensorResult)
    assert [request.partition_key for request in seen.run_requests or []] == ["2026-11-06|1"]
