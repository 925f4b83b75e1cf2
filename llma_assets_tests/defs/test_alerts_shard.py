"""Days of several teams are judged in one run of Dagster, and recorded as partitions of the asset `alerts`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llma_assets.alerts import Document, Rule, apply, incidents
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.instances import stored_instance
from llma_assets_tests.pipeline.runs import Pipeline

MORNING = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
LEFT_OUT = 3
QUIET = [12, 13, 12, 11, 12, 6, 5] * 5


@pytest.fixture
def pipeline(environment: Settings, database: Database) -> Iterator[Pipeline]:
    with stored_instance() as instance:
        yield Pipeline(database, now=MORNING, instance=instance)


@pytest.mark.slow
def test_a_run_judges_the_teams_that_take_part_and_records_a_partition_of_each(
    pipeline: Pipeline, environment: Settings
) -> None:
    for team_id in (MINE, OTHER, LEFT_OUT):
        spike = [*QUIET[:-1], 60]
        plant_days(pipeline.database, {"aaaa-spike": spike, "bbbb-quiet": QUIET}, team_id=team_id)
        rule = Rule("escalating", "escalating", min_traces=10, min_users=3)
        apply(pipeline.database, team_id, Document(rules=(rule,)), "ada")
    environment.data_dir.mkdir(parents=True, exist_ok=True)
    Path(environment.data_dir / "teams.toml").write_text(f"skip_team_ids = [{LEFT_OUT}]\n", "utf-8")
    keys = [f"{LAST}|{team_id}" for team_id in (MINE, OTHER, LEFT_OUT)]
    done = pipeline.run("alerts_shard_job", run_config={"ops": {"alerts_shard": {"config": {"partitions": keys}}}})
    made = [
        event.step_materialization_data.materialization for event in done.all_events if event.is_step_materialization
    ]
    assert [(str(each.partition), each.metadata["items"].value) for each in made] == [(key, 2) for key in keys[:2]]
    assert [len(incidents(pipeline.database, team_id)) for team_id in (MINE, OTHER, LEFT_OUT)] == [1, 1, 0]
