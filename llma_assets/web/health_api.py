"""Health over HTTP: what each stage holds of a day, dead letters, and asking again for them."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.reports import RetryReport, StagesReport, retry_report, stages_report
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["health"])

TEAM = "/teams/{team_id}"


class Retry(BaseModel):
    """Which dead letters are asked about again.

    Attributes:
        day: `date`, only those of this day; None for all days.
        theme: only those of this theme; None for all.
        items: only these ids; empty for all.
        dry_run: say which, and change nothing.
    """

    day: date | None = Field(None, alias="date")
    theme: str | None = Field(None, max_length=200)
    items: list[Annotated[str, Field(max_length=1_000)]] = Field(default=[], max_length=1_000)
    dry_run: bool = False


@router.get(TEAM + "/stages", response_model=StagesReport)
def stages(
    request: Request, site: SiteDep, team_id: TeamDep, day: Annotated[date, Query(alias="date", description="UTC.")]
) -> Response:
    """What each stage holds of a day, and when it was written."""
    return answer(request, json_object(stages_report(site.database, TeamDay(team_id, day))))


@router.get(TEAM + "/dead-letters", response_model=RetryReport)
def dead_letters(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date", description="Day, UTC; all days without.")] = None,
    theme: str | None = None,
    limit: LimitQuery = 200,
    offset: OffsetQuery = 0,
) -> Response:
    """Items that failed in three runs and are asked about no more, as `llma retry --list --json` prints them."""
    found = retry_report(site.database, team_id, action="listed", day=day, theme_id=theme)
    shown, headers = part_of(request, found.dead_letters, limit, offset)
    return answer(request, json_object(replace(found, dead_letters=shown)), headers=headers)


@router.post(TEAM + "/dead-letters/retry", response_model=RetryReport)
def ask_again(
    request: Request,
    site: SiteDep,
    visitor: ChangerDep,  # noqa: ARG001  # it changes
    team_id: TeamDep,
    wanted: Retry,
) -> Response:
    """Requeue dead letters, as `llma retry` does: the next run of their day asks again. No model is asked here."""
    found = retry_report(
        site.database,
        team_id,
        action="dry_run" if wanted.dry_run else "brought_back",
        day=wanted.day,
        theme_id=wanted.theme,
        item_ids=wanted.items,
    )
    return answer(request, json_object(found))
