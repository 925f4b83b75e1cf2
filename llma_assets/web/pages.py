"""The pages. Each address is the state of what is shown, so that Back, bookmarks and links to colleagues work."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.clickhouse import Database
from llma_assets.clusters import clustered_days, last_runs
from llma_assets.insights import Unseen
from llma_assets.reports import (
    Progress,
    ThemeResults,
    funnel_report,
    gates_of,
    map_groups,
    not_seen,
    published_clusters,
    run_quality,
    skips_of_day,
    stages_report,
    teams_report,
    theme_results,
    theme_states,
)
from llma_assets.team_day import TeamDay
from llma_assets.teams import why_left_out
from llma_assets.themes import TRACES, ThemeError, past_changes, themes_of
from llma_assets.web.drawings import share_areas
from llma_assets.web.problems import NotFound
from llma_assets.web.report_file import report_file
from llma_assets.web.run_api import progress_of
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.theme_work import revision_of
from llma_assets.web.timetable import next_run, state_of
from llma_assets.web.visitors import (
    SiteDep,
    TeamDep,
    VisitorDep,
)

router = APIRouter(default_response_class=Response)

TEAM = "/teams/{team_id}"


@router.get("/")
def teams_page(request: Request, site: SiteDep, visitor: VisitorDep) -> Response:
    """All teams that the visitor may see; the only one there is at once."""
    settings, timetable = site.team_settings(), site.timetable()
    report = teams_report(
        site.database,
        today=site.today,
        team_ids=visitor.teams,
        names=site.team_names(),
        budget_of=lambda team_id: settings.options_of(team_id).daily_budget_usd,
    )
    runs = {
        team.team_id: next_run(
            timetable,
            eligible=team.eligible,
            left_out_for_good=why_left_out(settings, team.team_id) is not None,
        )
        for team in report.teams
    }
    return page(
        request,
        "teams.html",
        report=report,
        tab="teams",
        runs=runs,
        timetable=timetable,
        automation=state_of(timetable),
        is_reading=site.timetables.is_reading,
    )


@router.get("/api")
def api_page(request: Request, visitor: VisitorDep) -> Response:  # noqa: ARG001  # for those who are let in
    """What the API can do, out of its own description."""
    return page(request, "api.html", api=request.app.openapi())


@router.get(TEAM)
def team_page(site: SiteDep, team_id: TeamDep) -> Response:
    """The results of the team's latest day, of the theme that looked at most."""
    return RedirectResponse(address(f"/teams/{team_id}/results", theme=default_theme(site.database, team_id)), 303)


@router.get(f"{TEAM}/results")
def results_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    hidden: bool = False,
) -> Response:
    """What a theme found on a day; or why it found nothing, and where there is something."""
    database = site.reading()
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    team_day = TeamDay(team_id, day)
    published = published_clusters(database, team_day, show_hidden=hidden, examples=0)
    found = published.runs
    with_items = [run.theme_id for run in found if run.items] or [run.theme_id for run in found]
    progress = progress_of(site, team_day, database)
    theme = theme or (TRACES.theme_id if TRACES.theme_id in with_items else next(iter(with_items), ""))
    if theme and theme not in {run.theme_id for run in found}:
        known_theme(database, team_id, theme)
    results = theme_results(database, team_day, theme, published=published) if theme else None
    return page(
        request,
        "results.html",
        tab="results",
        team_id=team_id,
        day=day,
        theme_id=theme,
        days=days,
        runs=found,
        results=results,
        quality=run_quality(database, team_day, theme, progress.themes) if results else None,
        merged=_merged(database, team_day, results) if results else "",
        areas=share_areas(results.clusters) if results else (),
        not_seen=_not_seen(database, team_id, results) if results else None,
        skips=skips_of_day(database, day, team_id).skips if not found else (),
        run_ids=_run_ids(database, team_day, theme) if results and site.dagster_url else {},
        show_hidden=hidden,
        progress=progress,
        progress_every=_every(site, progress),
    )


@router.get(f"{TEAM}/results/gates")
def gates_page(
    request: Request, site: SiteDep, team_id: TeamDep, day: Annotated[date, Query(alias="date")], theme: str
) -> Response:
    """What the checks say of a theme's day; `static/parts.js` puts it into the page of results."""
    known_theme(site.database, team_id, theme)
    gates = gates_of(site.reading(), TeamDay(team_id, day), theme)
    return page(request, "gates.html", tab="results", team_id=team_id, day=day, theme_id=theme, gates=gates)


