"""A team on the skip list is not worked on by anything, whatever is stored of it: no request, no row, no event.

Two teams with equal traces went through all stages before one of them was put on the list; what is asked of the model
server afterwards is counted.
"""

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from click.testing import CliRunner

from llma_assets import trackers
from llma_assets.alerts import Document, Rule, apply
from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database, ServerState, connect
from llma_assets.clickhouse.lifecycle import address
from llma_assets.definitions import build_definitions
from llma_assets.defs.alerts_shard import alerts_every_10_minutes
from llma_assets.defs.partitions import partition_key, range_tags, teams
from llma_assets.defs.resources import ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.defs.schedules import clusters_daily, tasks_half_hourly, texts_hourly
from llma_assets.defs.sensors import late_events, open_batches, stale_clusters
from llma_assets.defs.sensors.theme_schedules import theme_schedules
from llma_assets.defs.trackers import trackers_every_10_minutes
from llma_assets.ledger import list_skips
from llma_assets.settings import Settings
from llma_assets.stage import Report, StageContext
from llma_assets.team_day import TeamDay
from llma_assets.teams import ON_SKIP_LIST
from llma_assets.testing import BatchServer, day_of_traces, similar_segments, write_events, write_segments
from llma_assets_tests.defs.test_automation import write_run, write_vector
from llma_assets_tests.environment import SETTINGS
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import STORED_TABLES, Pipeline, dummy_stage, partitions_of, resources, told

DAY = date(2026, 11, 7)
NOW = datetime(2026, 11, 8, 12, tzinfo=UTC)
OUT, IN = TeamDay(1, DAY), TeamDay(2, DAY)
"""The team that is put on the skip list, and the other one."""

ASKING = {"trace_summaries", "summary_embeddings", "cluster_labels", "tasks"}
"""Stages that ask a model."""

TABLES = (*STORED_TABLES, "summary_batches", "segment_batches", "task_versions", "task_labels", "model_usage")
ROWS = "SELECT count() FROM {table:Identifier} WHERE team_id = {team_id:Int64}"


@dataclasses.dataclass
class Stored:
    """A database in which both teams have rows of all stages but names, and the models that made them."""

    database: Database
    url: str
    folder: Path

    def rows_of(self, team_id: int) -> dict[str, int]:
        """Plain row counts of a team, skips left out."""
        return {table: self.database.value(ROWS, table=table, team_id=team_id) for table in TABLES if table != "skips"}


@pytest.fixture(scope="module")
def stored(
    default_database: Database, data_dir: Path, server: ServerState, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stored]:
    host, port, user, password = address(data_dir, server)
    name = f"test_{secrets.token_hex(6)}"
    url = f"http://{user}:{password}@{host}:{port}/{name}"
    folder = tmp_path_factory.mktemp("llma")
    settings = dataclasses.replace(Settings.from_env({"LLMA_DATA_DIR": str(folder)}), clickhouse_url=url)
    with pytest.MonkeyPatch.context() as environment, BatchServer() as models, connect(settings) as database:
        use(environment, url, folder, models.url, "before")
        pipeline = Pipeline(database, now=NOW)
        for team_id in (1, 2):
            write_events(database, day_of_traces(team_id, DAY, 24))
            write_segments(database, similar_segments("a", 0, team_id=team_id), model="vectors-before")
        pipeline.discover(DAY)
        for team_id in (1, 2):
            pipeline.texts(team_id, DAY, DAY)
            pipeline.clusters(team_id, DAY, asset_selection=[dg.AssetKey("cluster_assignments")])
            materialize(pipeline, "segment_clusters", TeamDay(team_id, DAY))
        yield Stored(database, url, folder)
    default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)


def use(environment: pytest.MonkeyPatch, url: str, folder: Path, models: str, name: str) -> None:
    """Settings of a process, with models of that name at a server."""
    for variable in SETTINGS:
        environment.delenv(variable, raising=False)
    environment.setenv("CLICKHOUSE_URL", url)
    environment.setenv("LLMA_DATA_DIR", str(folder))
    environment.setenv("OPENAI_BASE_URL", models)
    environment.setenv("LLMA_CHAT_MODEL", f"chat-{name}")
    environment.setenv("LLMA_EMBEDDING_MODEL", f"vectors-{name}")
    environment.setenv("LLMA_OLDEST_DAY", str(DAY))


