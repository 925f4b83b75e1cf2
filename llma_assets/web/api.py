"""`/api/v1`: the documents of `llma … --json` over HTTP. What they hold is described in docs/cli.md."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.alerts import ExpectedTrends, expected_trends
from llma_assets.clusters import (
    Action,
    EditError,
    UnknownLineageError,
    clustered_days,
    decide_about,
    edits_of,
)
from llma_assets.reports import (
    CheckReport,
    ClusterReport,
    Decisions,
    ItemPage,
    ItemSelect,
    PublishedClusters,
    Skips,
    Sort,
    TeamsReport,
    ThemeResults,
    TraceEvents,
    TraceReport,
    TrendsReport,
    UsageReport,
    Wanted,
    check_report,
    cluster_report,
    item_page,
    item_select,
    latest_day,
    published_clusters,
    skips_of_day,
    teams_report,
    theme_results,
    trace_events,
    trace_report,
    trends_report,
    usage_report,
)
from llma_assets.reports import (
    decisions as decisions_report,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.spans import check_days
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

TEAM = "/teams/{team_id}"
DayQuery = Annotated[date, Query(alias="date", description="Day, UTC.")]


class ClusterDecision(BaseModel):
    """A decision about a cluster.

    Attributes:
        action: what is decided.
        title: of `rename`, the new title.
        into: of `merge`, the lineage that the cluster is counted with.
        item_id: of `take_out` and `put_back`, the member that does not belong there.
    """

    action: Action
    title: str = Field("", max_length=1_000)
    into: str = Field("", max_length=200)
    item_id: str = Field("", max_length=1_000)


@router.get("/health", tags=["health"])
def health(request: Request, site: SiteDep, visitor: VisitorDep) -> Response:  # noqa: ARG001  # needs a visitor
    """Whether the database answers."""
    return answer(request, {"database": "ok", "version": site.database.ping()})


@router.get("/teams", tags=["teams"], response_model=TeamsReport)
def teams(request: Request, site: SiteDep, visitor: VisitorDep) -> Response:
    """The teams that the caller may see, what was found last, and why a team has nothing."""
    settings = site.team_settings()
    report = teams_report(
        site.database,
        today=site.today,
        team_ids=visitor.teams,
        names=site.team_names(),
        budget_of=lambda team_id: settings.options_of(team_id).daily_budget_usd,
    )
    return answer(request, json_object(report))


@router.get(f"{TEAM}/days", tags=["teams"])
def days(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The days with clusters, oldest first."""
    found = clustered_days(site.database, team_id)
    return answer(request, {"team": team_id, "days": [day.isoformat() for day in found]})


@router.get(f"{TEAM}/clusters", tags=["clusters"], response_model=PublishedClusters)
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


@router.get(TEAM + "/results/{theme_id}", tags=["clusters"], response_model=ThemeResults)
def results(request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery) -> Response:
    """The clusters of a theme's day with shares, errors, cost and trends."""
    found = theme_results(site.database, TeamDay(team_id, day), theme_id)
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no run on {day}")
    return answer(request, json_object(found))


@router.get(TEAM + "/clusters/{lineage_id}", tags=["clusters"], response_model=ClusterReport)
def cluster(request: Request, site: SiteDep, team_id: TeamDep, lineage_id: str, theme: str, day: DayQuery) -> Response:
    """One cluster: figures, members, the models, releases and users they come from, evidence of its name, decisions."""
    named_by = site.release_property(team_id)
    found = cluster_report(site.database, TeamDay(team_id, day), theme, lineage_id, release_property=named_by)
    if found is None:
        raise NotFound(f"the theme {theme[:60]} has no cluster {lineage_id[:40]} on {day}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/decisions", tags=["clusters"], response_model=Decisions)
def decisions(
    request: Request, site: SiteDep, team_id: TeamDep, limit: LimitQuery = 1_000, offset: OffsetQuery = 0
) -> Response:
    """The decisions of people about the team's clusters, oldest first."""
    shown, headers = part_of(request, edits_of(site.database, team_id), limit, offset)
    return answer(request, json_object(decisions_report(team_id, shown)), headers=headers)


