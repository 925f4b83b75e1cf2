"""`llma demo`: the whole graph on the sample traffic, and nothing twice."""

from collections.abc import Callable
from datetime import date

import pytest

from llma_assets.clickhouse import Database
from llma_assets.demo import DEMO_TEAMS, PIPELINE_ONLY_TEAM_ID
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.cli.test_run import row_counts

DAY = date(2026, 11, 7)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_shows_clusters_or_the_reason_for_each_team_and_adds_nothing_the_second_time(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    first = llma("demo", "--date", str(DAY))
    assert first.exit_code == 0, first.output
    for team in DEMO_TEAMS[:3]:
        assert f"team {team.team_id}, 2026-11-07, traces: " in first.stdout
    assert f"team {DEMO_TEAMS[3].team_id}, 2026-11-07: not run: below_minimum" in first.stdout
    assert f"team {PIPELINE_ONLY_TEAM_ID}, 2026-11-07: not run: no_recent_events" in first.stdout
    assert "llma clusters --team 101 --date 2026-11-07" in first.stdout
    assert "make dev" in first.stdout

    before = row_counts(database)
    second = llma_json("demo", "--date", str(DAY))
    assert second.code == 0
    assert [(team["team"], team["status"]) for team in second.document["teams"]] == [
        (101, "done"),
        (102, "done"),
        (103, "done"),
        (104, "skipped"),
        (105, "skipped"),
    ]
    assert row_counts(database) == before
    assert llma("check", "--date", str(DAY)).exit_code == 0
