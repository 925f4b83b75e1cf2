"""A rolling window of partitions (`LLMA_PARTITION_DAYS`): what becomes of the days that fall out of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.defs.jobs import TEXTS_STAGES
from llma_assets.defs.partitions import partition_key, range_tags, teams
from llma_assets.defs.shard_requests import Wanted, shard_requests
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, write_events
from llma_assets.web import Access, Site, create_app
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import Pipeline

NOW = datetime.now(UTC)
OLD = TeamDay(1, NOW.date() - timedelta(days=60))
KEY = partition_key(OLD)


@pytest.fixture
def before(environment: Settings, database: Database) -> Iterator[Pipeline]:
    """A day of two months ago, made while all days were partitions."""
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, OLD.day, 3))
    with stored_instance() as instance:
        pipeline = Pipeline(database, now=NOW, instance=instance)
        instance.add_dynamic_partitions(str(teams.name), ["1"])
        (request,) = shard_requests([Wanted(OLD, "1")], TEXTS_STAGES[:1], Settings.from_env({}))
        pipeline.run("shard_job", run_config=request.run_config)
        yield pipeline


@pytest.mark.slow
def test_days_outside_stay_readable_and_refuse_to_be_made(
    before: Pipeline, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = pages(before, settings)
    monkeypatch.setenv("LLMA_PARTITION_DAYS", "45")
    after = Pipeline(before.database, now=NOW, instance=before.instance)
    instance, key = after.instance, dg.AssetKey("trace_texts")

    # Dagster: the event is there, the partition is none of the asset's any more.
    (made,) = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[KEY]), limit=5).records
    assert made.partition_key == KEY
    partitions = after.definitions.resolve_asset_graph().get(key).partitions_def
    assert partitions is not None
    known = partitions.get_partition_keys(dynamic_partitions_store=instance)
    assert KEY not in known
    assert partition_key(TeamDay(1, NOW.date())) in known
    assert len(known) in (45, 46), "midnight may be between the two"

    # A run and a backfill of it are refused before anything is read or written.
    rows = after.row_counts()
    with pytest.raises(dg.DagsterError, match=f"Could not find a partition with key `{OLD.day}"):
        after.run("clusters_job", partition_key=KEY)
    with pytest.raises(Exception, match=f"range start {OLD.day} is before the partitions definition start"):
        after.run("texts_job", tags=range_tags(OLD, OLD))
    said = CliRunner().invoke(cli, ["run", "--team", "1", "--date", OLD.day.isoformat()])
    assert said.exit_code == 2
    assert "the first day is" in said.output
    assert after.row_counts() == rows

    # ClickHouse: the pages show it as before.
    assert pages(after, settings) == shown
    assert all(OLD.day.isoformat() in page for page in shown)
    texts = "SELECT count() FROM trace_texts WHERE team_id = {team_id:Int64} AND day = {day:Date}"
    assert [after.database.value(texts, team_id=team_id, day=OLD.day) > 0 for team_id in (1, 2)] == [True, False]


def pages(pipeline: Pipeline, settings: Settings) -> list[str]:
    """What the web app shows of the day."""
    site = Site(settings, Access(owner="me"), clock=lambda: NOW)
    site.opened = pipeline.database
    client = TestClient(create_app(site), "http://127.0.0.1:8321")
    found = [client.get(f"/teams/1/{page}", params={"date": OLD.day.isoformat()}) for page in ("health", "results")]
    assert [each.status_code for each in found] == [200, 200]
    return [each.text for each in found]
