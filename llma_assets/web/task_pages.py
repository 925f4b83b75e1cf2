"""Recurring problems of session replays: the list, one task, and what people decide about it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from llma_assets import tasks as room
from llma_assets.reports import NoChangeError, task_details, tasks_report, verify_task
from llma_assets.tasks import (
    BULK_ACTIONS,
    MOST_TASKS,
    EditError,
    SeenTask,
    Task,
    TaskDecisions,
    UnknownTaskError,
    decide_about_tasks,
    find_task,
    list_tasks,
    tasks_by_day,
)
from llma_assets.team_day import midnight
from llma_assets.web.access import Visitor
from llma_assets.web.problems import NotFound
from llma_assets.web.site import Site
from llma_assets.web.templates_of import address, page
from llma_assets.web.tracker_pages import issues_of, issues_of_tasks
from llma_assets.web.visitors import FormDep, SiteDep, TeamDep, VisitorDep

router = APIRouter()

TASKS = "/teams/{team_id}/tasks"
OPEN_STATES = ("new", "regressed", "ongoing")
STATES: Mapping[str, tuple[str, ...]] = {
    "open": OPEN_STATES,
    "all": (),
    **{each: (each,) for each in (*OPEN_STATES, "resolved", "ignored")},
}
PRIORITIES: Mapping[str, str | None] = {"": None, "first": "high", "last": "low", "figures": ""}
SHOWN_SEGMENTS = 20
TREND_DAYS = 28
ACTIONS: Mapping[str, Any] = {"close": room.close_task, "reopen": room.reopen_task, "ignore": room.ignore_task}


class Filters(BaseModel):
    """Which tasks the list shows.

    Attributes:
        state: one state, or `open` or `all`.
        priority: whether people put them first or last, or left them to their figures; "" for all.
        q: words of the title or the description.
    """

    state: Literal["open", "all", "new", "regressed", "ongoing", "resolved", "ignored"] = "open"
    priority: Literal["", "first", "last", "figures"] = ""
    q: Annotated[str, Field(max_length=200)] = ""


@router.get(TASKS)
def tasks_page(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,
    team_id: TeamDep,
    filters: Annotated[Filters, Depends()],
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Recurring problems, the most urgent first."""
    return _tasks(request, site, visitor, team_id, filters, start)


@router.post(TASKS)
def change_tasks(request: Request, site: SiteDep, visitor: VisitorDep, team_id: TeamDep, fields: FormDep) -> Response:
    """Close, reopen, ignore or prioritise several tasks, or take the last change of them back."""
    action = next((each for each in BULK_ACTIONS if each == fields.get("action")), None)
    chosen = [value.partition(":")[::2] for name, value in fields.items() if name.startswith("task_")]
    filters = _filters(fields)
    if action is None or not chosen:
        problem = "mark the tasks first" if action else f"there is no change {fields.get('action', '')[:40]!r}"
        return _tasks(request, site, visitor, team_id, filters, 0, problem=problem)
    done = decide_about_tasks(
        site.database,
        team_id,
        lambda: list_tasks(site.database, team_id, now=site.clock(), options=site.task_options(team_id)),
        [SeenTask(task_id, revision) for task_id, revision in chosen[:MOST_TASKS]],
        action,
        by=visitor.name,
        clock=site.clock,
        note=fields.get("note", ""),
    )
    # What was done is shown at once: an address could only say so, not know it. Sent twice, it is not done twice,
    # because the tasks are no more what was seen.
    return _tasks(request, site, visitor, team_id, filters, 0, done=done)


def _filters(fields: Mapping[str, str]) -> Filters:
    """Those of the list that a form was sent from."""
    try:
        return Filters.model_validate({name: fields[name] for name in Filters.model_fields if name in fields})
    except ValidationError:
        return Filters()


def _tasks(
    request: Request,
    site: Site,
    visitor: Visitor,
    team_id: int,
    filters: Filters,
    start: int,
    *,
    problem: str = "",
    done: TaskDecisions | None = None,
) -> Response:
    report = tasks_report(
        site.database,
        team_id,
        now=site.clock(),
        options=site.task_options(team_id),
        statuses=STATES[filters.state],
        given_priority=PRIORITIES[filters.priority],
        search=filters.q.strip(),
    )
    shown = report.tasks[start : start + MOST_TASKS]
    until = site.today
    days = [until - timedelta(days=back) for back in reversed(range(TREND_DAYS))]
    by_day = tasks_by_day(site.database, team_id, days[0], until) if report.tasks else {}
    return page(
        request,
        "tasks.html",
        tab="tasks",
        team_id=team_id,
        report=report,
        shown=shown,
        issues=issues_of_tasks(site, team_id, shown),
        trends={task_id: [counts.get(day, 0) for day in days] for task_id, counts in by_day.items()},
        trend_days=TREND_DAYS,
        filters=filters.model_dump(),
        states=STATES,
        start=start,
        page_size=MOST_TASKS,
        may_change=visitor.may_change,
        problem=problem,
        done=done,
    )


@router.get(TASKS + "/{task_id}")
def task_page(
    request: Request,
    site: SiteDep,
    visitor: VisitorDep,
    team_id: TeamDep,
    task_id: str,
    problem: str = "",
    since: date | None = None,
) -> Response:
    """One task with its segments and history, and whether it became rarer since a day, or since it was closed."""
    task = _task(site, team_id, task_id)
    details = task_details(site.database, team_id, task, segments=SHOWN_SEGMENTS)
    moment = None if since is None else midnight(since)
    try:
        verification = verify_task(site.database, team_id, task, moment, f"the beginning of {since}")
    except NoChangeError:
        verification = None
    return page(
        request,
        "task.html",
        tab="tasks",
        team_id=team_id,
        details=details,
        verification=verification,
        since=since,
        issues=issues_of(site, team_id, "task", (task.task_id, *task.merged)),
        may_change=visitor.may_change,
        problem=problem[:300],
    )


@router.post(TASKS + "/{task_id}")
def change_task(site: SiteDep, visitor: VisitorDep, team_id: TeamDep, task_id: str, fields: FormDep) -> Response:
    """Close, reopen, ignore or rename a task; the history keeps who did."""
    task = _task(site, team_id, task_id)
    action = fields.get("action", "")
    who: dict[str, Any] = {"by": visitor.name, "now": site.clock()}
    problem = ""
    try:
        if action == "rename":
            room.rename_task(site.database, team_id, task, fields.get("title", ""), **who)
        elif action in ACTIONS:
            ACTIONS[action](site.database, team_id, task, note=fields.get("note", ""), **who)
        else:
            problem = f"there is no change {action[:40]!r}; there are rename, {', '.join(ACTIONS)}"
    except EditError as error:
        problem = str(error)
    return RedirectResponse(address(f"/teams/{team_id}/tasks/{task.task_id}", problem=problem), 303)


def _task(site: Site, team_id: int, task_id: str) -> Task:
    found = list_tasks(site.database, team_id, now=site.clock(), options=site.task_options(team_id))
    try:
        return find_task(found, task_id)
    except UnknownTaskError as error:
        raise NotFound(str(error), near=[("All tasks", f"/teams/{team_id}/tasks?state=all")]) from None