@pytest.fixture
def models(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    """A server of models that have not been asked yet; team 1 is on the skip list."""
    with BatchServer() as server:
        use(monkeypatch, stored.url, stored.folder, server.url, secrets.token_hex(4))
        put_on_skip_list(stored)
        yield server


def put_on_skip_list(stored: Stored) -> None:
    text = f"skip_team_ids = [{OUT.team_id}]\nsession_replay_tasks = true\nmodel_judges_tasks = true\n"
    (stored.folder / "teams.toml").write_text(text)


def team_stages() -> list[str]:
    """All assets of the definitions that are made team by team; one that is added is among them."""
    assets = [each for each in build_definitions().assets or () if isinstance(each, dg.AssetsDefinition)]
    daily = (dg.DailyPartitionsDefinition, type(None))
    return [each.key.to_user_string() for each in assets if not isinstance(each.partitions_def, daily)]


def job_of(stage: str) -> str:
    jobs = {"segment_clusters": "tasks_job", "tasks": "tasks_job", "alerts": "alerts_job", "trackers": "trackers_job"}
    return jobs.get(stage, "team_day_job")


def materialize(pipeline: Pipeline, stage: str, team_day: TeamDay, **options: Any) -> dict[str, Any]:
    """Make one partition of one asset, as by `dagster asset materialize`; its metadata."""
    return materialize_all(pipeline, [stage], team_day, **options)[stage]


def materialize_all(
    pipeline: Pipeline, stages: Sequence[str], team_day: TeamDay, **options: Any
) -> dict[str, dict[str, Any]]:
    """Make one partition of several assets of a job; the metadata of each."""
    pipeline.instance.add_dynamic_partitions(str(teams.name), ["1", "2"])
    job = job_of(stages[0])
    key = str(team_day.team_id) if job in ("tasks_job", "trackers_job") else partition_key(team_day)
    done = pipeline.run(job, asset_selection=[dg.AssetKey(stage) for stage in stages], partition_key=key, **options)
    made = {}
    for stage in stages:
        (event,) = done.asset_materializations_for_node(stage)
        made[stage] = told(event.metadata)
    return made


@pytest.mark.parametrize("job", sorted({job_of(stage) for stage in team_stages()}))
def test_no_stage_does_anything_for_a_team_on_the_skip_list(stored: Stored, models: BatchServer, job: str) -> None:
    stages = [stage for stage in team_stages() if job_of(stage) == job]
    pipeline = Pipeline(stored.database, now=NOW)
    before = stored.rows_of(OUT.team_id)
    for each in materialize_all(pipeline, stages, OUT).values():
        assert (each["items"], each["status"], each["reason"]) == (0, "skipped", ON_SKIP_LIST)
    assert models.requests == []
    assert stored.rows_of(OUT.team_id) == before
    skips = [skip for day in (DAY, NOW.date()) for skip in list_skips(stored.database, day=day, team_id=OUT.team_id)]
    for stage in stages:
        assert [(skip.reason, skip.detail) for skip in skips if skip.stage == stage and not skip.theme_id] == [
            (ON_SKIP_LIST, "the team is on the skip list (skip_team_ids of teams.toml)")
        ]

    made = materialize_all(pipeline, stages, IN)
    assert ON_SKIP_LIST not in [each.get("reason") for each in made.values()]
    assert bool(models.requests) == bool(ASKING.intersection(stages))


def test_a_stage_that_is_added_is_held_without_knowing_of_it(stored: Stored, models: BatchServer) -> None:
    worked: list[int] = []

    def added_later(ctx: StageContext) -> Report:
        worked.append(ctx.partition.team_id)
        return Report(items=1)

    stage = dummy_stage(added_later)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1", "2"])
        for team_day in (OUT, IN):
            key = partition_key(team_day)
            dg.materialize([stage], instance=instance, partition_key=key, resources=resources())
    assert worked == [IN.team_id]


def test_a_team_that_comes_off_the_list_is_worked_on_again_and_its_skip_is_gone(
    stored: Stored, models: BatchServer
) -> None:
    pipeline = Pipeline(stored.database, now=NOW)
    assert materialize(pipeline, "trace_summaries", OUT)["reason"] == ON_SKIP_LIST
    (stored.folder / "teams.toml").unlink()
    assert materialize(pipeline, "trace_summaries", OUT)["status"] == "done"
    assert len(models.calls()) == 48
    skips = list_skips(stored.database, day=DAY, team_id=OUT.team_id)
    assert [skip for skip in skips if skip.stage == "trace_summaries" and skip.reason == ON_SKIP_LIST] == []


def test_a_run_under_way_heeds_the_list_from_its_next_partition_on(stored: Stored, models: BatchServer) -> None:
    (stored.folder / "teams.toml").unlink()
    worked: list[date] = []

    def long_stage(ctx: StageContext) -> Report:
        worked.append(ctx.partition.day)
        put_on_skip_list(stored)
        return Report(items=1)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(teams.name), ["1", "2"])
        days = range_tags(OUT, TeamDay(1, NOW.date()))
        dg.materialize([dummy_stage(long_stage)], instance=instance, tags=days, resources=resources())
    assert worked == [DAY]


