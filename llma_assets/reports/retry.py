"""The outcome of `llma retry`. Nothing is requeued here."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from llma_assets.serialization import Day, TeamId
from llma_assets.summaries import DeadLetter

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
