"""`llma tasks close`, `prioritise`, `take-back` …: decisions about tasks. What is possible belongs in `tasks`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.tasks import Action, Task, TaskOptions

F = TypeVar("F", bound=Callable[..., Any])
PRIORITIES: "dict[str, Action]" = {"first": "raise", "last": "lower", "by-figures": "by_figures"}


def _decision(f: F) -> F:
    """The options that all decisions share."""
    f = json_option(f)
    f = click.option(
        "--by", default=None, metavar="NAME", help="Name of who decides.  [default: LLMA_USER, else your login]"
    )(f)
    return team_option()(f)


def _of_several(f: F) -> F:
    """Of a decision about several tasks."""
    return click.argument("tasks", nargs=-1, required=True, metavar="TASK…")(_decision(f))


def _with_note(f: F) -> F:
    return click.option("--note", default="", help="Why; kept in the history.")(f)


@click.command()
@_of_several
@_with_note
def close(tasks: tuple[str, ...], team_id: int, note: str, by: str | None, as_json: bool) -> None:
    """Mark tasks as resolved; if the problem occurs again they become `regressed`."""
    _decide("close", tasks, team_id, by, as_json, note)


@click.command()
@_of_several
@_with_note
def reopen(tasks: tuple[str, ...], team_id: int, note: str, by: str | None, as_json: bool) -> None:
    """Open resolved or ignored tasks again."""
    _decide("reopen", tasks, team_id, by, as_json, note)


@click.command()
@_of_several
@_with_note
def ignore(tasks: tuple[str, ...], team_id: int, note: str, by: str | None, as_json: bool) -> None:
    """Mark tasks as not a problem; similar segments still join them, but they are hidden."""
    _decide("ignore", tasks, team_id, by, as_json, note)


@click.command()
@_of_several
@click.option(
    "--to",
    "place",
    type=click.Choice(list(PRIORITIES)),
    required=True,
    help="Before all others, after them, or neither.",
)
def prioritise(tasks: tuple[str, ...], team_id: int, place: str, by: str | None, as_json: bool) -> None:
    """Put tasks before all others or after them, whatever their figures say; or order them by their figures again."""
    _decide(PRIORITIES[place], tasks, team_id, by, as_json)


@click.command("take-back")
@_of_several
def take_back(tasks: tuple[str, ...], team_id: int, by: str | None, as_json: bool) -> None:
    """Undo the last change of status, title or priority that somebody made of tasks."""
    _decide("take_back", tasks, team_id, by, as_json)


@click.command()
@click.argument("task")
@click.argument("title")
@_decision
def rename(task: str, title: str, team_id: int, by: str | None, as_json: bool) -> None:
    """Give a task your own title; "" restores the generated title."""
    from llma_assets.tasks import find_task, rename_task

    with tasks_of(team_id) as (database, found):
        chosen = find_task(found, task)
        rename_task(database, team_id, chosen, title, by=decider(by), now=now())
        words = f"Task {chosen.task_id[:SHORT_ID]} is now called {title!r}."
        _tell(
            database,
            team_id,
            chosen.task_id,
            words if title.strip() else "The task has its generated title again.",
            as_json,
        )


@click.command()
@click.argument("task")
@click.argument("others", nargs=-1, required=True)
@_decision
def merge(task: str, others: tuple[str, ...], team_id: int, by: str | None, as_json: bool) -> None:
    """Make OTHERS part of TASK, with their present and future segments."""
    from llma_assets.tasks import find_task, merge_tasks

    with tasks_of(team_id) as (database, found):
        target = find_task(found, task)
        parts = [find_task(found, other) for other in others]
        merge_tasks(database, team_id, target, parts, by=decider(by), now=now())
        words = f"{len(parts)} tasks are now part of {target.task_id[:SHORT_ID]}; `llma tasks unmerge` undoes it."
        _tell(database, team_id, target.task_id, words, as_json)


@click.command()
@click.argument("task")
@click.argument("part")
@_decision
def unmerge(task: str, part: str, team_id: int, by: str | None, as_json: bool) -> None:
    """Make PART, which was merged into TASK, a separate task again."""
    from llma_assets.tasks import find_task, unmerge_task

    with tasks_of(team_id) as (database, found):
        freed = unmerge_task(database, team_id, find_task(found, task), part, by=decider(by), now=now())
        _tell(database, team_id, freed, f"Task {freed[:SHORT_ID]} is a separate task again.", as_json)


CHANGES = (close, reopen, ignore, prioritise, take_back, rename, merge, unmerge)
"""The commands of this module."""


@contextmanager
def tasks_of(team_id: int) -> "Iterator[tuple[Database, list[Task]]]":
    """The database and the tasks of a team; a change that is not possible is a wrong use of the command."""
    from llma_assets.tasks import EditError, UnknownTaskError, list_tasks

    options = team_task_options(team_id)
    with opened_database() as database:
        try:
            yield database, list_tasks(database, team_id, now=now(), options=options)
        except (EditError, UnknownTaskError) as error:
            raise WrongUse(f"{error}. `llma tasks list --team {team_id} --all` lists all tasks") from error


def team_task_options(team_id: int) -> "TaskOptions":
    """The options of the team's tasks."""
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.tasks import TaskOptions

    return TaskOptions.of_team(team_settings().options_of(team_id))


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def _tell(database: "Database", team_id: int, task_id: str, words: str, as_json: bool) -> None:
    """What a task is now: as `llma tasks show` has it, without segments, or in words."""
    from llma_assets.reports import task_details
    from llma_assets.tasks import find_task, list_tasks

    if not as_json:
        say(plain(words))
        return
    task = find_task(list_tasks(database, team_id, now=now(), options=team_task_options(team_id)), task_id)
    emit_report(task_details(database, team_id, task, segments=0))


def _decide(
    action: "Action", tasks: tuple[str, ...], team_id: int, by: str | None, as_json: bool, note: str = ""
) -> None:
    """Do the same to each of some tasks, whatever they are by now; an unknown one is found before any is changed."""
    from llma_assets.tasks import SeenTask, decide_about_tasks, find_task, list_tasks

    options = team_task_options(team_id)
    with tasks_of(team_id) as (database, found):
        before = {each.task_id: each for each in (find_task(found, name) for name in tasks)}
        done = decide_about_tasks(
            database,
            team_id,
            lambda: list_tasks(database, team_id, now=now(), options=options),
            [SeenTask(task_id, "*") for task_id in before],
            action,
            by=decider(by),
            clock=now,
            note=note,
        )
    if as_json:
        emit_report(done)
    else:
        for task in done.changed:
            was, short = before[task.task_id], task.task_id[:SHORT_ID]
            if was.status != task.status:
                say(plain(f"Task {short}, {task.title!r}, was {was.status} and is now {task.status}."))
            elif was.given_priority != task.given_priority:
                place = {"high": "first", "low": "last"}.get(task.given_priority, "where its figures put it")
                say(plain(f"Task {short}, {task.title!r}, comes {place} now."))
            else:
                say(plain(f"Task {short} is called {task.title!r} again."))
    if done.unchanged:
        raise WrongUse("; ".join(each.detail for each in done.unchanged))
