"""Which run worked on a partition at what stage, and what came of it: so a number is followed to the run that made it.

A run that is killed leaves no row for what it did since it stored some last; of what it made no run is known then.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

SHOWN_ERROR = 500
"""Most characters of an error that are stored."""

SLACK = timedelta(seconds=1)
"""How long the insert of a row may take: so much too late the moments of its run seem."""

MOST = 2_000
"""Most rows of a partition that are read, the newest."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """Work of a run on a partition at a stage.

    Attributes:
        stage, run_id: the asset, and Dagster's id of the run.
        theme_ids: of the run, none for all that were on.
        status: of the report; `failed` also where there is none.
        error: why it failed, "" if it did not.
        started, ended: on the monotonic clock of this process, in seconds.
    """

    team_day: TeamDay
    stage: str
    run_id: str
    theme_ids: tuple[str, ...]
    status: str
    error: str
    started: float
    ended: float
    work_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class PastStageRun:
    """Work of a run on a partition at a stage, as it is stored; moments are those of the database's clock."""

    stage: str
    run_id: str
    theme_ids: tuple[str, ...]
    status: str
    error: str
    started_at: datetime
    ended_at: datetime

    def made(self, theme_id: str, written_at: datetime) -> bool:
        """Whether it was at work on a theme when a row was written; "" for a row of all themes."""
        is_its = not (theme_id and self.theme_ids) or theme_id in self.theme_ids
        return is_its and self.started_at - SLACK <= written_at <= self.ended_at


def record_stage_runs(database: Database, runs: Sequence[StageRun]) -> None:
    """Store what was done at stages, in one insert; a second time replaces the same rows."""
    now = time.monotonic()
    rows = [
        {
            "team_id": each.team_day.team_id,
            "day": each.team_day.day,
            "stage": each.stage,
            "run_id": each.run_id,
            "work_id": each.work_id,
            "theme_ids": list(each.theme_ids),
            "status": each.status,
            "error": each.error[:SHOWN_ERROR],
            "started_s_ago": now - each.started,
            "ended_s_ago": now - each.ended,
        }
        for each in runs
    ]
    database.insert_rows("stage_runs", rows)


# Key of stage_runs: (team_id, day, stage, run_id, work_id).
STAGE_RUNS_OF_DAY = """
SELECT stage, run_id, theme_ids, status, error,
    inserted_at - toIntervalMicrosecond(toInt64(1e6 * started_s_ago)) AS started_at,
    inserted_at - toIntervalMicrosecond(toInt64(1e6 * ended_s_ago)) AS ended_at
FROM stage_runs FINAL
WHERE team_id = {team_id:Int64} AND day = {day:Date}
ORDER BY ended_at DESC, started_at DESC
LIMIT {most:UInt32}
"""


def stage_runs_of_day(database: Database, team_day: TeamDay) -> list[PastStageRun]:
    """What was done on a team's day, the latest first."""
    rows = database.rows(STAGE_RUNS_OF_DAY, team_id=team_day.team_id, day=team_day.day, most=MOST)
    return [PastStageRun(**{**row, "theme_ids": tuple(row["theme_ids"])}) for row in rows]


def run_that_wrote(runs: Sequence[PastStageRun], stage: str, theme_id: str, written_at: datetime) -> str:
    """The id of the run that was at work on a stage when its rows were written last, "" where that is not known.

    Args:
        runs: as `stage_runs_of_day` gives them.
    """
    of_stage = (each for each in reversed(runs) if each.stage == stage)
    return next((each.run_id for each in of_stage if each.made(theme_id, written_at)), "")
