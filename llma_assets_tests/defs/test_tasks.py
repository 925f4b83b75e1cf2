"""The assets through Dagster, and the schedule that asks for them."""

from datetime import datetime
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.defs.partitions import teams
from llma_assets.defs.resources import ChatModelResource, ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.defs.schedules import tasks_half_hourly
from llma_assets.ledger import list_skips
from llma_assets.models import ChatModel, OpenAIChat, embedder
from llma_assets.settings import Settings
from llma_assets.tasks import list_tasks
from llma_assets.tasks.table import tasks_table
from llma_assets.testing import ChatServer, axis_vector, segment, similar_segments, write_segments
from llma_assets.testing.segments import MONDAY
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import Pipeline, told
from llma_assets_tests.tasks.passing import DAY

SPACE = embedder(Settings.from_env({})).name
NOW = MONDAY + DAY


class Served(ChatModelResource):
    """The chat model of a test server."""

    url: str

    def model(self) -> ChatModel:
        return OpenAIChat("gpt-4.1", base_url=self.url)


def set_teams(settings: Settings, text: str) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text(text)


def run(pipeline: Pipeline, team_id: int = 1, **options: Any) -> dg.ExecuteInProcessResult:
    pipeline.instance.add_dynamic_partitions(str(teams.name), [str(team_id)])
    return pipeline.run("tasks_job", partition_key=str(team_id), **options)


