"""`/api/v1`: the documents of `llma … --json` over HTTP. What they hold is described in docs/cli.md."""

import hashlib
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.clusters import (
    Action,
    EditError,
    UnknownLineageError,
    clustered_days,
    decide_about,
    edits_of,
    last_runs,
)
from llma_assets.reports import (
    Sort,
    check_report,
    cluster_report,
    funnel_report,
    history_report,
    item_page,
    published_clusters,
    skips_of_day,
    task_details,
    tasks_report,
    teams_report,
    theme_results,
    themes_report,
    trace_report,
    trends_report,
    usage_report,
)
from llma_assets.reports import (
    decisions as decisions_report,
)
from llma_assets.serialization import json_object
from llma_assets.tasks import UnknownTaskError, find_task, list_tasks
from llma_assets.team_day import TeamDay
from llma_assets.themes import ThemeError, past_changes, themes_of
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

TEAM = "/teams/{team_id}"
DayQuery = Annotated[date, Query(alias="date", description="Day, UTC.")]
LimitQuery = Annotated[int, Query(ge=1, le=1_000)]
OffsetQuery = Annotated[int, Query(ge=0, le=10_000_000)]


class ClusterDecision(BaseModel):
    """A decision about a cluster.

    Attributes:
        action: what is decided.
        title: of `rename`, the new title.
        into: of `merge`, the lineage that the cluster is counted with.
    """

    action: Action
    title: str = Field("", max_length=1_000)
    into: str = Field("", max_length=200)


