"""One cluster, and what people decide about it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.clusters import EditError, UnknownLineageError, clustered_days, decide_about
from llma_assets.reports import (
    ClusterReport,
    NoSuchClusterError,
    NotClusteredError,
    causes_of_cluster,
    cluster_overlap,
    cluster_report,
    task_of_cluster,
    verify_lineage,
)
from llma_assets.team_day import TeamDay, midnight
from llma_assets.web.access import Visitor
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.tracker_pages import issues_of
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

TEAM = "/teams/{team_id}"


@router.get(TEAM + "/clusters/{lineage_id}")
def cluster_page(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,
    team_id: TeamDep,
    lineage_id: str,
    theme: str,
    day: Annotated[date | None, Query(alias="date")] = None,
    problem: str = "",
    since: date | None = None,
) -> Response:
    """One cluster: figures, members, evidence, decisions, and whether it became rarer since a day."""
    database = site.reading()
    day = day or max(clustered_days(database, team_id), default=site.today)
    report = cluster_report(
        database, TeamDay(team_id, day), theme, lineage_id, release_property=site.release_property(team_id)
    )
    if report is None:
        near = [("All clusters of the day", address(f"/teams/{team_id}/results", theme=theme, date=day))]
        raise NotFound(f"the theme {theme} has no cluster {lineage_id[:40]} on {day}", near=near)
    verification = None
    if since is not None:
        lineage = report.result.cluster.lineage_id
        verification = verify_lineage(database, team_id, lineage, midnight(since), f"the beginning of {since}")
    return page(
        request,
        "cluster.html",
        tab="results",
        team_id=team_id,
        day=day,
        theme_id=theme,
        report=report,
        verification=verification,
        causes=causes_of_cluster(database, TeamDay(team_id, day), theme, report.result.cluster.cluster_id),
        since=since,
        issues=issues_of(site, team_id, "cluster", _with_parts(report)),
        may_change=visitor.may_change,
        problem=problem[:300],
        release_property=site.release_property(team_id),
    )


@router.get(TEAM + "/clusters/{lineage_id}/themes")
def other_themes_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    lineage_id: str,
    theme: str,
    day: Annotated[date, Query(alias="date")],
) -> Response:
    """The clusters of other themes that share a cluster's traces; `static/parts.js` puts it into the cluster's page."""
    try:
        overlap = cluster_overlap(site.reading(), TeamDay(team_id, day), theme, lineage_id)
    except NotClusteredError as error:
        raise NotFound(str(error)) from None
    return page(
        request, "cluster_themes.html", tab="results", team_id=team_id, day=day, theme_id=theme, overlap=overlap
    )


@router.post(TEAM + "/clusters/{lineage_id}")
def change_cluster(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, lineage_id: str, fields: FormDep) -> Response:
    """Rename, lock, merge, hide, take a member out, or take one of these back; or make a task of it."""
    action: Any = fields.get("action", "")
    problem = ""
    if action == "make_task":
        return _make_task(site, visitor, team_id, lineage_id, fields)
    try:
        decide_about(
            site.database,
            team_id,
            action,
            [lineage_id],
            author=visitor.name,
            at=site.clock(),
            title=fields.get("title", ""),
            into=fields.get("into", ""),
            item_id=fields.get("item", "").strip(),
        )
    except UnknownLineageError as error:
        raise NotFound(str(error)) from None
    except EditError as error:
        problem = str(error)
    query = {"theme": fields.get("theme", ""), "date": fields.get("date", ""), "problem": problem}
    target = fields.get("into", "") if action == "merge" and not problem else lineage_id
    return RedirectResponse(address(f"/teams/{team_id}/clusters/{target}", **query), 303)


def _make_task(site: Site, visitor: Visitor, team_id: int, lineage_id: str, fields: Mapping[str, str]) -> Response:
    """Make the cluster's task, or find it, and go to its page."""
    try:
        day = date.fromisoformat(fields.get("date", ""))
    except ValueError:
        raise InvalidInput("the day must be YYYY-MM-DD", field="date") from None
    try:
        made = task_of_cluster(
            site.database,
            TeamDay(team_id, day),
            fields.get("theme", ""),
            lineage_id,
            by=visitor.name,
            now=site.clock(),
        )
    except NoSuchClusterError as error:
        raise NotFound(str(error)) from None
    return RedirectResponse(address(f"/teams/{team_id}/tasks/{made.task_id}"), 303)


def _with_parts(report: ClusterReport) -> tuple[str, ...]:
    """The cluster, and those that people count with it."""
    cluster = report.result.cluster
    return (cluster.lineage_id, *cluster.merged_lineage_ids)
