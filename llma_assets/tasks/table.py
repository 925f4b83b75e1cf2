"""Tasks as a Markdown table for the Dagster UI; titles are untrusted and are escaped."""

import html
import re
from collections.abc import Sequence

from llma_assets.tasks.board import Task

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def tasks_table(tasks: Sequence[Task]) -> str:
    """A row for each task, in the order given."""
    rows = [
        f"| {task.priority:.2f} | {task.status} | {task.user_count:,} | {task.occurrence_count:,} "
        f"| {task.mean_impact:.2f} | {task.last_seen:%Y-%m-%d %H:%M} | {_cell(task.title)} |"
        for task in tasks
    ]
    head = ["| priority | status | users | seen | impact | last seen | title |", "|--:|---|--:|--:|--:|---|---|"]
    return "\n".join([*head, *rows]) if rows else "No open tasks."


def _cell(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split())))