def answer(request: Request, document: Any) -> Response:
    """A JSON document with an ETag; 304 if the caller has it already."""
    body = orjson.dumps(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag}
    if tag in (each.strip() for each in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/health", tags=["health"])
def health(request: Request, site: SiteDep, visitor: VisitorDep) -> Response:  # noqa: ARG001  # needs a visitor
    """Whether the database answers."""
    return answer(request, {"database": "ok", "version": site.database.ping()})


@router.get("/teams", tags=["teams"])
def teams(request: Request, site: SiteDep, visitor: VisitorDep) -> Response:
    """The teams that the caller may see, what was found last, and why a team has nothing."""
    names = site.team_names()
    report = teams_report(site.database, today=site.today, team_ids=visitor.teams, names=names)
    return answer(request, json_object(report))


@router.get(f"{TEAM}/days", tags=["teams"])
def days(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The days with clusters, oldest first."""
    found = clustered_days(site.database, team_id)
    return answer(request, {"team": team_id, "days": [day.isoformat() for day in found]})


@router.get(f"{TEAM}/clusters", tags=["clusters"])
def clusters(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: DayQuery,
    theme: str | None = None,
    level: Literal["trace", "generation"] | None = None,
    hidden: bool = False,
    examples: Annotated[int, Query(ge=0, le=100_000)] = 10,
) -> Response:
    """The published clusters of a day, as `llma clusters --json` prints them."""
    found = published_clusters(site.database, TeamDay(team_id, day), level=level, theme_id=theme, show_hidden=hidden)
    return answer(request, json_object(found.with_examples(examples)))


@router.get(TEAM + "/results/{theme_id}", tags=["clusters"])
def results(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery) -> Response:
    """The clusters of a theme's day with shares, errors, cost and trends."""
    found = theme_results(site.database, TeamDay(team_id, day), theme_id)
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no run on {day}")
    return answer(request, json_object(found))


@router.get(TEAM + "/clusters/{lineage_id}", tags=["clusters"])
def cluster(request: Request, site: SiteDep, team_id: TeamDep, lineage_id: str, theme: str, day: DayQuery) -> Response:
    """One cluster: figures, nearest members, evidence of its name, decisions."""
    found = cluster_report(site.database, TeamDay(team_id, day), theme, lineage_id)
    if found is None:
        raise NotFound(f"the theme {theme[:60]} has no cluster {lineage_id[:40]} on {day}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/decisions", tags=["clusters"])
def decisions(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """All decisions of people about the team's clusters, oldest first."""
    return answer(request, json_object(decisions_report(team_id, edits_of(site.database, team_id))))


@router.post(TEAM + "/clusters/{lineage_id}/decisions", tags=["clusters"])
def decide(
    site: SiteDep, visitor: ChangerDep, team_id: TeamDep, lineage_id: str, decision: ClusterDecision
) -> dict[str, Any]:
    """Rename, lock, merge or hide a cluster, or take one of these back."""
    try:
        decided = decide_about(
            site.database,
            team_id,
            decision.action,
            [lineage_id],
            author=visitor.name,
            at=site.clock(),
            title=decision.title,
            into=decision.into,
        )
    except UnknownLineageError as error:
        raise NotFound(str(error)) from None
    except EditError as error:
        raise InvalidInput(str(error), field="title" if decision.action == "rename" else "action") from None
    return json_object(decisions_report(team_id, [each.edit for each in decided if each.edit]))


@router.get(TEAM + "/items/{theme_id}", tags=["items"])
def items(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme_id: str,
    day: DayQuery,
    cluster: str | None = None,
    outliers: bool = False,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Sort = "cluster",
    limit: LimitQuery = 50,
    offset: OffsetQuery = 0,
) -> Response:
    """The items of a theme's day, a page at a time."""
    found = item_page(
        site.database,
        TeamDay(team_id, day),
        theme_id,
        lineage_id=cluster,
        outliers=outliers,
        search=q,
        sort=sort,
        limit=limit,
        offset=offset,
    )
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no run on {day}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/trends", tags=["trends"])
def trends(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    weeks: Annotated[int, Query(ge=1, le=26)] = 4,
    day: Annotated[date | None, Query(alias="date")] = None,
) -> Response:
    """Size, share, errors and cost of each cluster by day, as `llma trends --json` prints them."""
    return answer(request, json_object(trends_report(site.database, team_id, weeks=weeks, until=day)))


@router.get(f"{TEAM}/trace", tags=["items"])
def trace(request: Request, site: SiteDep, team_id: TeamDep, item: Annotated[str, Query(alias="id")]) -> Response:
    """The text of a trace or generation, and each theme's answer."""
    found = trace_report(site.database, team_id, item, site.render_options(team_id))
    if found is None:
        raise NotFound(f"team {team_id} has no trace or generation with the id {item[:80]}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/tasks", tags=["tasks"])
def tasks(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    status: Annotated[list[Literal["new", "regressed", "ongoing", "resolved", "ignored"]] | None, Query()] = None,
    limit: LimitQuery = 200,
) -> Response:
    """Recurring problems in session replays, the most urgent first."""
    found = tasks_report(
        site.database,
        team_id,
        now=site.clock(),
        options=site.task_options(team_id),
        statuses=status or (),
        limit=limit,
    )
    return answer(request, json_object(found))


@router.get(TEAM + "/tasks/{task_id}", tags=["tasks"])
def task(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    task_id: str,
    segments: Annotated[int, Query(ge=0, le=1_000)] = 20,
) -> Response:
    """One task with its newest segments and its history."""
    found = list_tasks(site.database, team_id, now=site.clock(), options=site.task_options(team_id))
    try:
        chosen = find_task(found, task_id)
    except UnknownTaskError as error:
        raise NotFound(str(error)) from None
    return answer(request, json_object(task_details(site.database, team_id, chosen, segments=segments)))


@router.get(f"{TEAM}/themes", tags=["themes"])
def themes(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The team's themes with their settings, also those that are off."""
    report = themes_report(themes_of(site.database, team_id), last_runs(site.database, team_id))
    return answer(request, json_object(report))


@router.get(TEAM + "/themes/{theme_id}/history", tags=["themes"])
def theme_history(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str) -> Response:
    """Who changed what of a theme, and when."""
    return answer(request, json_object(history_report(team_id, past_changes(site.database, team_id, theme_id))))


@router.get(TEAM + "/themes/{theme_id}/funnel", tags=["themes"])
def theme_funnel(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery) -> Response:
    """How many of a theme's items came how far."""
    try:
        theme = themes_of(site.database, team_id).get(theme_id)
    except ThemeError as error:
        raise NotFound(str(error)) from None
    lookback = site.team_settings().lookback_days
    found = funnel_report(site.database, TeamDay(team_id, day), [theme], lookback_days=lookback)
    return answer(request, json_object(found))


@router.get(f"{TEAM}/skips", tags=["health"])
def skips(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """Why results of a day are missing."""
    return answer(request, json_object(skips_of_day(site.database, day, team_id)))


@router.get(f"{TEAM}/usage", tags=["health"])
def usage(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """Tokens and cost of a day, with forecasts and budgets."""
    budget = site.daily_budget_usd(team_id)
    return answer(
        request, json_object(usage_report(site.database, TeamDay(team_id, day), today=site.today, daily_usd=budget))
    )


@router.get(f"{TEAM}/checks", tags=["health"])
def checks(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """The data checks of a day; the same ones that Dagster and `llma check` run."""
    return answer(request, json_object(check_report(site.database, day, [team_id])))
