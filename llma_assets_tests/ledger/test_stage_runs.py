"""Which run made a number: what runs note of their work on a partition, and what is found by it."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.ledger import StageRun, record_stage_runs, run_that_wrote, stage_runs_of_day
from llma_assets.ledger.stage_runs import SHOWN_ERROR
from llma_assets.team_day import TeamDay

DAY = date(2026, 11, 7)
MINE, OTHERS = TeamDay(1, DAY), TeamDay(2, DAY)


def worked(run_id: str, *, started_s_ago: float, ended_s_ago: float, themes: tuple[str, ...] = ()) -> StageRun:
    now = time.monotonic()
    return StageRun(MINE, "trace_summaries", run_id, themes, "done", "", now - started_s_ago, now - ended_s_ago)


def seconds_ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def test_a_row_is_of_the_run_that_was_at_work_on_its_theme_when_it_was_written(database: Database) -> None:
    general = worked("general", started_s_ago=500, ended_s_ago=400)
    own = worked("own", started_s_ago=450, ended_s_ago=420, themes=("refunds",))
    again = worked("again", started_s_ago=300, ended_s_ago=200)
    elsewhere = replace(general, team_day=OTHERS, run_id="of-team-2")
    record_stage_runs(database, [general, own, again, elsewhere])
    runs = stage_runs_of_day(database, MINE)
    assert [each.run_id for each in runs] == ["again", "general", "own"]

    def wrote(theme_id: str, seconds: float, stage: str = "trace_summaries") -> str:
        return run_that_wrote(runs, stage, theme_id, seconds_ago(seconds))

    assert wrote("traces", 435) == "general"
    assert wrote("traces", 250) == "again"
    assert wrote("traces", 350) == "", "no run that is known was at work then: one that was killed"
    assert wrote("", 480) == "general"
    assert wrote("traces", 250, stage="trace_texts") == ""
    assert [each.run_id for each in stage_runs_of_day(database, OTHERS)] == ["of-team-2"]


def test_a_run_of_one_theme_wrote_nothing_of_another(database: Database) -> None:
    record_stage_runs(database, [worked("own", started_s_ago=50, ended_s_ago=20, themes=("refunds",))])
    runs = stage_runs_of_day(database, MINE)
    assert run_that_wrote(runs, "trace_summaries", "refunds", seconds_ago(30)) == "own"
    assert run_that_wrote(runs, "trace_summaries", "traces", seconds_ago(30)) == ""


def test_what_is_stored_twice_is_there_once(database: Database) -> None:
    run = replace(worked("r", started_s_ago=5, ended_s_ago=1), status="failed", error="x" * 9_999)
    for _ in range(2):
        record_stage_runs(database, [run])
    (found,) = stage_runs_of_day(database, MINE)
    assert (found.status, len(found.error)) == ("failed", SHOWN_ERROR)
    record_stage_runs(database, [])
