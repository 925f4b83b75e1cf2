"""Rules of the asset checks of `tasks`. Their Dagster side belongs in `defs.checks`."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.findings import Check, Outcome
from llma_assets.tasks.states import MAX_LOST
from llma_assets.tasks.task_queries import PIPELINE, SEGMENTS_WITHOUT_TASK, TASK_INVARIANTS
from llma_assets.team_day import TeamDay

SHOWN = 5
"""Segments that a finding names."""


def tasks_add_up(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every link has a task, every task has links, and as many of them as it counts segments."""
    (row,) = database.rows(TASK_INVARIANTS, team_id=team_day.team_id, pipeline=PIPELINE)
    yield Outcome(
        passed=not any(row.values()),
        expected="no link without a task, no task without a link, equal counts",
        found=", ".join(f"{name} {number}" for name, number in row.items()),
        query=TASK_INVARIANTS,
    )


def segments_in_tasks(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Every clustered segment is in a task; the next batch recovers lost ones."""
    lost = database.rows(SEGMENTS_WITHOUT_TASK, team_id=team_day.team_id, pipeline=PIPELINE, most=MAX_LOST)
    named = ", ".join(f"{row['document_id']} of batch {row['batch_id']}" for row in lost[:SHOWN])
    yield Outcome(
        passed=not lost,
        expected="no clustered segment without a task",
        found=f"{len(lost)}: {named}" if lost else "none",
        query=SEGMENTS_WITHOUT_TASK,
    )


CHECKS = (Check("tasks", tasks_add_up), Check("tasks", segments_in_tasks))