@router.post(TEAM + "/clusters/{lineage_id}/decisions", tags=["clusters"], response_model=Decisions)
def decide(
    request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, lineage_id: str, decision: ClusterDecision
) -> Response:
    """Rename, lock, merge or hide a cluster, take a wrong member out, or take one of these back."""
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
            item_id=decision.item_id,
        )
    except UnknownLineageError as error:
        raise NotFound(str(error)) from None
    except EditError as error:
        field = {"rename": "title", "take_out": "item_id", "put_back": "item_id"}.get(decision.action, "action")
        raise InvalidInput(str(error), field=field) from None
    made = decisions_report(team_id, [each.edit for each in decided if each.edit])
    return answer(request, json_object(made))


@router.get(TEAM + "/items/{theme_id}", tags=["items"], response_model=ItemPage)
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


@router.get(TEAM + "/items/{theme_id}/select", tags=["items"], response_model=ItemSelect)
def items_select(
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
    """The SELECT that gives the same items, to run in ClickHouse."""
    wanted = Wanted(cluster, outliers, q.strip(), sort, limit, offset)
    found = item_select(site.database.remembering(), TeamDay(team_id, day), theme_id, wanted)
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no run on {day}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/trends", tags=["trends"], response_model=TrendsReport)
def trends(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    weeks: Annotated[int, Query(ge=1, le=26)] = 4,
    day: Annotated[date | None, Query(alias="date")] = None,
    first_day: Annotated[date | None, Query(alias="from", description="First day, in place of the weeks.")] = None,
) -> Response:
    """Size, share, errors and cost of each cluster by day, as `llma trends --json` prints them."""
    check_days(first_day, day or (latest_day(site.database, team_id) if first_day else None))
    return answer(
        request, json_object(trends_report(site.database, team_id, weeks=weeks, until=day, first_day=first_day))
    )


@router.get(TEAM + "/trends/{theme_id}/expected", tags=["trends"], response_model=ExpectedTrends)
def expected(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme_id: str,
    first_day: Annotated[date, Query(alias="from", description="First day, UTC.")],
    last_day: Annotated[date, Query(alias="to", description="Last day, UTC.")],
) -> Response:
    """Each cluster of a theme by day, and the band that alerts expect it in."""
    check_days(first_day, last_day)
    return answer(request, json_object(expected_trends(site.database, team_id, theme_id, first_day, last_day)))


@router.get(f"{TEAM}/trace", tags=["items"], response_model=TraceReport)
def trace(request: Request, site: SiteDep, team_id: TeamDep, item: Annotated[str, Query(alias="id")]) -> Response:
    """The text of a trace or generation, and each theme's answer."""
    found = trace_report(site.database, team_id, item, site.render_options(team_id))
    if found is None:
        raise NotFound(f"team {team_id} has no trace or generation with the id {item[:80]}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/trace/events", tags=["items"], response_model=TraceEvents)
def events_of_trace(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    item: Annotated[str, Query(alias="id")],
    start: Annotated[int | None, Query(ge=0, le=1_000_000, description="Place of the first event, in order.")] = None,
) -> Response:
    """The events of a trace as a tree with time, cost and errors, depth first: of many the failed ones, or in order."""
    found = trace_events(site.database, team_id, item, site.render_options(team_id), start=start)
    if found is None:
        raise NotFound(f"team {team_id} has no events of a trace with the id {item[:80]}")
    return answer(request, json_object(found))


@router.get(f"{TEAM}/skips", tags=["health"], response_model=Skips)
def skips(
    request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery, limit: LimitQuery = 1_000, offset: OffsetQuery = 0
) -> Response:
    """Why results of a day are missing."""
    found = skips_of_day(site.database, day, team_id)
    shown, headers = part_of(request, found.skips, limit, offset)
    return answer(request, json_object(replace(found, skips=shown)), headers=headers)


@router.get(f"{TEAM}/usage", tags=["health"], response_model=UsageReport)
def usage(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """Tokens and cost of a day, with forecasts and budgets."""
    budget = site.daily_budget_usd(team_id)
    return answer(
        request, json_object(usage_report(site.database, TeamDay(team_id, day), today=site.today, daily_usd=budget))
    )


@router.get(f"{TEAM}/checks", tags=["health"], response_model=CheckReport)
def checks(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery) -> Response:
    """The data checks of a day; the same ones that Dagster and `llma check` run."""
    return answer(request, json_object(check_report(site.database, day, [team_id])))
