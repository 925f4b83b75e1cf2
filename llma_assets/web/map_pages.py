"""The map of a theme's day, to zoom and to pan; a picture of it where scripts are off."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.clusters import clustered_days
from llma_assets.reports import COLOURS, Colour, clusters_of_day, map_groups, map_png, published_clusters
from llma_assets.team_day import TeamDay
from llma_assets.web.pages import TEAM, default_theme, known_theme
from llma_assets.web.problems import NotFound
from llma_assets.web.templates_of import page
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()


@router.get(f"{TEAM}/map")
def map_page(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    day: Annotated[date | None, Query(alias="date")] = None,
    theme: str | None = None,
    colour: Colour = "cluster",
) -> Response:
    """The items of a theme's day as points, with the list of the clusters that they are in."""
    database = site.reading()
    days = clustered_days(database, team_id)
    day = day or (days[-1] if days else site.today)
    theme = theme or default_theme(database, team_id) or ""
    published = published_clusters(database, TeamDay(team_id, day), examples=0, reasons=False)
    run = next((each for each in published.runs if each.theme_id == theme and each.run_id), None)
    if run is None and theme:
        known_theme(database, team_id, theme)
    return page(
        request,
        "map.html",
        tab="map",
        team_id=team_id,
        day=day,
        theme_id=theme,
        days=days,
        runs=published.runs,
        run=run,
        parts=map_groups(database, TeamDay(team_id, day), run) if run else {},
        colour=colour,
        colours=COLOURS,
    )


@router.get(f"{TEAM}/map.png")
def map_picture(site: SiteDep, team_id: TeamDep, day: Annotated[date, Query(alias="date")], theme: str) -> Response:
    """The map of a theme's day as a picture."""
    for each in clusters_of_day(site.database, TeamDay(team_id, day)):
        if each.theme_id == theme and len(each.labels):
            titles = {row.cluster_id: row.title for row in each.rows}
            picture = map_png(each.labels, each.coordinates, titles, f"{theme}, {day}")
            return Response(picture, media_type="image/png")
    raise NotFound(f"the theme {theme} has no map of {day}")