@pytest.mark.slow
@pytest.mark.parametrize("via", ["calls", "batch"])
def test_open_batches_of_a_team_on_the_list_stay_open_and_nothing_is_asked_for_them(
    stored: Stored, models: BatchServer, via: str
) -> None:
    pipeline = Pipeline(stored.database, now=NOW)
    by_batch = {"ops": {"trace_summaries": {"config": {"via": "batch"}}}}
    (stored.folder / "teams.toml").unlink()
    models.held = True
    for team_day in (OUT, IN):
        materialize(pipeline, "trace_summaries", team_day, run_config=by_batch)
    assert len(models.created) == 4
    models.held = False
    put_on_skip_list(stored)
    models.requests.clear()
    config = {"ops": {"trace_summaries": {"config": {"via": via}}}}
    assert materialize(pipeline, "trace_summaries", OUT, run_config=config)["status"] == "skipped"
    assert models.requests == []
    assert materialize(pipeline, "trace_summaries", IN, run_config=config)["status"] == "done"
    assert models.requests != []
    # Off the list again, the team gets what it has paid for.
    (stored.folder / "teams.toml").unlink()
    calls = len(models.calls())
    assert materialize(pipeline, "trace_summaries", OUT, run_config=config)["status"] == "done"
    assert len(models.calls()) == calls


@pytest.fixture
def instance(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance beside a database of the test's own, on whose skip list nobody is yet."""
    use(monkeypatch, str(settings.clickhouse_url), settings.data_dir, "http://127.0.0.1:9/v1", "unused")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("session_replay_tasks = true\n")
    # What a schedule asks for is looked up in an instance on disk.
    is_schedule = isinstance(TICKS[name][0], dg.ScheduleDefinition)
    with stored_instance() if is_schedule else dg.DagsterInstance.ephemeral() as made:
        yield made


def let_in(database: Database, instance: dg.DagsterInstance, *team_ids: int, day: date = NOW.date()) -> None:
    """What discovery stores of teams with enough traffic."""
    instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in team_ids])
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=6)
    decision = {"day": day, "eligible": True, "window_start": start, "window_end": start + timedelta(days=7)}
    database.insert_rows("eligible_teams", [{"team_id": team_id, **decision} for team_id in team_ids])


def events_of_the_day(database: Database, team_id: int) -> None:
    write_events(database, day_of_traces(team_id, DAY, 3))


def events_of_today(database: Database, team_id: int) -> None:
    write_events(database, day_of_traces(team_id, NOW.date(), 3, hour=9))


def a_stale_clustering(database: Database, team_id: int) -> None:
    write_run(database, team_id, DAY, NOW - timedelta(hours=9))
    write_vector(database, team_id, DAY, NOW - timedelta(hours=1))


def an_open_batch(database: Database, team_id: int) -> None:
    database.insert_rows(
        "summary_batches",
        [{"team_id": team_id, "day": DAY, "theme_id": "traces", "batch_key": uuid4(), "state": "submitted"}],
    )


