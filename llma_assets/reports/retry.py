"""Dead letters and what is done with them: `llma retry`, the page Health and the API do it by one function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.serialization import Day, TeamId
from llma_assets.summaries import DeadLetter, dead_letters, requeue

Action = Literal["listed", "dry_run", "brought_back"]


@dataclass(frozen=True, slots=True)
class RetryRun:
    """The run that made the texts, summaries and embeddings of a day again; `error` is "" for success."""

    day: Day
    run_id: Annotated[str, Field(serialization_alias="dagster_run")]
    error: str


@dataclass(frozen=True, slots=True)
class RetryReport:
    """Dead letters of a team, and what was done with them.

    Attributes:
        action: `brought_back` if they were requeued.
        unknown_items: ids that were asked for, but are no dead letters.
        runs: of each day, if they were run at once.
    """

    team_id: TeamId
    action: Action
    dead_letters: tuple[DeadLetter, ...]
    unknown_items: tuple[str, ...]
    runs: tuple[RetryRun, ...]


def retry_report(
    database: Database,
    team_id: int,
    *,
    action: Action,
    day: date | None = None,
    theme_id: str | None = None,
    item_ids: Sequence[str] = (),
) -> RetryReport:
    """The dead letters of a team; with `brought_back` they are requeued, so that the next run of their day asks again.

    Args:
        day, theme_id: only these; None for all.
        item_ids: only these; empty for all.
    """
    items = dead_letters(database, team_id, day=day, theme_id=theme_id, item_ids=item_ids)
    if action == "brought_back":
        requeue(database, items)
    known = {item.item_id for item in items}
    return RetryReport(team_id, action, tuple(items), tuple(each for each in item_ids if each not in known), ())
