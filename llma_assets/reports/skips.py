"""Why results of a day are missing: teams that were left out, stages without work, items that failed."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.discovery import stored_decisions
from llma_assets.ledger import list_item_skips, list_skips
from llma_assets.serialization import NOT_IN_JSON, Day, TeamId, ThemeId

DISCOVERY = "eligible_teams"


@dataclass(frozen=True, slots=True)
class SkippedWork:
    """What was not done for a team, a theme, or one item of it.

    Attributes:
        team_id, stage, theme_id: whose work; `theme_id` is "" where it is about all themes.
        level, item_id: of one trace or generation, "" where it is about all items.
        reason: a code.
        detail: a sentence.
    """

    team_id: TeamId
    stage: str
    theme_id: ThemeId
    level: str
    item_id: Annotated[str, Field(serialization_alias="item")]
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Skips:
    """What was not done on a day.

    Attributes:
        day: the day.
        skips: by team; of each what discovery decided first, then by stage, theme and item.
        decided: whether discovery has decided about any team that day.
    """

    day: Day
    skips: tuple[SkippedWork, ...]
    decided: Annotated[bool, NOT_IN_JSON]


def skips_of_day(database: Database, day: date, team_id: int | None = None) -> Skips:
    """What was not done on a day: for one team, or for all teams (operators only)."""
    decisions = stored_decisions(database, day)
    found = [
        SkippedWork(each.team_id, DISCOVERY, "", "", "", each.reason, each.detail)
        for each in decisions
        if not each.eligible and team_id in (None, each.team_id)
    ]
    found += [
        SkippedWork(each.team_id, each.stage, each.theme_id, "", "", each.reason, each.detail)
        for each in list_skips(database, day=day, team_id=team_id)
    ]
    found += [
        SkippedWork(each.team_id, each.stage, each.theme_id, each.level, each.item_id, each.reason, each.detail)
        for each in list_item_skips(database, day=day, team_id=team_id)
    ]
    found.sort(key=lambda each: (each.team_id, each.stage != DISCOVERY, each.stage, each.theme_id, each.item_id))
    return Skips(day, tuple(found), bool(decisions))
