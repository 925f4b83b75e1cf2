"""The settings of trackers over HTTP: the documents of `llma trackers show, apply, history --json`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from llma_assets.named_settings import AppliedSettings, SettingsHistory
from llma_assets.trackers import SETTINGS, Document, TrackersFile, file_report, read_document
from llma_assets.web.answers import LimitQuery, OffsetQuery
from llma_assets.web.setting_answers import SettingsFile, file_answer, file_applied, history_answer
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["trackers"])

TRACKERS = "/teams/{team_id}/trackers"


@router.get(f"{TRACKERS}/file", response_model=TrackersFile)
def settings(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """Trackers and rules as a file has them; its ETag is the condition of a change."""
    stored = SETTINGS.of_team(site.database, team_id)
    document = Document(*(tuple(stored.parts[part].values()) for part in ("trackers", "rules")))
    return file_answer(request, file_report(team_id, document), stored)


@router.post(f"{TRACKERS}/file", response_model=AppliedSettings)
def apply_file(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, file: SettingsFile) -> Response:
    """Store the trackers and rules of a file, or say what it would change; no tracker is asked."""
    return file_applied(request, site, visitor, team_id, SETTINGS, read_document, file)


@router.get(f"{TRACKERS}/history", response_model=SettingsHistory)
def history(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    name: str = "",
    limit: LimitQuery = 1_000,
    offset: OffsetQuery = 0,
) -> Response:
    """Who changed which tracker or rule, oldest first."""
    return history_answer(request, site, team_id, SETTINGS, name, limit, offset)