@router.get(f"{TEAM}/progress")
def progress_part(
    request: Request, site: SiteDep, team_id: TeamDep, day: Annotated[date, Query(alias="date")]
) -> Response:
    """How far a run of the day is: a part of the results page, which `static/live.js` asks for."""
    progress = progress_of(site, TeamDay(team_id, day))
    return page(
        request, "progress.html", team_id=team_id, day=day, progress=progress, progress_every=_every(site, progress)
    )


def _merged(database: Database, team_day: TeamDay, results: ThemeResults) -> str:
    """Of clusters that people count with another one, each number and that of the other, for the small map."""
    if not results.run.clusters or not any(each.merged_lineage_ids for each in results.run.clusters):
        return ""
    parts = map_groups(database, team_day, results.run)
    return " ".join(
        f"{part}:{main}" for main, (_, numbers) in parts.items() for part in numbers if main >= 0 and part != main
    )


def _run_ids(database: Database, team_day: TeamDay, theme_id: str) -> dict[str, str]:
    """By stage the run in Dagster that made a theme's results, as far as it is known."""
    stages = stages_report(database, team_day).stages
    return {each.stage: each.run_id for each in stages if each.theme_id in ("", theme_id)}


def _not_seen(database: Database, team_id: int, results: ThemeResults) -> Unseen | None:
    outliers = sum(each.cluster.size for each in results.clusters if each.cluster.is_noise)
    sizes = [each.cluster.size for each in results.clusters if not each.cluster.is_noise]
    return not_seen(database, team_id, results.run.theme_id, sizes, outliers)


def _every(site: Site, progress: Progress) -> int:
    """After how many seconds to look again, 0 for never."""
    is_open = progress.day >= site.today - timedelta(days=1) or all(each.step != "done" for each in progress.themes)
    return 3 if progress.is_running else 20 if is_open else 0


@router.get(f"{TEAM}/report.html")
def report_page(site: SiteDep, team_id: TeamDep, day: Annotated[date, Query(alias="date")]) -> Response:
    """The team's day as one file, to give to somebody."""
    headers = {"Content-Disposition": f'attachment; filename="team-{team_id}-{day}.html"'}
    return Response(report_file(site, TeamDay(team_id, day)), media_type="text/html", headers=headers)


@router.get(f"{TEAM}/themes")
def themes_page(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep) -> Response:
    """The questions that the team asks of its traces, and how each of them is."""
    database = site.reading()
    themes, runs = themes_of(database, team_id), last_runs(database, team_id)
    last_day = max((run["last_day"] for run in runs.values()), default=site.today)
    states = theme_states(database, team_id, themes.themes, runs, last_day)
    return page(
        request,
        "themes.html",
        tab="themes",
        team_id=team_id,
        may_change=visitor.may_change,
        themes=themes,
        last_runs=runs,
        states={each.theme_id: each for each in states.themes},
        first_day=states.first_day,
        last_day=states.last_day,
    )


@router.get(TEAM + "/themes/{theme_id}")
def theme_page(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,
    team_id: TeamDep,
    theme_id: str,
    day: Annotated[date | None, Query(alias="date")] = None,
    problem: str = "",
) -> Response:
    """One theme: settings, funnel, history."""
    database = site.reading()
    theme = known_theme(database, team_id, theme_id)
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    lookback = site.team_settings().lookback_days
    return page(
        request,
        "theme.html",
        tab="themes",
        team_id=team_id,
        day=day,
        may_change=visitor.may_change,
        theme=theme,
        funnel=funnel_report(database, TeamDay(team_id, day), [theme], lookback_days=lookback).themes[0],
        history=past_changes(database, team_id, theme_id),
        revision=revision_of(themes_of(database, team_id), theme_id),
        problem=problem[:300],
    )


def default_theme(database: Database, team_id: int) -> str | None:
    """The theme to show first: of those with the latest results the general one, else the largest."""
    runs = last_runs(database, team_id)

    def rank(theme_id: str) -> tuple[date, bool, int]:
        return runs[theme_id]["last_day"], theme_id == TRACES.theme_id, runs[theme_id]["clustered_items"]

    return max(runs, key=rank, default=None)


def known_theme(database: Database, team_id: int, theme_id: str) -> Any:
    try:
        return themes_of(database, team_id).get(theme_id)
    except ThemeError:
        near = [
            (each.name or each.theme_id, address(f"/teams/{team_id}/results", theme=each.theme_id))
            for each in themes_of(database, team_id).themes
        ]
        raise NotFound(f"team {team_id} has no theme {theme_id[:60]!r}", near=near) from None
