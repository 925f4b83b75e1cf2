"""Tasks as a Markdown table for the Dagster UI; titles are untrusted and are escaped."""

from collections.abc import Sequence

from llma_assets.markdown import escaped
from llma_assets.tasks.board import Task


def tasks_table(tasks: Sequence[Task]) -> str:
    """A row for each task, in the order given."""
    rows = [
        f"| {escaped(task.title)} | {task.priority:.2f} | {task.status} | {task.user_count:,} "
        f"| {task.occurrence_count:,} | {task.mean_impact:.2f} | {task.last_seen:%Y-%m-%d %H:%M} | {task.task_id[:8]} |"
        for task in tasks
    ]
    head = [
        "| title | priority | status | users | seen | impact | last seen | task |",
        "|---|--:|---|--:|--:|--:|---|---|",
    ]
    return "\n".join([*head, *rows]) if rows else "No open tasks."
