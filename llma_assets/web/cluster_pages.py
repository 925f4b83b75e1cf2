"""One cluster, and what people decide about it."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from llma_assets.clusters import EditError, UnknownLineageError, clustered_days, decide_about
from llma_assets.reports import ClusterReport, cluster_report, verify_lineage
from llma_assets.team_day import TeamDay, midnight
from llma_assets.web.problems import NotFound
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
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    report = cluster_report(database, TeamDay(team_id, day), theme, lineage_id)
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
        since=since,
        issues=issues_of(site, team_id, "cluster", _with_parts(report)),
        may_change=visitor.may_change,
        problem=problem[:300],
    )


@router.post(TEAM + "/clusters/{lineage_id}")
def change_cluster(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, lineage_id: str, fields: FormDep) -> Response:
    """Rename, lock, merge, hide, or take one of these back."""
    action: Any = fields.get("action", "")
    problem = ""
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
        )
    except UnknownLineageError as error:
        raise NotFound(str(error)) from None
    except EditError as error:
        problem = str(error)
    query = {"theme": fields.get("theme", ""), "date": fields.get("date", ""), "problem": problem}
    target = fields.get("into", "") if action == "merge" and not problem else lineage_id
    return RedirectResponse(address(f"/teams/{team_id}/clusters/{target}", **query), 303)


def _with_parts(report: ClusterReport) -> tuple[str, ...]:
    """The cluster, and those that people count with it."""
    cluster = report.result.cluster
    return (cluster.lineage_id, *cluster.merged_lineage_ids)
