"""`llma trackers open, sync, links`: issues and what became of them. The logic is in `llma_assets.trackers`."""

from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.trackers import ShownLink


@click.command("open")
@team_option()
@click.option("--task", "task_id", metavar="ID", help="A task, by its id or a unique prefix.")
@click.option("--lineage", metavar="ID", help="A cluster, by its lineage id or a unique prefix.")
@click.option("--tracker", "tracker_name", default="", metavar="NAME", help="Where.  [default: the only tracker]")
@click.option("--by", default=None, metavar="NAME", help="Name of who decides.  [default: LLMA_USER, else your login]")
@json_option
def open_command(
    team_id: int, task_id: str | None, lineage: str | None, tracker_name: str, by: str | None, as_json: bool
) -> None:
    """Open an issue of a task or a cluster; one that has an issue keeps it.

    Where the tracker does not answer now, the wish is stored and a later pass opens the issue.
    """
    if (task_id is None) == (lineage is None):
        raise WrongUse("name one problem: --task ID, or --lineage ID")
    from llma_assets.cli.commands.task_changes import team_task_options
    from llma_assets.clock import utc_now
    from llma_assets.clusters import find_lineage
    from llma_assets.tasks import UnknownTaskError, find_task, list_tasks
    from llma_assets.trackers import OpenedIssueOfTeam, open_issue, opened_report, trackers_of

    options = team_task_options(team_id)
    with opened_database() as database:
        team = trackers_of(database, team_id)
        team.tracker(tracker_name)
        if lineage is not None:
            subject = find_lineage(database, team_id, lineage).lineage_id
        else:
            try:
                subject = find_task(
                    list_tasks(database, team_id, now=utc_now(), options=options), task_id or ""
                ).task_id
            except UnknownTaskError as error:
                raise WrongUse(str(error)) from error
        opened = open_issue(
            database,
            team,
            "task" if lineage is None else "cluster",
            subject,
            decider(by),
            clock=utc_now,
            tracker_name=tracker_name,
            options=options,
        )
    if as_json:
        emit_report(OpenedIssueOfTeam(team_id, opened_report(opened)))
    elif opened.state.issue:
        show(f"{plain(opened.state.shown)} {plain(opened.state.url)}")
        if opened.was_there:
            say("It has been there before; nothing was made.")
    if opened.problem:
        raise Problem(opened.problem)


@click.command("sync")
@team_option()
@click.option("--dry-run", is_flag=True, help="Ask the trackers, and show what would be done; change nothing.")
@json_option
def sync_command(team_id: int, dry_run: bool, as_json: bool) -> None:
    """Open issues that rules ask for, and carry states both ways, now.

    Safe to repeat, and beside the schedule: one process speaks with a tracker at a time. The exit code is 1 if a
    tracker could not be asked.
    """
    from llma_assets.cli.commands.task_changes import team_task_options
    from llma_assets.clock import utc_now
    from llma_assets.trackers import sync, sync_report, trackers_of

    options = team_task_options(team_id)
    with opened_database() as database:
        team = trackers_of(database, team_id)
        if not team.enabled:
            way = f"`llma trackers apply FILE --team {team_id}`"
            raise WrongUse(f"team {team_named(team_id)} has no tracker that is switched on; {way}")
        found = sync(database, team, clock=utc_now, options=options, dry_run=dry_run, by_hand=True)
    if as_json:
        emit_report(sync_report(team_id, found, dry_run=dry_run))
    else:
        for each in found.done:
            show(f"{each.tracker}: {plain(each.words)}")
        for tracker in found.busy:
            say(f"{tracker}: another process is speaking with it, or was killed less than five minutes ago.")
        for tracker, problem in found.problems.items():
            say(f"{tracker}: {plain(problem)}")
        if not found.done and not found.problems and not found.busy:
            say(f"Nothing to do: the issues of team {team_named(team_id)} are as they should be.")
    if found.problems:
        raise Problem(f"{len(found.problems)} of {len(team.enabled)} trackers could not be asked; nothing is lost")


@click.command("links")
@team_option()
@click.option("--tracker", default="", metavar="NAME", help="Only this tracker.")
@click.option("--problems", is_flag=True, help="Only links with a problem.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Latest N.")
@json_option
def links_command(team_id: int, tracker: str, problems: bool, limit: int, as_json: bool) -> None:
    """List which task or cluster has which issue, what happened last, and what is wrong."""
    from dataclasses import replace

    from llma_assets.clock import utc_now
    from llma_assets.trackers import trackers_report

    with opened_database() as database:
        report = trackers_report(database, team_id, now=utc_now())
    chosen = [
        each for each in report.links if tracker in ("", each.tracker) and (each.problem or not problems)
    ][:limit]  # fmt: skip
    if as_json:
        emit_report(replace(report, links=tuple(chosen)))
        return
    if chosen:
        show_table(
            ("issue", "state", "here", "of", "title", "wanted by", "last", "problem"),
            [_row(each) for each in chosen],
        )
    for each in report.trackers:
        for words in filter(None, (each.problem, each.notice)):
            say(f"{each.tracker}: {plain(words)}")
    if not chosen:
        say(f"Team {team_named(team_id)} has no {'links with problems' if problems else 'issues'}.")


def _row(link: "ShownLink") -> tuple[str, ...]:
    said = f"{link.said_at:%Y-%m-%d %H:%M} {link.said}" if link.said_at else "-"
    about = f"{link.about} {link.subject[:SHORT_ID]}"
    return link.issue or "-", link.state, link.here, about, link.title, link.wanted_by, said, link.problem
