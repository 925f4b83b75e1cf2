"""`llma tasks`: recurring problems in session replays.

Decisions about them belong in `task_changes`, the logic in `llma_assets.tasks`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llma_assets.cli.commands.task_changes import CHANGES, now, tasks_of, team_task_options
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.tasks import Task

STATUSES = ("new", "regressed", "ongoing", "resolved", "ignored")
CLOSED = ("resolved", "ignored")


@click.group("tasks")
def tasks_group() -> None:
    """Tasks: recurring problems in session replays, by priority.

    TASK is a task id or a unique prefix of it. Decisions hold for all later runs, and can be undone: close or ignore by
    reopen, merge by unmerge, rename by an empty title, and each of them but merge by take-back.
    """


@tasks_group.command("list")
@team_option()
@click.option(
    "--status",
    "statuses",
    type=click.Choice(STATUSES),
    multiple=True,
    help="Only tasks with this status; may be repeated.",
)
@click.option("--open", "only_open", is_flag=True, help="Leave out resolved tasks.")
@click.option("--all", "everything", is_flag=True, help="Include ignored tasks.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the N tasks of highest priority.")
@json_option
def list_command(
    team_id: int, statuses: tuple[str, ...], only_open: bool, everything: bool, limit: int | None, as_json: bool
) -> None:
    """List the tasks of a team by priority, without ignored ones."""
    from llma_assets.reports import tasks_report

    if only_open and everything:
        raise WrongUse("--open and --all cannot be used together")
    left_out = () if everything else CLOSED if only_open else ("ignored",)
    wanted = statuses or tuple(each for each in STATUSES if each not in left_out)
    options = team_task_options(team_id)
    with opened_database() as database:
        report = tasks_report(database, team_id, now=now(), options=options, statuses=wanted, limit=limit)
    if as_json:
        emit_report(report)
        return
    if report.tasks:
        show_tasks(report.tasks)
    if report.hidden:
        say(f"{report.hidden:,} tasks are not shown because of their status; --all shows them.")
    elif not report.tasks:
        say(
            f"Team {team_named(team_id)} has no tasks. `llma segments ingest "
            f"FILE`, then `llma segments run --team {team_id}`."
        )


def show_tasks(tasks: "Sequence[Task]") -> None:
    """Print tasks, one a line."""
    show_table(
        ("task", "priority", "status", "users", "seen", "impact", "last seen", "title"),
        [
            (
                task.task_id[:SHORT_ID],
                f"{task.priority:.2f}",
                task.status,
                f"{task.user_count:,}",
                f"{task.occurrence_count:,}",
                f"{task.mean_impact:.2f}",
                f"{task.last_seen:%Y-%m-%d %H:%M}",
                task.title,
            )
            for task in tasks
        ],
        right=("priority", "users", "seen", "impact"),
    )


@tasks_group.command("show")
@click.argument("task")
@team_option()
@click.option(
    "--segments", type=click.IntRange(0), default=10, show_default=True, help="Number of segments, newest first."
)
@json_option
def show_command(task: str, team_id: int, segments: int, as_json: bool) -> None:
    """Show a task with its segments and its history."""
    from llma_assets.reports import task_details
    from llma_assets.tasks import find_task

    with tasks_of(team_id) as (database, found):
        chosen = find_task(found, task)
        details = task_details(database, team_id, chosen, segments=segments)
    if as_json:
        emit_report(details)
        return
    show(f"{chosen.title}\n{chosen.status}, priority {chosen.priority:.2f}, task {chosen.task_id}\n")
    show(f"{chosen.description}\n")
    if chosen.reason:
        show(f"Actionable: {chosen.actionable}. {chosen.reason}\n")
    unit = "traces" if chosen.lineage_id else "segments"
    show(
        f"{chosen.user_count:,} users, {chosen.occurrence_count:,} {unit}, mean impact {chosen.mean_impact:.2f}, "
        f"{chosen.first_seen:%Y-%m-%d %H:%M} to {chosen.last_seen:%Y-%m-%d %H:%M}"
    )
    if chosen.lineage_id:
        show(
            f"Made of cluster {chosen.lineage_id[:SHORT_ID]} of {chosen.cluster_day}: "
            f"`llma clusters show {chosen.lineage_id[:SHORT_ID]} --team {team_id} --date {chosen.cluster_day}`"
        )
    if details.traces:
        show()
        show_table(("trace", "summary"), [(each.item_id, each.title) for each in details.traces])
    if details.segments:
        show()
        show_table(
            ("session", "from", "to", "user", "distance", "flags"),
            [
                (
                    each.session_id,
                    f"{each.start:%Y-%m-%d %H:%M:%S}",
                    f"{each.end:%H:%M:%S}",
                    each.distinct_id,
                    f"{each.distance:.2f}",
                    ", ".join(name for name in ("failure", "confusion", "abandonment") if getattr(each, name)),
                )
                for each in details.segments
            ],
            right=("distance",),
        )
    show()
    show_table(
        ("when", "change", "status", "by", "detail"),
        [
            (f"{each.changed_at:%Y-%m-%d %H:%M}", each.change, each.status, each.changed_by, each.detail)
            for each in details.history
        ],
    )


for _command in CHANGES:
    tasks_group.add_command(_command)
