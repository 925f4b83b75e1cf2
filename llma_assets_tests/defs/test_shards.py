"""A shard is one run for several teams: each isolated, and recorded as if it had been run alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from llma_assets.cli.run.settings import team_settings
from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
from llma_assets.clickhouse import Database
from llma_assets.defs.due_days import events_by_day
from llma_assets.defs.due_texts import texts_due
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.jobs import ALL_STAGES, CLUSTERS_STAGES, TEXTS_STAGES
from llma_assets.defs.partitions import partition_key
from llma_assets.defs.shard_requests import SHARD_TAG, SIZE_TAG, Wanted, shard_of, shard_requests
from llma_assets.ledger import stage_runs_of_day
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.testing import ChatServer, Status, day_of_traces, write_events
from llma_assets.themes import TRACES
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import Pipeline, partitions_of
from llma_assets_tests.pipeline.test_faults import ServedChat

DAY = date(2026, 11, 7)
NOON = datetime(2026, 11, 8, 12, tzinfo=UTC)
SETTINGS = Settings.from_env({})


@pytest.fixture
def pipeline(environment: Settings, database: Database) -> Iterator[Pipeline]:
    with stored_instance() as instance:
        yield Pipeline(database, now=NOON, instance=instance)


def run_shard(pipeline: Pipeline, *team_ids: int, stages: tuple[str, ...] = ALL_STAGES) -> dg.ExecuteInProcessResult:
    """Run a shard of these teams for the day."""
    (request,) = shard_requests(
        [Wanted(TeamDay(team_id, DAY), f"{team_id}") for team_id in team_ids], stages, replace(SETTINGS, shards=1)
    )
    return pipeline.run("shard_job", run_config=request.run_config, tags=request.tags, raise_on_error=False)


def due(pipeline: Pipeline) -> list[TeamDay]:
    """The days that the hourly schedule would ask for."""
    found = events_by_day(pipeline.database, DAY, pipeline.now)
    return sorted(texts_due(pipeline.database, TeamSettings(), found, pipeline.now), key=str)


def test_a_shard_makes_its_teams_and_no_other_and_a_team_that_fails_leaves_the_others_standing(
    pipeline: Pipeline,
) -> None:
    for team_id, traces in ((1, 4), (2, 22), (3, 4)):
        write_events(pipeline.database, day_of_traces(team_id, DAY, traces))
    # Some vectors of team 1 are broken, so that a blocking check stops it.
    before = run_shard(pipeline, 1, stages=TEXTS_STAGES)
    pipeline.database.execute(
        "INSERT INTO document_embeddings SELECT * REPLACE ([1.0, nan] AS embedding, now64(6) + 86400 AS inserted_at) "
        "FROM document_embeddings FINAL WHERE team_id = 1"
    )
    done = run_shard(pipeline, 1, 2)
    assert not done.success
    (failure,) = [event for event in done.all_events if event.is_step_failure]
    said = failure.step_failure_data.user_failure_data
    assert said is not None
    assert said.description is not None
    assert said.description.startswith("1 teams failed: team 1: summary_embeddings")
    assert {row["team_id"] for row in pipeline.published()} == {2}
    for table in ("trace_texts", "trace_summaries", "skips"):
        sql = "SELECT count() FROM {table:Identifier} WHERE team_id = 3"
        assert pipeline.database.value(sql, table=table) == 0

    made = [
        event.step_materialization_data.materialization for event in done.all_events if event.is_step_materialization
    ]
    of_2 = [each for each in made if each.partition == partition_key(TeamDay(2, DAY))]
    assert [each.asset_key.to_user_string() for each in of_2] == list(ALL_STAGES)
    assert of_2[0].metadata["items"].value == 22
    assert not [each for each in of_2 if "clusters_map" in each.metadata or "funnel" in each.metadata]
    assert "cluster_events" not in {each.asset_key.to_user_string() for each in made if each not in of_2}
    stored = pipeline.instance.get_materialized_partitions(dg.AssetKey("cluster_events"))
    assert stored == {"2026-11-07|2"}
    # Which run worked on what is noted of each team, by one insert of the shard.
    noted = {team_id: stage_runs_of_day(pipeline.database, TeamDay(team_id, DAY)) for team_id in (1, 2, 3)}
    assert {each.stage for each in noted[2]} == set(ALL_STAGES)
    assert {each.run_id for each in noted[2]} == {done.run_id}
    assert [each.run_id for each in noted[1]] == [done.run_id] * 3 + [before.run_id] * 3
    assert noted[3] == []
    checks = {
        event.asset_check_evaluation_data.check_name: event.asset_check_evaluation_data
        for event in done.all_events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    }
    assert not checks["sound_vectors"].passed
    assert checks["sound_vectors"].metadata["failed"].value == 2
    assert checks["no_empty_events"].passed
    assert len(checks) < len(done.all_events) < 40 + len(checks)


def test_the_last_stage_of_a_run_of_one_team_shows_its_clusters(pipeline: Pipeline) -> None:
    write_events(pipeline.database, day_of_traces(1, DAY, 22))
    write_events(pipeline.database, day_of_traces(2, DAY, 22))
    done = run_shard(pipeline, 1)
    made = [each.step_materialization_data.materialization for each in done.all_events if each.is_step_materialization]
    for name in ("clusters_map", "funnel"):
        assert [name in each.metadata for each in made] == [False] * (len(ALL_STAGES) - 1) + [True]


def test_a_refused_key_is_asked_about_once_in_a_shard_and_fails_each_team_that_asks(
    environment: Settings, database: Database
) -> None:
    for team_id in (1, 2, 3):
        write_events(database, day_of_traces(team_id, DAY, 4))
    with stored_instance() as instance:
        run_shard(Pipeline(database, now=NOON, instance=instance), 1)
        write_events(database, day_of_traces(1, DAY, 1, prefix="late", hour=20))
        with ChatServer(always=Status(401)) as server:
            refused = Pipeline(database, now=NOON, instance=instance, chat=ServedChat(url=server.url))
            done = run_shard(refused, 1, 2, 3)
            asked = len(server.calls())
            assert 0 < asked <= 5, "the calls of the first team that were under way"
            (failure,) = [event for event in done.all_events if event.is_step_failure]
            said = failure.step_failure_data.user_failure_data
            assert said is not None
            why = str(said.description)
            assert why.startswith("3 teams failed")
            assert why.count("the server refused the API key") == 3
            skips = "SELECT team_id, detail FROM skips FINAL WHERE reason = 'failed' ORDER BY team_id"
            found = database.rows(skips)
            assert [row["team_id"] for row in found] == [1, 2, 3]
            assert len({row["detail"] for row in found}) == 1
            run_shard(refused, 2, 3)
            assert 0 < len(server.calls()) - asked <= 5, "what is refused in one run is asked again by the next"
        with ChatServer() as server:
            mended = Pipeline(database, now=NOON, instance=instance, chat=ServedChat(url=server.url))
            assert run_shard(mended, 1, 2, 3).success
        assert not database.rows(skips)


def test_a_day_of_which_nothing_is_left_is_not_asked_for_until_something_changes(pipeline: Pipeline) -> None:
    for team_id in (1, 2):
        write_events(pipeline.database, day_of_traces(team_id, DAY, 3))
    assert due(pipeline) == [TeamDay(1, DAY), TeamDay(2, DAY)]
    run_shard(pipeline, 1, stages=TEXTS_STAGES[:1])
    assert due(pipeline) == [TeamDay(1, DAY), TeamDay(2, DAY)], "texts without summaries are not the end"
    run_shard(pipeline, 1, stages=TEXTS_STAGES)
    assert due(pipeline) == [TeamDay(2, DAY)]
    run_shard(pipeline, 1, 2, stages=TEXTS_STAGES)
    assert due(pipeline) == []
    write_events(pipeline.database, day_of_traces(2, DAY, 1, prefix="late", hour=20))
    assert due(pipeline) == [TeamDay(2, DAY)]
    run_shard(pipeline, 2, stages=TEXTS_STAGES)
    assert due(pipeline) == []


def test_a_thousand_teams_are_few_runs_and_each_team_stays_in_its_shard() -> None:
    wanted = [Wanted(TeamDay(team_id, DAY), f"key {team_id}", 60) for team_id in range(1, 1001)]
    found = shard_requests(wanted, TEXTS_STAGES, SETTINGS)
    assert len(found) == SETTINGS.shards
    assert len(set(partitions_of(found))) == 1000
    for request in found:
        teams = {int(key.rpartition("|")[2]) for key in partitions_of([request])}
        assert {shard_of(team_id, SETTINGS) for team_id in teams} == {request.tags[SHARD_TAG]}
    some = shard_requests(wanted[:300], TEXTS_STAGES, SETTINGS)
    assert {each.tags[SHARD_TAG] for each in some} == {each.tags[SHARD_TAG] for each in found}
    assert not {each.run_key for each in some} & {each.run_key for each in found}
    assert [each.run_key for each in shard_requests(wanted[:300], TEXTS_STAGES, SETTINGS)] == [
        each.run_key for each in some
    ]


def test_a_big_team_and_few_teams_have_runs_of_their_own() -> None:
    big = [Wanted(TeamDay(7, DAY - timedelta(days=back)), f"7 {back}", 15_000) for back in range(2)]
    small = [Wanted(TeamDay(team_id, DAY), f"key {team_id}", 10) for team_id in range(100, 140)]
    found = shard_requests([*small, *big], CLUSTERS_STAGES, SETTINGS)
    assert len(found) == SETTINGS.shards + 1
    assert found[-1].tags == {SHARD_TAG: "team 7", "llma/team": "7", SIZE_TAG: "big"}
    assert partitions_of(found[-1:]) == ["2026-11-07|7", "2026-11-06|7"]
    few = shard_requests(small[:3], CLUSTERS_STAGES, SETTINGS)
    assert [each.run_key for each in few] == ["key 100", "key 101", "key 102"]
    assert [each.tags["llma/team"] for each in few] == ["100", "101", "102"]
    assert shard_requests([], TEXTS_STAGES, SETTINGS) == []


def test_only_the_requested_general_themes_of_each_team_are_made(pipeline: Pipeline) -> None:
    wanted = [Wanted(TeamDay(1, DAY), "a", theme_ids=("traces",)), Wanted(TeamDay(1, DAY), "b")]
    found = shard_requests(wanted, CLUSTERS_STAGES, SETTINGS)
    assert [each.run_config["ops"]["shard"]["config"]["themes"] for each in found] == [["traces"], []]
    write_events(pipeline.database, day_of_traces(1, DAY, 3))
    pipeline.run("shard_job", run_config={"ops": {"shard": {"config": {
        "partitions": ["2026-11-07|1"], "stages": list(TEXTS_STAGES), "themes": ["traces"]}}}})  # fmt: skip
    themes = pipeline.database.rows("SELECT DISTINCT theme_id FROM trace_summaries WHERE team_id = 1")
    assert themes == [{"theme_id": TRACES.theme_id}]


def test_several_teams_of_a_command_are_one_run(pipeline: Pipeline, environment: Settings) -> None:
    for team_id, traces in ((1, 22), (2, 21), (3, 2)):
        write_events(pipeline.database, day_of_traces(team_id, DAY, traces))
    runs, published = run_teams(pipeline.database, DAY, [1, 2, 3], TeamRunOptions(), team_settings())
    assert [(each.team_day.team_id, each.status) for each in runs] == [(1, "done"), (2, "done"), (3, "skipped")]
    assert {job_run.run_id for each in runs for job_run in each.job_runs} == {runs[0].job_runs[0].run_id}
    assert set(published) == {1, 2, 3}
    assert {row["team_id"] for row in pipeline.published()} == {1, 2}
    with opened_instance(environment) as instance:
        assert {record.job_name for record in instance.get_runs()} == {"discovery_job", "shard_job"}
        assert len(instance.get_runs()) == 2
    again, _ = run_teams(pipeline.database, DAY, [1, 2], TeamRunOptions(), team_settings())
    assert [each.job_runs for each in again] == [[], []], "nothing was left to do"


def test_an_unknown_stage_is_refused(pipeline: Pipeline) -> None:
    config = {"partitions": ["2026-11-07|1"], "stages": ["made_up"]}
    done = pipeline.run("shard_job", run_config={"ops": {"shard": {"config": config}}}, raise_on_error=False)
    assert not done.success
