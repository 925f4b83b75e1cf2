"""Files of named settings over HTTP, of alerts and of trackers: stored on a condition, and who changed what."""

import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets.alerts import AlertError
from llma_assets.named_settings import AppliedSettings, NamedSettings, SettingsHistory, Stored
from llma_assets.serialization import json_object
from llma_assets.trackers import TrackerError
from llma_assets.web.access import Visitor
from llma_assets.web.answers import answer, part_of, tags_of
from llma_assets.web.problems import Conflict, InvalidInput
from llma_assets.web.site import Site


class SettingsFile(BaseModel):
    """A file of named settings, as `apply` of the command line takes it. It names variables, and holds no secret."""

    yaml: str = Field(max_length=256 << 10)
    prune: bool = Field(False, description="Delete or reset what it does not name.")
    dry_run: bool = Field(False, description="Say what would change, and store nothing.")


def file_answer(request: Request, document: Any, stored: Stored) -> Response:
    """A file with the ETag that `If-Match` of a change takes."""
    return answer(request, json_object(document), revision=_revision_of(stored))


def file_applied(
    request: Request,
    site: Site,
    visitor: Visitor,
    team_id: int,
    settings: NamedSettings,
    read: Callable[[str], object],
    file: SettingsFile,
) -> Response:
    """What a file changes, stored unless `dry_run`; with `If-Match` only where nobody changed the settings since.

    Raises:
        InvalidInput: something in the file is wrong.
        Conflict: somebody changed the settings since; it holds both versions.
    """
    try:
        document = read(file.yaml)
    except (AlertError, TrackerError) as error:
        _invalid(error)
    seen = None
    tags = {tag.strip('"').partition(".")[0] for tag in tags_of(request, "if-match")}
    if tags and "*" not in tags:
        before = settings.of_team(site.database, team_id)
        if _revision_of(before) not in tags:
            raise _conflict(site, settings, before, document)
        seen = before.revision
    try:
        changes = settings.apply(
            site.database,
            team_id,
            document,
            visitor.name,
            dry_run=file.dry_run,
            prune=file.prune,
            seen=seen,
            now=site.clock(),
        )
    except (AlertError, TrackerError) as error:
        now = settings.of_team(site.database, team_id)
        if seen not in (None, now.revision):
            raise _conflict(site, settings, now, document) from None
        _invalid(error)
    is_stored = bool(changes) and not file.dry_run
    return answer(request, json_object(AppliedSettings(team_id, file.dry_run, is_stored, tuple(changes))))


def history_answer(
    request: Request, site: Site, team_id: int, settings: NamedSettings, name: str, limit: int, offset: int
) -> Response:
    """Who changed which setting, oldest first."""
    shown, headers = part_of(request, settings.past_changes(site.database, team_id, name), limit, offset)
    return answer(request, json_object(SettingsHistory(team_id, shown)), headers=headers)


def _revision_of(stored: Stored) -> str:
    """The part of an ETag that changes with every change of a team's settings."""
    return hashlib.sha256(stored.revision.encode()).hexdigest()[:16]


def _conflict(site: Site, settings: NamedSettings, now: Stored, sent: object) -> Conflict:
    """The problem with both versions: the settings as they are stored now, and what was sent."""
    stored = SimpleNamespace(**{part: tuple(each.values()) for part, each in now.parts.items()})
    last = next(reversed(settings.past_changes(site.database, now.team_id)), None)
    by = {"changed_by": last.author, "changed_at": now.revision} if last else {}
    detail = f"the {settings.noun} of team {now.team_id} were changed since you read them"
    versions = {"stored": settings.values(stored), "sent": settings.values(sent)}
    return Conflict(detail, **versions, etag=f'"{_revision_of(now)}"', **by)


def _invalid(error: AlertError | TrackerError) -> NoReturn:
    """Raise what is wrong with a file, by its fields."""
    found = getattr(error, "problems", ())
    problems = [{"field": each.where, "message": each.message} for each in found]
    field = problems[0]["field"] if problems else "yaml"
    raise InvalidInput(str(found[0]) if found else str(error), field=field, problems=problems[:100]) from None
