"""Checks of `tasks`: what is stored of links and tasks must agree."""

from collections.abc import Iterator
from datetime import UTC, datetime

from llma_assets.clickhouse import Database
from llma_assets.findings import Check, Outcome
from llma_assets.partitions import teams
from llma_assets.stage import asset_check
from llma_assets.tasks.queries import PIPELINE, TASK_INVARIANTS
from llma_assets.team_day import TeamDay


def tasks_add_up(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every link has a task, every task has links, and as many of them as it counts segments."""
    (row,) = database.rows(TASK_INVARIANTS, team_id=team_day.team_id, pipeline=PIPELINE)
    yield Outcome(
        passed=not any(row.values()),
        expected="no link without a task, no task without a link, equal counts",
        found=", ".join(f"{name} {number}" for name, number in row.items()),
        query=TASK_INVARIANTS,
    )


CHECKS = (Check("tasks", tasks_add_up),)

asset_checks = [
    asset_check(
        check,
        partitions_def=teams,
        targets=lambda _database, key: [TeamDay(int(key), datetime.now(UTC).date())],
    )
    for check in CHECKS
]
