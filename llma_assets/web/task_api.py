"""Tasks over HTTP: recurring problems in session replays, and what people decide about them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from llma_assets import tasks as room
from llma_assets.reports import TaskDetails, Tasks, task_details, tasks_report
from llma_assets.serialization import json_object
from llma_assets.tasks import (
    MOST_TASKS,
    Action,
    EditError,
    SeenTask,
    Task,
    TaskDecisions,
    UnknownTaskError,
    decide_about_tasks,
    find_task,
    list_tasks,
)
from llma_assets.web.answers import LimitQuery, OffsetQuery, answer, part_of
from llma_assets.web.problems import InvalidInput, NotFound
from llma_assets.web.site import Site
from llma_assets.web.visitors import ChangerDep, SiteDep, TeamDep

router = APIRouter(tags=["tasks"])

TASKS = "/teams/{team_id}/tasks"
Status = Literal["new", "regressed", "ongoing", "resolved", "ignored"]
CHANGES: dict[str, Any] = {"close": room.close_task, "reopen": room.reopen_task, "ignore": room.ignore_task}


class TaskDecision(BaseModel):
    """A decision about a task.

    Attributes:
        action: what is decided.
        title: of `rename`, the new title; an empty one gives the generated one back.
        note: of `close`, `reopen` and `ignore`, why.
        others: of `merge`, the tasks that become part of this one.
        part: of `unmerge`, the task that is on its own again.
    """

    action: Literal["close", "reopen", "ignore", "rename", "merge", "unmerge"]
    title: str = Field("", max_length=1_000)
    note: str = Field("", max_length=500)
    others: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=100)
    part: str = Field("", max_length=64)


class BulkDecision(BaseModel):
    """A decision about several tasks.

    Attributes:
        action: `raise` puts them first, `lower` last, `by_figures` neither; `take_back` undoes the last change.
        tasks: which, with the `revision` that was seen.
        note: of `close`, `reopen` and `ignore`, why.
    """

    action: Action
    tasks: list[SeenTask] = Field(min_length=1, max_length=MOST_TASKS)
    note: str = Field("", max_length=500)


@router.get(TASKS, response_model=Tasks)
def tasks(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    status: Annotated[list[Status] | None, Query()] = None,
    limit: LimitQuery = 200,
    offset: OffsetQuery = 0,
) -> Response:
    """Recurring problems in session replays, the most urgent first."""
    found = tasks_report(
        site.database, team_id, now=site.clock(), options=site.task_options(team_id), statuses=status or ()
    )
    shown, headers = part_of(request, found.tasks, limit, offset)
    return answer(request, json_object(Tasks(team_id, shown, found.hidden)), headers=headers)


@router.post(TASKS + "/decisions", response_model=TaskDecisions)
def decide_about_several(
    request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, decision: BulkDecision
) -> Response:
    """The same for several tasks, of each only if its `revision` is still the one that was seen; `*` is any."""
    done = decide_about_tasks(
        site.database,
        team_id,
        lambda: _tasks(site, team_id),
        decision.tasks,
        decision.action,
        by=visitor.name,
        clock=site.clock,
        note=decision.note,
    )
    return answer(request, json_object(done))


@router.get(TASKS + "/{task_id}", response_model=TaskDetails)
def task(
    request: Request,
    site: SiteDep,
    team_id: TeamDep,
    task_id: str,
    segments: Annotated[int, Query(ge=0, le=1_000)] = 20,
) -> Response:
    """One task with its newest segments and its history."""
    chosen = _task(_tasks(site, team_id), task_id)
    return answer(request, json_object(task_details(site.database, team_id, chosen, segments=segments)))


@router.post(TASKS + "/{task_id}/decisions", response_model=TaskDetails)
def decide(
    request: Request, site: SiteDep, visitor: ChangerDep, team_id: TeamDep, task_id: str, decision: TaskDecision
) -> Response:
    """Close, reopen, ignore, rename, merge or unmerge a task; its history keeps who did."""
    database, found = site.database, _tasks(site, team_id)
    chosen = _task(found, task_id)
    who: dict[str, Any] = {"by": visitor.name, "now": site.clock()}
    try:
        match decision.action:
            case "rename":
                room.rename_task(database, team_id, chosen, decision.title, **who)
            case "merge":
                others = [_task(found, each) for each in decision.others]
                room.merge_tasks(database, team_id, chosen, others, **who)
            case "unmerge":
                room.unmerge_task(database, team_id, chosen, decision.part, **who)
            case action:
                CHANGES[action](database, team_id, chosen, note=decision.note, **who)
    except EditError as error:
        raise InvalidInput(str(error), field="title" if decision.action == "rename" else "action") from None
    except UnknownTaskError as error:
        raise NotFound(str(error)) from None
    changed = _task(_tasks(site, team_id), chosen.task_id)
    return answer(request, json_object(task_details(database, team_id, changed, segments=0)))


def _tasks(site: Site, team_id: int) -> list[Task]:
    return list_tasks(site.database, team_id, now=site.clock(), options=site.task_options(team_id))


def _task(found: list[Task], task_id: str) -> Task:
    try:
        return find_task(found, task_id)
    except UnknownTaskError as error:
        raise NotFound(str(error)) from None
