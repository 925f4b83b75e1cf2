"""What ran, what it cost, what failed or was left out on a day, and asking again for what failed too often."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_days
from llma_assets.reports import (
    check_report,
    retry_report,
    skips_of_day,
    stages_report,
    usage_report,
)
from llma_assets.team_day import TeamDay
from llma_assets.trackers import ShownTracker, trackers_of, trackers_report
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

HEALTH = "/teams/{team_id}/health"
SHOWN_LETTERS = 200
SHOWN_DAYS = 7
"""Of what was requeued, the latest."""


@router.get(HEALTH)
def health_page(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    checks: bool = False,
    retried: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    of: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The stages of a day, what was left out, dead letters, spend beside its forecast; the data checks on request."""
    database = site.reading()
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    team_day = TeamDay(team_id, day)
    letters = retry_report(database, team_id, action="listed").dead_letters
    return page(
        request,
        "health.html",
        tab="health",
        team_id=team_id,
        day=day,
        days=days,
        may_change=visitor.may_change,
        stages=stages_report(database, team_day),
        skips=skips_of_day(database, day, team_id),
        usage=usage_report(database, team_day, today=site.today, daily_usd=site.daily_budget_usd(team_id)),
        letters=letters[:SHOWN_LETTERS],
        letters_in_all=len(letters),
        checks=check_report(database, day, [team_id]) if checks else None,
        trackers=[each for each in _trackers(site, database, team_id) if each.problem],
        retried=retried,
        retried_days=[each for each in map(_day, of.split(",")) if each],
    )


@router.post(HEALTH)
def ask_again(site: SiteDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Requeue dead letters, as `llma retry` does: one of them, or all. No model is asked here."""
    day, theme_id, item_id = (fields.get(name, "") for name in ("letter_day", "letter_theme", "letter_item"))
    if fields.get("all") == "yes":
        done = retry_report(site.database, team_id, action="brought_back")
    else:
        done = retry_report(
            site.database,
            team_id,
            action="brought_back",
            day=_day(day),
            theme_id=theme_id,
            item_ids=[item_id],
        )
    days = sorted({each.day.isoformat() for each in done.dead_letters}, reverse=True)[:SHOWN_DAYS]
    told = {"date": _day(fields.get("date", "")), "retried": len(done.dead_letters), "of": ",".join(days)}
    return RedirectResponse(address(f"/teams/{team_id}/health", **told) + "#again", 303)


def _trackers(site: Site, database: Database, team_id: int) -> Sequence[ShownTracker]:
    if not trackers_of(database, team_id).trackers:
        return ()
    return trackers_report(database, team_id, now=site.clock()).trackers


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
