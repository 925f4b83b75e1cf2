"""Schedules and the sensor ask for the partitions with something to do, once, and for no others."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.partitions import teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.schedules import clusters_daily, discovery_hourly, texts_hourly
from llma_assets.defs.sensors import late_events, open_batches, stale_clusters
from llma_assets.rendering import RenderOptions
from llma_assets.rendering.store import Sampling, store_texts
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, event, trace, write_events
from llma_assets.themes import TRACES
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import Pipeline, partitions_of

DAY = date(2026, 11, 7)
NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
RESOURCES = {"clickhouse": ClickHouseResource(), "team_settings": TeamSettingsResource()}


@pytest.fixture
def pipeline(environment: Settings, database: Database) -> Iterator[Pipeline]:
    with stored_instance() as instance:
        yield Pipeline(database, now=NOON, instance=instance)


def requests(schedule: dg.ScheduleDefinition, pipeline: Pipeline, when: datetime) -> list[dg.RunRequest]:
    with dg.build_schedule_context(
        instance=pipeline.instance,
        scheduled_execution_time=when,
        repository_def=pipeline.definitions.get_repository_def(),
        resources=RESOURCES if schedule is not discovery_hourly else {},
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


def tick(pipeline: Pipeline, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=pipeline.instance, cursor=cursor) as context:
        return late_events(context, **RESOURCES, clock=lambda: pipeline.now)


def test_discovery_is_asked_for_today(pipeline: Pipeline) -> None:
    (request,) = requests(discovery_hourly, pipeline, NOON)
    assert request.partition_key == "2026-11-07"


def test_texts_are_asked_for_eligible_teams_with_events_today(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 25))
    write_events(pipeline.database, day_of_traces(2, DAY, 3))
    write_events(pipeline.database, day_of_traces(3, DAY - timedelta(days=1), 25))
    pipeline.discover(DAY)
    found = requests(texts_hourly, pipeline, NOON)
    assert partitions_of(found) == ["2026-11-07|1"]
    again = requests(texts_hourly, pipeline, NOON)
    assert [request.run_key for request in again] == [request.run_key for request in found]


def test_the_first_hour_also_finishes_yesterday(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 25))
    pipeline.discover(DAY)
    found = requests(texts_hourly, pipeline, datetime(2026, 11, 8, tzinfo=UTC))
    assert partitions_of(found) == ["2026-11-07|1"]


def test_clusters_are_asked_for_the_day_that_ended(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 25))
    write_events(pipeline.database, day_of_traces(2, DAY, 3))
    pipeline.discover(DAY)
    found = requests(clusters_daily, pipeline, datetime(2026, 11, 8, 1, 30, tzinfo=UTC))
    assert partitions_of(found) == ["2026-11-07|1"]


def test_nobody_eligible_is_a_skip(pipeline: Pipeline) -> None:
    assert requests(clusters_daily, pipeline, NOON) == []
    assert requests(texts_hourly, pipeline, NOON) == []


def test_the_sensor_sees_late_events_once(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 25))
    pipeline.discover(DAY)
    pipeline.now = NOON + timedelta(days=2)
    first = tick(pipeline)
    assert isinstance(first, dg.SensorResult)
    assert partitions_of(first.run_requests or []) == ["2026-11-07|1"]
    assert isinstance(tick(pipeline, first.cursor), dg.SkipReason)

    write_events(pipeline.database, day_of_traces(1, DAY, 1, prefix="late", hour=20))
    second = tick(pipeline, first.cursor)
    assert isinstance(second, dg.SensorResult)
    (request,) = second.run_requests or []
    assert request.run_key != (first.run_requests or [])[0].run_key


def test_the_sensor_waits_for_discovery_and_ignores_own_events(pipeline: Pipeline) -> None:
    when = NOON - timedelta(days=1)
    write_events(pipeline.database, day_of_traces(1, DAY - timedelta(days=1), 25))
    write_events(pipeline.database, [event(2, "$ai_trace_clusters", when, {"$ai_trace_id": "x"})])
    assert isinstance(tick(pipeline), dg.SkipReason)
    pipeline.discover(DAY)
    seen = tick(pipeline)
    assert isinstance(seen, dg.SensorResult)
    assert partitions_of(seen.run_requests or []) == ["2026-11-06|1"]


def asked(pipeline: Pipeline, cursor: str | None = None) -> list[str]:
    """The partitions that the sensor asks for now."""
    found = tick(pipeline, cursor)
    requests = found.run_requests if isinstance(found, dg.SensorResult) else None
    return partitions_of(requests or [])


def make_texts(pipeline: Pipeline, team_id: int, day: date) -> None:
    """What `trace_texts` stores, without the stages after it."""
    sampling = Sampling(pipeline.now, timedelta(minutes=30), {"trace": 100, "generation": 100})
    team_day = TeamDay(team_id, day)
    store_texts(pipeline.database, team_day, RenderOptions(), sampling, progress=lambda *_: None)


def let_in(pipeline: Pipeline, *team_ids: int) -> None:
    """Teams as discovery lets them in for the week that ends with `DAY`, and for each of the next days."""
    pipeline.instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in team_ids])
    start = datetime.combine(DAY, time(), UTC)
    pipeline.database.insert_rows(
        "eligible_teams",
        [
            {
                "team_id": team_id,
                "day": DAY + timedelta(days=ahead),
                "eligible": True,
                "window_start": start + timedelta(days=ahead - 6),
                "window_end": start + timedelta(days=ahead + 1),
            }
            for team_id in team_ids
            for ahead in range(3)
        ],
    )


def test_the_sensor_asks_for_no_day_whose_texts_are_up_to_date(pipeline: Pipeline) -> None:
    days = [DAY - timedelta(days=back) for back in range(3)]
    for day in days:
        write_events(pipeline.database, day_of_traces(1, day, 8))
        write_events(pipeline.database, day_of_traces(2, day, 8))
    let_in(pipeline, 1, 2)
    pipeline.now = NOON + timedelta(days=2)
    for team_id in (1, 2):
        for day in days:
            make_texts(pipeline, team_id, day)
    assert asked(pipeline) == []
    write_events(pipeline.database, day_of_traces(2, days[1], 1, prefix="late", hour=20))
    assert asked(pipeline) == ["2026-11-06|2"]
    make_texts(pipeline, 2, days[1])
    assert asked(pipeline) == []


def test_a_day_whose_run_has_not_come_yet_is_asked_for_once(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 3))
    let_in(pipeline, 1, 2)
    pipeline.now = NOON + timedelta(days=2)
    first = tick(pipeline)
    assert isinstance(first, dg.SensorResult)
    assert asked(pipeline, first.cursor) == []
    write_events(pipeline.database, day_of_traces(1, DAY, 1, prefix="late", hour=20))
    assert asked(pipeline, first.cursor) == ["2026-11-07|1"]


def test_the_sensor_comes_back_for_a_trace_that_was_not_quiet(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 3))
    let_in(pipeline, 1, 2)
    # Its last event lies beyond midnight, so that its day never gets another event.
    write_events(pipeline.database, trace(1, "night", datetime(2026, 11, 7, 23, 59, tzinfo=UTC)))
    write_events(pipeline.database, trace(1, "night", datetime(2026, 11, 8, 0, 10, tzinfo=UTC), request="more"))
    pipeline.now = datetime(2026, 11, 8, 0, 20, tzinfo=UTC)
    make_texts(pipeline, 1, DAY)
    assert asked(pipeline) == []
    pipeline.now = datetime(2026, 11, 8, 0, 41, tzinfo=UTC)
    assert asked(pipeline) == ["2026-11-07|1"]
    make_texts(pipeline, 1, DAY)
    assert asked(pipeline) == []


def test_a_trace_that_went_on_past_midnight_makes_its_own_day_due(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 3))
    write_events(pipeline.database, day_of_traces(2, DAY, 3))
    write_events(pipeline.database, trace(1, "night", datetime(2026, 11, 7, 23, 0, tzinfo=UTC)))
    let_in(pipeline, 1, 2)
    pipeline.now = datetime(2026, 11, 8, 0, 0, tzinfo=UTC)
    make_texts(pipeline, 1, DAY)
    make_texts(pipeline, 2, DAY)
    assert asked(pipeline) == []
    write_events(pipeline.database, trace(1, "night", datetime(2026, 11, 8, 3, 0, tzinfo=UTC), request="more"))
    write_events(pipeline.database, trace(2, "night", datetime(2026, 11, 8, 3, 0, tzinfo=UTC), request="more"))
    pipeline.now = datetime(2026, 11, 8, 4, 0, tzinfo=UTC)
    for team_id in (1, 2):
        make_texts(pipeline, team_id, DAY + timedelta(days=1))
    assert asked(pipeline) == ["2026-11-07|1"]
    make_texts(pipeline, 1, DAY)
    assert asked(pipeline) == []
    # The day after sees the same events again, and nothing new in them.
    make_texts(pipeline, 1, DAY + timedelta(days=1))
    assert asked(pipeline) == []


def test_days_with_open_batches_are_asked_for_until_all_are_closed(pipeline: Pipeline) -> None:
    def row(team_id: int, state: str) -> dict[str, object]:
        return {
            "team_id": team_id,
            "day": DAY,
            "theme_id": "traces",
            "batch_key": UUID(int=1),
            "group_id": UUID(int=2),
            "state": state,
            "reason": "",
            "server": "127.0.0.1",
            "batch_id": "b",
            "model": "m",
            "questions": ["q"],
            "intended_at": NOON,
        }

    def asked() -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            instance=pipeline.instance, repository_def=pipeline.definitions.get_repository_def()
        ) as context:
            found = open_batches(context, **RESOURCES, clock=lambda: pipeline.now)
            return [each for each in found if isinstance(each, dg.RunRequest)]

    assert asked() == []
    let_in(pipeline, 1)
    pipeline.database.insert_rows("summary_batches", [row(1, "submitted"), row(2, "submitted")])
    (request,) = asked()
    assert request.partition_key == "2026-11-07|1"
    assert request.run_config["ops"]["trace_summaries"] == {"config": {"themes": ["traces"], "via": "batch"}}
    pipeline.database.insert_rows("summary_batches", [row(1, "closed")])
    assert asked() == []


def write_run(
    database: Database, team_id: int, day: date, committed_at: datetime, *, theme_id: str = "traces", version: str = ""
) -> None:
    database.insert_rows(
        "clustering_runs",
        [
            {
                "team_id": team_id,
                "day": day,
                "theme_id": theme_id,
                "embedding_model": "model",
                "params": json.dumps({"theme_version": version}),
                "items": 20,
                "window_start": datetime.combine(day - timedelta(days=6), time(), UTC),
                "window_end": datetime.combine(day + timedelta(days=1), time(), UTC),
                "committed_at": committed_at,
            }
        ],
    )


def write_vector(
    database: Database,
    team_id: int,
    day: date,
    inserted_at: datetime,
    *,
    theme_id: str = "traces",
    model: str = "model",
) -> None:
    database.insert_rows(
        "document_embeddings",
        [
            {
                "team_id": team_id,
                "product": "llm-analytics",
                "document_type": "llm-trace-summary",
                "model_name": model,
                "rendering": f"llm_traces_summary_{theme_id}",
                "document_id": f"{inserted_at}",
                "timestamp": datetime.combine(day, time(12), UTC),
                "inserted_at": inserted_at,
                "embedding": [1.0],
            }
        ],
    )


def stale(pipeline: Pipeline, cursor: str | None = None) -> list[str]:
    """The partitions that are to be clustered anew."""
    with dg.build_sensor_context(instance=pipeline.instance, cursor=cursor) as context:
        found = stale_clusters(context, **RESOURCES, clock=lambda: pipeline.now)
    requests = found.run_requests if isinstance(found, dg.SensorResult) else None
    return partitions_of(requests or [])


def test_clusters_are_asked_for_again_where_an_item_of_their_window_was_embedded_anew(pipeline: Pipeline) -> None:
    let_in(pipeline, 1, 2)
    pipeline.now = NOON + timedelta(days=2)
    made, later = pipeline.now - timedelta(hours=9), pipeline.now - timedelta(hours=1)
    for team_id in (1, 2):
        for back in (0, 3, 9):
            write_run(pipeline.database, team_id, DAY - timedelta(days=back), made)
        write_vector(pipeline.database, team_id, DAY - timedelta(days=4), made - timedelta(minutes=5))
    assert stale(pipeline) == []
    # In the windows of the days before it by less than seven days, and of no other day, theme, model or team.
    write_vector(pipeline.database, 1, DAY - timedelta(days=4), later)
    write_vector(pipeline.database, 2, DAY - timedelta(days=4), later, theme_id="other")
    write_vector(pipeline.database, 2, DAY - timedelta(days=4), later, model="other")
    write_vector(pipeline.database, 2, DAY + timedelta(days=1), later)
    assert stale(pipeline) == ["2026-11-04|1", "2026-11-07|1"]
    write_run(pipeline.database, 1, DAY, pipeline.now)
    assert stale(pipeline) == ["2026-11-04|1"]


def test_clusters_of_an_earlier_version_of_their_theme_are_history(pipeline: Pipeline) -> None:
    let_in(pipeline, 1, 2)
    pipeline.now = NOON + timedelta(days=2)
    made, later = pipeline.now - timedelta(hours=9), pipeline.now - timedelta(hours=1)
    for team_id, version in ((1, "before"), (2, TRACES.version)):
        write_run(pipeline.database, team_id, DAY, made, version=version)
        write_vector(pipeline.database, team_id, DAY, later)
    assert stale(pipeline) == ["2026-11-07|2"]


def test_clusters_wait_for_texts_that_are_still_to_be_made_or_were_made_just_now(pipeline: Pipeline) -> None:
    let_in(pipeline, 1, 2)
    pipeline.now = NOON + timedelta(days=2)
    for team_id, age in ((1, timedelta(minutes=20)), (2, timedelta(minutes=5))):
        write_run(pipeline.database, team_id, DAY, pipeline.now - timedelta(hours=9))
        write_vector(pipeline.database, team_id, DAY, pipeline.now - age)
    assert stale(pipeline) == ["2026-11-07|1"]
    write_events(pipeline.database, day_of_traces(1, DAY, 1))
    assert stale(pipeline) == []
    make_texts(pipeline, 1, DAY)
    assert stale(pipeline) == ["2026-11-07|1"]
