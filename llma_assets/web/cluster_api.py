"""One cluster beside others, and its task, over HTTP. The cluster itself and decisions about it are in `api`."""

from datetime import date

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.reports import (
    CausesReport,
    ClusterOverlap,
    MadeTask,
    NoSuchClusterError,
    NotClusteredError,
    causes_report,
    cluster_overlap,
    task_of_cluster,
)
from llma_assets.serialization import json_object
from llma_assets.team_day import TeamDay
from llma_assets.web.answers import answer
from llma_assets.web.api import TEAM, DayQuery
from llma_assets.web.problems import NotFound
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["clusters"])


class TaskWanted(BaseModel):
    """Which day's figures and members a task takes.

    Attributes:
        theme: of the cluster.
        date: of the run.
    """

    theme: str = Field(max_length=200)
    date: date


@router.get(TEAM + "/clusters/{lineage_id}/other-themes", response_model=ClusterOverlap)
def other_themes(
    request: Request, site: SiteDep, team_id: TeamDep, lineage_id: str, theme: str, day: DayQuery
) -> Response:
    """Which clusters of other themes share the traces of a cluster, and how much more than chance would."""
    try:
        found = cluster_overlap(site.database, TeamDay(team_id, day), theme, lineage_id)
    except NotClusteredError as error:
        raise NotFound(str(error)) from None
    return answer(request, json_object(found))


@router.get(TEAM + "/causes", response_model=CausesReport)
def causes(request: Request, site: SiteDep, team_id: TeamDep, day: DayQuery, theme: str | None = None) -> Response:
    """Probable causes of a day's clusters, with the lines that show them; of themes with `causes`. Asks no model."""
    return answer(request, json_object(causes_report(site.database, TeamDay(team_id, day), theme_id=theme)))


@router.post(TEAM + "/clusters/{lineage_id}/task", response_model=MadeTask)
def make_task(
    request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, lineage_id: str, wanted: TaskWanted
) -> Response:
    """Make a task of a cluster, or find the one that there is; asking twice makes one."""
    try:
        made = task_of_cluster(
            site.database, TeamDay(team_id, wanted.date), wanted.theme, lineage_id, by=visitor.name, now=site.clock()
        )
    except NoSuchClusterError as error:
        raise NotFound(str(error)) from None
    return answer(request, json_object(made), status=201 if made.is_new else 200)
