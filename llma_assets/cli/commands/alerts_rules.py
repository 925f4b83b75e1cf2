"""`llma alerts list, show, apply, history`: the rules and channels of a team. The logic is in `llma_assets.alerts`."""

import sys

import click

from llma_assets.cli.commands.setting_files import checked, content_of, show_changes
from llma_assets.cli.errors import Interrupted
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, say, show, show_table
from llma_assets.cli.render.teams import team_named


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List the alert rules and channels of a team."""
    from llma_assets.alerts import alerts_of, channels_off, rules_report

    with opened_database() as database:
        if as_json:
            emit_report(rules_report(database, team_id))
            return
        team = alerts_of(database, team_id)
        off = channels_off(database, team_id)
    show_table(
        ("rule", "on", "kind", "channels", "what it says"),
        [
            (each.rule, "on" if each.enabled else "off", each.kind, ", ".join(each.channels) or "-", each.sentence)
            for each in team.rules.values()
        ],
    )
    if team.channels:
        show()
        show_table(
            ("channel", "kind", "state"),
            [
                (
                    each.channel,
                    each.kind,
                    f"switched off: {off[each.channel]}" if each.channel in off else _on(each.enabled),
                )
                for each in team.channels.values()
            ],
        )
    for problem in team.problems:
        say(f"Problem: {problem}; `llma alerts apply` fixes it")


@click.command("show")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@team_option()
@json_option
def show_command(names: tuple[str, ...], team_id: int, as_json: bool) -> None:
    """Show rules and channels as a YAML file that `apply` takes; all without NAME."""
    from llma_assets.alerts import alerts_of, chosen_settings, file_report, write_document

    with opened_database() as database:
        document = chosen_settings(alerts_of(database, team_id), names)
    if as_json:
        emit_report(file_report(team_id, document))
    else:
        show(write_document(document))


@click.command("apply")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@team_option()
@click.option("--dry-run", is_flag=True, help="Show the changes; store nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@click.option("--prune", is_flag=True, help="Delete or reset what FILE does not name.")
@click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]")
@json_option
def apply_command(
    file: str, team_id: int, dry_run: bool, yes: bool, prune: bool, by: str | None, as_json: bool
) -> None:
    """Store the rules and channels of a YAML file; `-` reads stdin.

    It shows the changes, and asks for confirmation on a terminal. Fields that FILE leaves out get the value of the
    built-in rule, or the default.
    """
    from llma_assets.alerts import AppliedAlerts, InvalidRulesError, apply, changes_of, read_document

    document = checked(file, lambda: read_document(content_of(file)), InvalidRulesError)
    author = decider(by)
    with opened_database(create=not dry_run) as database:
        changes = checked(
            file, lambda: apply(database, team_id, document, author, dry_run=True, prune=prune), InvalidRulesError
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
        emit_report(AppliedAlerts(team_id, dry_run, stored, changes_of(changes)))
    elif stored:
        say(f"Stored for team {team_named(team_id)}, by {author}.")
    elif not changes:
        say(f"Nothing to change: the alerts of team {team_named(team_id)} match the file.")


@click.command("history")
@click.argument("name", default="", metavar="[NAME]")
@team_option()
@json_option
def history_command(name: str, team_id: int, as_json: bool) -> None:
    """Show who changed which rule or channel, and how."""
    from llma_assets.alerts import AlertHistory, changes_of, past_changes

    with opened_database() as database:
        changes = past_changes(database, team_id, name)
    if as_json:
        emit_report(AlertHistory(team_id, changes_of(changes)))
        return
    show_changes(changes)
    if not changes:
        say(f"Team {team_named(team_id)} has changed nothing{f' of {name!r}' if name else ''}.")


def _on(enabled: bool) -> str:
    return "on" if enabled else "off"
