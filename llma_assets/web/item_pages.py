"""The table of items, and the same as a file."""

from dataclasses import fields
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.clusters import clustered_days
from llma_assets.reports import ORDERS, Sort, Wanted, item_page, item_select, published_clusters
from llma_assets.team_day import TeamDay
from llma_assets.web.drawings import corners
from llma_assets.web.exports import EXPORTS
from llma_assets.web.pages import default_theme, known_theme
from llma_assets.web.problems import NotFound
from llma_assets.web.templates_of import page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()

TEAM = "/teams/{team_id}"
PAGE_SIZE = 50
EXPORT_ROWS = 100_000


@router.get(f"{TEAM}/items")
def items_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    cluster: str | None = None,
    q: str = "",
    sort: Sort = "cluster",
    start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    area: Annotated[str, Query(max_length=4_000)] = "",
    form: Literal["html", "csv", "parquet", "json", "notebook"] = "html",
) -> Response:
    """The items of a theme's day as a table, or as a file with all of them."""
    database = site.reading()
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    theme = theme or default_theme(database, team_id) or ""
    is_page = form == "html"
    wanted = Wanted(
        lineage_id=cluster if cluster not in (None, "", "outliers") else None,
        outliers=cluster == "outliers",
        search=q[:200].strip(),
        sort=sort,
        limit=PAGE_SIZE if is_page else EXPORT_ROWS,
        offset=start if is_page else 0,
        area=tuple(corners(area)),
    )
    query: dict[str, Any] = {each.name: getattr(wanted, each.name) for each in fields(wanted)}
    team_day = TeamDay(team_id, day)
    published = published_clusters(
        database, team_day, theme_id=theme, show_hidden=wanted.lineage_id is not None, examples=0, reasons=False
    )
    found = item_page(database, team_day, theme, **query, published=published)
    if found is None:
        known_theme(database, team_id, theme)
    if form != "html":
        if found is None:
            raise NotFound(f"the theme {theme} has no items on {day}")
        return EXPORTS[form](found)
    return page(
        request,
        "items.html",
        tab="items",
        team_id=team_id,
        day=day,
        theme_id=theme,
        days=days,
        items=found,
        q=q[:200],
        sort=sort,
        sorts=ORDERS,
        cluster=cluster,
        start=start,
        area=area,
        page_size=PAGE_SIZE,
        select=item_select(database, team_day, theme, wanted, published=published) if found else None,
    )
