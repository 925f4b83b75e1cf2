"""Issues in trackers: the list, a button on tasks and clusters, documents of the API. The logic is in `trackers`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from llma_assets.clusters import EditError, UnknownLineageError, find_lineage
from llma_assets.named_settings import SettingChange
from llma_assets.serialization import json_object
from llma_assets.tasks import Task, UnknownTaskError, find_task, list_tasks
from llma_assets.trackers import (
    SETTINGS,
    Link,
    Opened,
    OpenedIssue,
    ShownLink,
    TeamTrackers,
    TrackerError,
    TrackersReport,
    issues_to_come,
    open_issue,
    opened_report,
    problems_of,
    read_document,
    shown_links,
    trackers_of,
    trackers_report,
)
from llma_assets.web.access import Visitor
from llma_assets.web.answers import answer
from llma_assets.web.api import TEAM as API_TEAM
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.setting_forms import change_by_form, setting_file
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.visitors import ChangerDep, FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()
documents = APIRouter(tags=["trackers"])

TRACKERS = "/teams/{team_id}/trackers"
SHOWN_LINKS = 200


@dataclass(frozen=True, slots=True)
class Issues:
    """What a page of a task or a cluster shows of trackers.

    Attributes:
        links: its issues.
        trackers: names of those in which it has none and can have one.
    """

    links: tuple[ShownLink, ...]
    trackers: tuple[str, ...]


def issues_of(site: Site, team_id: int, about: str, subjects: Iterable[str]) -> Issues:
    """The issues of a task or a cluster, and of what was merged into it."""
    team = trackers_of(site.database, team_id)
    if not team.trackers:
        return Issues((), ())
    links = shown_links(site.database, team_id, about, subjects, now=site.clock())
    taken = {each.tracker for each in links if each.state != "gone"}
    return Issues(links, tuple(each.tracker for each in team.enabled if each.tracker not in taken))


def issues_of_tasks(site: Site, team_id: int, tasks: Sequence[Task]) -> dict[str, list[ShownLink]]:
    """By task its issues and those of what was merged into it, without those that are gone."""
    if not tasks or not trackers_of(site.database, team_id).trackers:
        return {}
    task_of = {part: task.task_id for task in tasks for part in (*task.merged, task.task_id)}
    found: dict[str, list[ShownLink]] = {}
    for each in shown_links(site.database, team_id, "task", task_of, now=site.clock()):
        if each.state != "gone":
            found.setdefault(task_of[each.subject], []).append(each)
    return found


@router.get(TRACKERS)
def trackers_page(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep) -> Response:
    """Trackers, how each answered, every issue with what happened last and what is wrong; and the settings."""
    return _trackers(request, site, visitor, team_id)


@router.post(TRACKERS + "/settings")
def change_settings(
    request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep
) -> Response:
    """Check and store the file of trackers and rules, switch one on or off, or take a change back."""
    text, seen = fields.get("file"), fields.get("seen")
    try:
        changes = change_by_form(site, visitor, team_id, SETTINGS, read_document, fields)
    except TrackerError as error:
        return _trackers(request, site, visitor, team_id, problem=str(error), text=text, seen=seen)
    if changes is None:
        return RedirectResponse(address(f"/teams/{team_id}/trackers"), 303)
    wanted = read_document(text or "")
    after = TeamTrackers(
        team_id, {each.tracker: each for each in wanted.trackers}, {each.rule: each for each in wanted.rules}
    )
    coming = issues_to_come(site.database, after, now=site.clock(), options=site.task_options(team_id))
    return _trackers(request, site, visitor, team_id, text=text, changes=changes, seen=seen, coming=coming)


def _trackers(
    request: Request,
    site: Site,
    visitor: Visitor,
    team_id: int,
    *,
    problem: str = "",
    text: str | None = None,
    changes: list[SettingChange] | None = None,
    seen: str | None = None,
    coming: Sequence[Link] = (),
) -> Response:
    report, team = trackers_report(site.database, team_id, now=site.clock()), trackers_of(site.database, team_id)
    return page(
        request,
        "trackers.html",
        tab="tasks",
        team_id=team_id,
        report=report,
        links=report.links[:SHOWN_LINKS],
        rules=tuple(team.rules.values()),
        problem=problem,
        problems=problems_of(site.database, team),
        setting=setting_file(site, team_id, SETTINGS, text, changes, seen),
        coming=coming[:SHOWN_LINKS],
        more_coming=max(0, len(coming) - SHOWN_LINKS),
        may_change=visitor.may_change,
    )


@router.post(TRACKERS)
def open_by_form(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Open an issue of a task or a cluster, and show its page again."""
    about: Literal["task", "cluster"] = "cluster" if fields.get("lineage") else "task"
    subject = fields.get("lineage") or fields.get("task", "")
    query = {"theme": fields.get("theme", ""), "date": fields.get("date", "")}
    try:
        problem = _open(site, visitor, team_id, about, subject, fields.get("tracker", "")).problem
    except TrackerError as error:
        problem = str(error)
    path = f"/teams/{team_id}/{'tasks' if about == 'task' else 'clusters'}/{subject}"
    return RedirectResponse(address(path, **query, problem=problem), 303)


class IssueWish(BaseModel):
    """The wish that a task or a cluster has an issue.

    Attributes:
        task, lineage: one of them: an id, or a unique prefix.
        tracker: where; the only tracker of the team if it is empty.
    """

    task: Annotated[str, Field(max_length=64)] = ""
    lineage: Annotated[str, Field(max_length=64)] = ""
    tracker: Annotated[str, Field(max_length=64)] = ""


@documents.get(API_TEAM + "/trackers", response_model=TrackersReport)
def trackers_document(request: Request, site: SiteDep, team_id: TeamDep) -> Response:
    """The trackers of a team and their issues, the newest first."""
    return answer(request, json_object(trackers_report(site.database, team_id, now=site.clock())))


@documents.post(API_TEAM + "/trackers/issues", response_model=OpenedIssue)
def open_by_api(request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, wish: IssueWish) -> Response:
    """Open an issue of a task or a cluster; one that has an issue keeps it."""
    if bool(wish.task) == bool(wish.lineage):
        raise InvalidInput("name one problem: task, or lineage", field="task")
    try:
        made = _open(
            site, visitor, team_id, "task" if wish.task else "cluster", wish.task or wish.lineage, wish.tracker
        )
    except TrackerError as error:
        raise InvalidInput(str(error), field="tracker") from None
    return answer(request, json_object(opened_report(made)))


def _open(
    site: Site, visitor: Visitor, team_id: int, about: Literal["task", "cluster"], subject: str, tracker: str
) -> Opened:
    options = site.task_options(team_id)
    try:
        if about == "task":
            found = find_task(list_tasks(site.database, team_id, now=site.clock(), options=options), subject).task_id
        else:
            found = find_lineage(site.database, team_id, subject).lineage_id
    except (UnknownTaskError, UnknownLineageError, EditError) as error:
        raise NotFound(str(error)) from None
    return open_issue(
        site.database,
        trackers_of(site.database, team_id),
        about,
        found,
        visitor.name,
        clock=site.clock,
        tracker_name=tracker,
        options=options,
    )
