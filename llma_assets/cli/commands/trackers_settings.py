"""`llma trackers list, show, apply, history, test`: the settings. The logic is in `llma_assets.trackers`."""

import click

from llma_assets.cli.commands.setting_files import apply_file, apply_options, show_history
from llma_assets.cli.errors import Problem
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List the trackers and rules of a team, and how each tracker answered last."""
    from llma_assets.clock import utc_now
    from llma_assets.trackers import problems_of, team_report, trackers_of, trackers_report

    with opened_database() as database:
        team = trackers_of(database, team_id)
        report = trackers_report(database, team_id, now=utc_now())
        problems = problems_of(database, team)
    if as_json:
        emit_report(team_report(team, report, problems))
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
    for problem in problems:
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
@apply_options("Delete what FILE does not name; links stay.")
def apply_command(
    file: str, team_id: int, dry_run: bool, yes: bool, prune: bool, by: str | None, as_json: bool
) -> None:
    """Store the trackers and rules of a YAML file; `-` reads stdin.

    It shows the changes, and asks for confirmation on a terminal. Fields that FILE leaves out get their defaults.
    """
    from llma_assets.trackers import SETTINGS, InvalidTrackersError, read_document

    apply_file(
        SETTINGS,
        read_document,
        InvalidTrackersError,
        file=file,
        team_id=team_id,
        dry_run=dry_run,
        yes=yes,
        prune=prune,
        by=by,
        as_json=as_json,
        advice=f" `llma trackers test --team {team_id}` asks the trackers.",
    )


@click.command("history")
@click.argument("name", default="", metavar="[NAME]")
@team_option()
@json_option
def history_command(name: str, team_id: int, as_json: bool) -> None:
    """Show who changed which tracker or rule, and how."""
    from llma_assets.trackers import SETTINGS

    show_history(SETTINGS, name, team_id, as_json=as_json)


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