def shown(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(asset)
    return told(event.metadata)


def test_a_run_makes_tasks_shows_them_and_checks_them(environment: Settings, database: Database) -> None:
    evil = "<script>alert(1)</script> | an error came"
    write_segments(database, [*similar_segments("a", 0), (segment("evil", evil), axis_vector(3))], model=SPACE)
    write_segments(database, similar_segments("b", 0, team_id=2), model=SPACE)
    result = run(Pipeline(database, now=NOW))
    clusters, tasks = shown(result, "segment_clusters"), shown(result, "tasks")
    assert (clusters["items"], clusters["groups"], clusters["singles"], clusters["status"]) == (4, 1, 1, "done")
    assert (tasks["items"], tasks["created"], tasks["model"]) == (2, 2, "offline/extractive-1")
    assert "<script>" not in tasks["most_urgent"]
    assert "An error came" in tasks["most_urgent"]
    evaluations = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert evaluations == {"tasks_add_up": True, "segments_in_tasks": True}
    assert list_tasks(database, 2, now=NOW) == []


def test_a_second_run_finds_nothing_new_and_changes_nothing(environment: Settings, database: Database) -> None:
    write_segments(database, similar_segments("a", 0), model=SPACE)
    pipeline = Pipeline(database, now=NOW)
    run(pipeline)
    before = list_tasks(database, 1, now=NOW)
    again = shown(run(pipeline), "segment_clusters")
    assert (again["items"], again["status"], again["reason"]) == (0, "skipped", "no_new_segments")
    assert list_tasks(database, 1, now=NOW) == before


def test_a_team_without_segments_is_materialized_with_the_reason(environment: Settings, database: Database) -> None:
    tasks = shown(run(Pipeline(database, now=NOW)), "tasks")
    assert (tasks["items"], tasks["status"], tasks["reason"]) == (0, "skipped", "no_open_tasks")


def test_segments_of_another_model_are_named_and_left(environment: Settings, database: Database) -> None:
    write_segments(database, similar_segments("a", 0), model="other/model")
    clusters = shown(run(Pipeline(database, now=NOW)), "segment_clusters")
    assert clusters["segments_of_other_models"] == {"other/model": 3}
    assert clusters["items"] == 0


def test_a_spent_budget_makes_tasks_whose_labels_wait_and_says_so(environment: Settings, database: Database) -> None:
    set_teams(environment, "[teams.1]\ndaily_budget_usd = 0.000001\n")
    write_segments(database, similar_segments("a", 0), model=SPACE)
    with ChatServer() as server:
        metadata = shown(run(Pipeline(database, now=NOW, chat=Served(url=server.url))), "tasks")
        assert server.calls() == []
    assert (metadata["status"], metadata["deferred_for_budget"], metadata["labels_undone"]) == ("budget", 1, 1)
    assert metadata["undone_for_budget"] == 1  # the old name, for one version
    assert metadata["budget_usd"] == 0.000001
    assert [task.title[:7] for task in list_tasks(database, 1, now=NOW)] == ["Issue: "]
    assert [skip.stage for skip in list_skips(database, team_id=1, day=NOW.date())] == ["tasks"]
    set_teams(environment, "[teams.1]\ndaily_budget_usd = 10.0\n")
    with ChatServer() as server:
        metadata = shown(run(Pipeline(database, now=NOW, chat=Served(url=server.url))), "tasks")
        assert len(server.calls()) == 1
    assert (metadata["status"], metadata["labels_undone"]) == ("done", 0)
    assert list_skips(database, team_id=1, day=NOW.date()) == []


def test_teams_settings_reach_the_room(environment: Settings, database: Database) -> None:
    set_teams(environment, "[teams.1]\nleast_task_impact = 0.1\n")
    write_segments(database, similar_segments("a", 0, text="Browses the shop") + similar_segments("b", 3), model=SPACE)
    metadata = shown(run(Pipeline(database, now=NOW)), "tasks")
    assert (metadata["items"], metadata["ignored"]) == (1, 1)


def asked(pipeline: Pipeline, when: datetime = NOW) -> list[str]:
    with dg.build_schedule_context(
        instance=pipeline.instance,
        scheduled_execution_time=when,
        repository_def=pipeline.definitions.get_repository_def(),
        resources={
            "clickhouse": ClickHouseResource(),
            "embedder": EmbedderResource(),
            "team_settings": TeamSettingsResource(),
        },
    ) as context:
        return [str(each.partition_key) for each in tasks_half_hourly.evaluate_tick(context).run_requests or []]


def test_only_teams_with_the_setting_on_and_new_segments_are_asked_for_and_registered(
    environment: Settings, database: Database
) -> None:
    set_teams(environment, "[teams.1]\nsession_replay_tasks = true\n[teams.3]\nsession_replay_tasks = true\n")
    for team_id in (1, 2):
        write_segments(database, similar_segments("a", 0, team_id=team_id), model=SPACE)
    write_segments(database, similar_segments("a", 0, team_id=3), model="other/model")
    with stored_instance() as instance:
        pipeline = Pipeline(database, now=NOW, instance=instance)
        assert asked(pipeline) == ["1"]
        assert instance.get_dynamic_partitions(str(teams.name)) == ["1"]
        run(pipeline)
        assert asked(pipeline) == []
        write_segments(database, similar_segments("b", 0, start=MONDAY + 2 * DAY), model=SPACE)
        assert asked(pipeline, NOW + 2 * DAY) == ["1"]


def test_where_all_teams_have_the_setting_on_a_team_that_only_has_replays_is_found(
    environment: Settings, database: Database
) -> None:
    set_teams(environment, "session_replay_tasks = true\nskip_team_ids = [2]\n")
    for team_id in (1, 2):
        write_segments(database, similar_segments("a", 0, team_id=team_id), model=SPACE)
    with stored_instance() as instance:
        assert asked(Pipeline(database, now=NOW, instance=instance)) == ["1"]


def test_the_schedule_is_every_half_hour() -> None:
    assert tasks_half_hourly.cron_schedule == "*/30 * * * *"


def test_the_table_escapes_titles(environment: Settings, database: Database) -> None:
    write_segments(database, similar_segments("a", 0, text="[x](javascript:alert) <b> | `y`"), model=SPACE)
    run(Pipeline(database, now=NOW))
    table = tasks_table(list_tasks(database, 1, now=NOW))
    assert "<b>" not in table
    assert "](" not in table
    assert tasks_table([]) == "No open tasks."
