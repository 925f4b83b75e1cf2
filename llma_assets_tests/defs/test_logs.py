"""Records of runs as lines of JSON, by a real run of Dagster's."""

import json
from collections.abc import Iterator

import dagster as dg
import dagster._loggers
import pytest

from llma_assets.defs.logs import ROOMS, logged_in_run, write_runs_as_json

LINE = {"run", "stage", "team", "day", "message", "time", "level", "logger"}


@pytest.fixture
def json_console() -> Iterator[None]:
    before = dagster._loggers.create_console_logger
    assert write_runs_as_json({"LLMA_LOG": "json"})
    yield
    dagster._loggers.create_console_logger = before


@dg.op
def working(context: dg.OpExecutionContext) -> None:
    """As the frame of all stages does."""
    context.log.info("before")
    with logged_in_run(context.log, run=context.run_id, stage="working", team=7, day="2026-11-07"):
        ROOMS.warning("a\nhostile %s", "line")


@dg.job
def job() -> None:
    """One step."""
    working()


def test_records_of_a_run_carry_run_stage_team_and_day(json_console: None, capfd: pytest.CaptureFixture[str]) -> None:
    tags = {"dagster/partition/team": "7", "dagster/partition/date": "2026-11-07"}
    done = job.execute_in_process(tags=tags)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    said = {line["message"]: line for line in lines}
    assert {"before", "a\nhostile line"} <= said.keys()
    for message in ("before", "a\nhostile line"):
        assert said[message].keys() == LINE
        assert (said[message]["run"], said[message]["stage"]) == (done.run_id, "working")
        assert (said[message]["team"], said[message]["day"]) == (7, "2026-11-07")
    assert all(line["run"] == done.run_id for line in lines)


def test_without_the_setting_dagster_writes_as_it_does() -> None:
    before = dagster._loggers.create_console_logger
    assert not write_runs_as_json({})
    assert dagster._loggers.create_console_logger is before