def a_theme_that_is_due(database: Database, team_id: int) -> None:
    theme = {"theme_id": "error_analysis", "changed_at": NOW, "change_id": uuid4(), "action": "changed"}
    settings = json.dumps({"enabled": True, "schedule": "daily"})
    database.insert_rows("themes", [{"team_id": team_id, **theme, "settings": settings}])


def new_segments(database: Database, team_id: int) -> None:
    write_segments(database, similar_segments("a", 0, team_id=team_id), model="vectors-unused")


def a_rule_and_a_day_that_failed(database: Database, team_id: int) -> None:
    apply(database, team_id, Document(rules=(Rule("gate_blocked", "gate_blocked"),)), "ada")
    skip = {"team_id": team_id, "day": NOW.date() - timedelta(days=1), "stage": "cluster_labels", "theme_id": "traces"}
    at = NOW - timedelta(hours=1)
    database.insert_rows("skips", [{**skip, "reason": "failed", "detail": "no answer", "inserted_at": at}])


def a_tracker_with_a_rule(database: Database, team_id: int) -> None:
    tracker = trackers.Tracker("bugs", "github", "acme/app", "LLMA_TRACKERS_TOKEN")
    trackers.apply(database, team_id, trackers.Document((tracker,), (trackers.TrackerRule("all", "bugs"),)), "ada")


TICKS: dict[str, tuple[Any, Callable[[Database, int], None]]] = {
    "texts_hourly": (texts_hourly, events_of_today),
    "clusters_daily": (clusters_daily, events_of_the_day),
    "tasks_half_hourly": (tasks_half_hourly, new_segments),
    "alerts_every_10_minutes": (alerts_every_10_minutes, a_rule_and_a_day_that_failed),
    "trackers_every_10_minutes": (trackers_every_10_minutes, a_tracker_with_a_rule),
    "late_events": (late_events, events_of_the_day),
    "open_batches": (open_batches, an_open_batch),
    "stale_clusters": (stale_clusters, a_stale_clustering),
    "theme_schedules": (theme_schedules, a_theme_that_is_due),
}
"""Each schedule and sensor that asks for runs of teams, and what makes it ask for one."""


def asked_for(instance: dg.DagsterInstance, name: str) -> list[int]:
    """The teams that a tick asks for runs of."""
    of, _ = TICKS[name]
    resources: dict[str, Any] = {"clickhouse": ClickHouseResource(), "team_settings": TeamSettingsResource()}
    if isinstance(of, dg.ScheduleDefinition):
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=NOW,
            repository_def=build_definitions().get_repository_def(),
            resources=resources | ({"embedder": EmbedderResource()} if name == "tasks_half_hourly" else {}),
        ) as at:
            told = list(of.evaluate_tick(at).run_requests or [])
    else:
        with dg.build_sensor_context(instance=instance) as sensed:
            answer = of(sensed, **resources, clock=lambda: NOW)
            requested = answer.run_requests if isinstance(answer, dg.SensorResult) else answer
            told = [] if isinstance(requested, dg.SkipReason) else list(requested or [])
    found = [each for each in told if isinstance(each, dg.RunRequest)]
    return sorted({int(key.rpartition("|")[2]) for key in partitions_of(found)})


def test_all_schedules_and_sensors_but_that_of_discovery_are_tried_here() -> None:
    found = build_definitions()
    names = {each.name for each in (*(found.schedules or ()), *(found.sensors or ()))}
    assert names == {*TICKS, "discovery_hourly"}


@pytest.mark.parametrize("name", TICKS)
def test_no_schedule_and_no_sensor_asks_for_a_team_on_the_skip_list(
    instance: dg.DagsterInstance, settings: Settings, database: Database, name: str
) -> None:
    for team_id in (1, 2):
        TICKS[name][1](database, team_id)
    let_in(database, instance, 1, 2)
    if name == "clusters_daily":
        let_in(database, instance, 1, 2, day=DAY)
    assert asked_for(instance, name) == [1, 2]
    # Discovery has not decided since: what counts is the list as it is now.
    (settings.data_dir / "teams.toml").write_text("session_replay_tasks = true\nskip_team_ids = [1]\n")
    assert asked_for(instance, name) == [2]


