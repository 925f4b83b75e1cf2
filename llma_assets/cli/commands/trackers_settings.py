"""`llma trackers list, show, apply, history, test`: the settings. The logic is in `llma_assets.trackers`."""

import sys

import click

from llma_assets.cli.commands.setting_files import checked, content_of, show_changes
from llma_assets.cli.errors import Interrupted, Problem
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List the trackers and rules of a team, and how each tracker answered last."""
    from llma_assets.clock import utc_now
    from llma_assets.trackers import team_report, trackers_of, trackers_report

    with opened_database() as database:
        team = trackers_of(database, team_id)
        report = trackers_report(database, team_id, now=utc_now())
    if as_json:
        emit_report(team_report(team, report))
        return
    if not team.trackers:
        say(
            f"Team {team_named(team_id)} has no tracker. `llma trackers apply FILE "
            f"--team {team_id}` adds one (docs/trackers.md)."
        )
    else:
        show_table(
            ("tracker", "kind", "project", "on", "issues", "last asked", "state"),
            [
                (
                    each.tracker,
                    each.kind,
                    each.project,
                    "on" if each.enabled else "off",
                    f"{each.links}" + (f", {each.waiting} waiting" if each.waiting else ""),
                    f"{each.passed_at:%Y-%m-%d %H:%M}" if each.passed_at else "-",
                    "; ".join(filter(None, (each.problem, each.notice))) or ("good" if each.passed_at else "-"),
                )
                for each in report.trackers
            ],
        )
    if team.rules:
        show()
        show_table(
            ("rule", "on", "what it says"),
            [(each.rule, "on" if each.enabled else "off", each.sentence) for each in team.rules.values()],
        )
    for problem in team.problems:
        say(f"Problem: {problem}; `llma trackers apply` fixes it")


@click.command("show")
@team_option()
@json_option
def show_command(team_id: int, as_json: bool) -> None:
    """Show trackers and rules as a YAML file that `apply` takes."""
    from llma_assets.trackers import Document, file_report, trackers_of, write_document

    with opened_database() as database:
        team = trackers_of(database, team_id)
    document = Document(tuple(team.trackers.values()), tuple(team.rules.values()))
    if as_json:
        emit_report(file_report(team_id, document))
    else:
        show(write_document(document))


@click.command("apply")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@team_option()
@click.option("--dry-run", is_flag=True, help="Show the changes; store nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@click.option("--prune", is_flag=True, help="Delete what FILE does not name; links stay.")
@click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]")
@json_option
def apply_command(
    file: str, team_id: int, dry_run: bool, yes: bool, prune: bool, by: str | None, as_json: bool
) -> None:
    """Store the trackers and rules of a YAML file; `-` reads stdin.

    It shows the changes, and asks for confirmation on a terminal. Fields that FILE leaves out get their defaults.
    """
    from llma_assets.trackers import AppliedTrackers, InvalidTrackersError, apply, changes_of, read_document

    document = checked(file, lambda: read_document(content_of(file)), InvalidTrackersError)
    author = decider(by)
    with opened_database(create=not dry_run) as database:
        changes = checked(
            file, lambda: apply(database, team_id, document, author, dry_run=True, prune=prune), InvalidTrackersError
        )
        if not as_json:
            show_changes(changes)
        stored = False
        if changes and not dry_run:
            if sys.stdin.isatty() and not yes and not click.confirm("Apply this?", err=True):
                raise Interrupted("nothing was stored")
            changes = apply(database, team_id, document, author, prune=prune)
            stored = True
    if as_json:
        emit_report(AppliedTrackers(team_id, dry_run, stored, changes_of(changes)))
    elif stored:
        say(
            f"Stored for team {team_named(team_id)}, by {author}. `llma "
            f"trackers test --team {team_id}` asks the trackers."
        )
    elif not changes:
        say(f"Nothing to change: the trackers of team {team_named(team_id)} match the file.")


@click.command("history")
@click.argument("name", default="", metavar="[NAME]")
@team_option()
@json_option
def history_command(name: str, team_id: int, as_json: bool) -> None:
    """Show who changed which tracker or rule, and how."""
    from llma_assets.trackers import TrackersHistory, changes_of, past_changes

    with opened_database() as database:
        changes = past_changes(database, team_id, name)
    if as_json:
        emit_report(TrackersHistory(team_id, changes_of(changes)))
        return
    show_changes(changes)
    if not changes:
        say(f"Team {team_named(team_id)} has changed nothing{f' of {name!r}' if name else ''}.")


@click.command("test")
@click.argument("name", default="", metavar="[TRACKER]")
@team_option()
@json_option
def test_command(name: str, team_id: int, as_json: bool) -> None:
    """Ask a tracker whether token, project and permissions are right; changes nothing. All without TRACKER."""
    from llma_assets.clock import utc_now
    from llma_assets.trackers import TrackerFault, client_of, tested_report, trackers_of

    with opened_database() as database:
        team = trackers_of(database, team_id)
    chosen = [team.tracker(name)] if name or not team.enabled else team.enabled
    found: dict[str, list[str]] = {}
    wrong: dict[str, str] = {}
    for each in chosen:
        try:
            with client_of(each, utc_now) as client:
                found[each.tracker] = client.test()
        except TrackerFault as error:
            wrong[each.tracker] = str(error)
    if as_json:
        emit_report(tested_report(team_id, found, wrong))
    else:
        for tracker, lines in found.items():
            for line in lines:
                show(f"{tracker}: {plain(line)}")
        for tracker, problem in wrong.items():
            say(f"{tracker}: {plain(problem)}")
    if wrong:
        raise Problem(
            f"{len(wrong)} of {len(chosen)} trackers of team {team_named(team_id)} cannot be used as they are"
        )
