"""What a stage made of themes before it is published, and how that is done for several themes together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.attempts import Attempt, forget_attempts, publish_runs
from llma_assets.clusters.store.clustering_runs import Run, runs_of_day
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme


@dataclass(slots=True, eq=False)
class Made:
    """What was made for a theme.

    Attributes:
        items: of its window.
        told: for the report.
        attempt: what is not published yet.
        reason: why nothing was clustered, "" if it was.
    """

    items: int
    told: dict[str, Any]
    attempt: Attempt | None
    reason: str = ""


def publish_made(database: Database, team_day: TeamDay, done: Sequence[tuple[Theme, Made]]) -> None:
    """Publish the attempts together, but for those that another run was faster with."""
    waiting = [(theme, made, made.attempt) for theme, made in done if made.attempt is not None]
    if not waiting:
        return
    stored = {run.theme_id: run for run in runs_of_day(database, team_day)}
    new: list[Attempt] = []
    for theme, made, attempt in waiting:
        previous = stored.get(theme.theme_id)
        if previous is not None and previous.input_id == attempt.run["input_id"]:
            made.told.update(unchanged(theme, previous))
        else:
            new.append(attempt)
    had_members = database.may_hold("cluster_members", team_day.team_id, team_day.day, team_day.day)
    publish_runs(database, new)
    theme_ids = [attempt.run["theme_id"] for attempt in new]
    if new and had_members:
        forget_attempts(database, team_day, theme_ids, [stored[each] for each in theme_ids if each in stored])
    for _, made, _ in waiting:
        made.attempt = None


def unchanged(theme: Theme, run: Run) -> dict[str, Any]:
    """What is told of a theme whose run is there."""
    return {f"{theme.theme_id}_status": "unchanged", f"{theme.theme_id}_clusters": run.clusters}