@pytest.mark.parametrize("name", ["late_events", "open_batches", "stale_clusters", "theme_schedules"])
def test_no_sensor_asks_for_a_team_that_takes_no_part_any_more(
    instance: dg.DagsterInstance, database: Database, name: str
) -> None:
    for team_id in (1, 2):
        TICKS[name][1](database, team_id)
    let_in(database, instance, 1, 2, day=date(2026, 9, 1))
    assert asked_for(instance, name) == []
    let_in(database, instance, 2)
    assert asked_for(instance, name) == [2]


@pytest.mark.parametrize("name", ["late_events", "open_batches", "stale_clusters"])
def test_what_comes_late_of_a_day_on_which_a_team_took_part_is_still_asked_for(
    instance: dg.DagsterInstance, settings: Settings, database: Database, name: str
) -> None:
    for team_id in (1, 2):
        TICKS[name][1](database, team_id)
    let_in(database, instance, 1, 2, day=DAY - timedelta(days=1))
    assert asked_for(instance, name) == []
    # The window that a team was let in for counts, not only the day of the decision.
    let_in(database, instance, 1, 2, day=DAY + timedelta(days=6))
    assert asked_for(instance, name) == [1, 2]
    (settings.data_dir / "teams.toml").write_text("skip_team_ids = [1]\n")
    assert asked_for(instance, name) == [2]


def llma(*arguments: str, input: bytes | None = None) -> Any:
    return CliRunner().invoke(cli, list(arguments), prog_name="llma", input=input)


RUN_ON = ("--date", str(DAY))


def test_run_of_a_team_on_the_list_asks_nothing_by_calls_or_batches_or_for_one_theme(
    stored: Stored, models: BatchServer
) -> None:
    for options in (("--theme", "traces"), ("--batch",)):
        done = llma("run", "--team", "1", *RUN_ON, *options, "--json")
        (team,) = json.loads(done.stdout)["teams"]
        assert (done.exit_code, team["status"], team["reason"]) == (0, "skipped", "skipped")
    assert models.requests == []


@pytest.mark.slow
def test_run_of_all_leaves_out_the_team_on_the_list(stored: Stored, models: BatchServer) -> None:
    done = llma("run", "--all", *RUN_ON, "--theme", "traces", "--json")
    assert [team["team"] for team in json.loads(done.stdout)["teams"]] == [IN.team_id]
    assert len(models.calls()) >= 24


def test_a_theme_is_not_tried_on_a_team_on_the_list(stored: Stored, models: BatchServer) -> None:
    question = ("--theme", "traces", *RUN_ON, "--sample", "2")
    refused = llma("themes", "try", "--team", "1", *question)
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith("Error: nothing is done for team 1: the team is on the skip list")
    assert models.requests == []
    assert llma("themes", "try", "--team", "2", *question).exit_code == 0
    assert len(models.calls()) == 2


def test_what_is_brought_back_is_not_run_for_a_team_on_the_list(stored: Stored, models: BatchServer) -> None:
    refused = llma("retry", "--team", "1", "--run")
    assert refused.exit_code == 2
    assert "nothing is done for team 1" in refused.stderr
    assert models.requests == []


def test_segments_of_a_team_on_the_list_are_grouped_and_named_by_nobody(stored: Stored, models: BatchServer) -> None:
    done = llma("segments", "run", "--team", "1", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["status"], told["reason"]) == (0, "skipped", ON_SKIP_LIST)
    assert models.requests == []


def test_segments_of_a_team_on_the_list_are_not_embedded(stored: Stored, models: BatchServer) -> None:
    lines = [
        {
            "team_id": team_id,
            "session_id": "s1",
            "start": "2026-11-07T09:00:00Z",
            "end": "2026-11-07T09:00:10Z",
            "distinct_id": "u1",
            "description": f"Something of team {team_id}",
        }
        for team_id in (1, 2)
    ]
    given = "\n".join(map(json.dumps, lines)).encode()
    (report,) = json.loads(llma("segments", "ingest", "-", "--json", input=given).stdout)["files"]
    assert report["reasons"] == {ON_SKIP_LIST: 1}
    assert report["teams"] == [{"team": 2, "stored": 1}]
    assert [request.body["input"] for request in models.calls("/v1/embeddings")] == [["Something of team 2"]]
