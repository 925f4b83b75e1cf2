"""What pictures are drawn from, over HTTP: the map as one buffer, the item at a place of it, the flow of lineages."""

import hashlib
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from llma_assets.reports import OUTLIERS, Colour, lineage_flow, map_item, map_points, published_clusters
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web.answers import answer
from llma_assets.web.api import TEAM, DayQuery
from llma_assets.web.problems import NotFound
from llma_assets.web.visitors import SiteDep, TeamDep

router = APIRouter()

BUFFER = "application/octet-stream"


@router.get(
    TEAM + "/map/{theme_id}",
    tags=["map"],
    response_class=Response,
    responses={200: {"content": {BUFFER: {"schema": {"type": "string", "format": "binary"}}}}},
)
def map_buffer(
    request: Request, site: SiteDep, team_id: TeamDep, theme_id: str, day: DayQuery, colour: Colour = "cluster"
) -> Response:
    """The places of all items of a theme's day, 11 bytes each, little-endian, one array after the other.

    First all x and all y as float32, then the number of the cluster as uint16 (65535 is none), then the measure as
    uint8: what `colour` asks for, from 0 for the lowest to 254 for the highest, 255 where it is unknown. The header
    `X-Run` names the clustering, `X-Scale` the lowest, middle and highest value. Items are in the order of their
    clusters, so that `/map/{theme_id}/item` finds one by its cluster and its position in it.
    """
    team_day = TeamDay(team_id, day)
    database = site.reading()
    published = published_clusters(database, team_day, theme_id=theme_id, examples=0, reasons=False)
    found = map_points(database, team_day, theme_id, published, colour=colour)
    if found is None:
        raise NotFound(f"the theme {theme_id[:60]} has no map of {day}")
    body = found.buffer()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    scale = ",".join(each.isoformat() if isinstance(each, date) else f"{each:.6g}" for each in found.scale)
    headers = {"ETag": tag, "X-Run": str(found.run), "X-Scale": scale}
    if tag in (each.strip() for each in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=BUFFER, headers=headers)


@router.get(TEAM + "/map/{theme_id}/item", tags=["map"])
def item_at(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme_id: str,
    day: DayQuery,
    run: UUID,
    cluster: Annotated[int, Query(ge=-1, le=OUTLIERS)],
    position: Annotated[int, Query(ge=0, le=10_000_000)],
) -> Response:
    """The item at a place of the map: its title, when it began, and its cluster."""
    team_day = TeamDay(team_id, day)
    database = site.reading()
    published = published_clusters(database, team_day, theme_id=theme_id, examples=0, reasons=False)
    found = map_item(database, team_day, theme_id, published, run_id=run, cluster_id=cluster, position=position)
    if found is None:
        raise NotFound("the map has no such item; load it again if the clusters were made anew")
    return answer(request, json_object(found))


@router.get(TEAM + "/lineage/{theme_id}", tags=["trends"])
def flow(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    theme_id: str,
    day: DayQuery,
    days: Annotated[int, Query(ge=1, le=100)] = 14,
) -> Response:
    """The clusters of the latest runs up to a day, and what each came from."""
    found = lineage_flow(site.database, team_id, theme_id, until=day, days=days)
    return answer(request, json_object(found))
