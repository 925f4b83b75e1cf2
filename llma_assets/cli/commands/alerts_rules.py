"""`llma alerts list, show, apply, history`: the rules and channels of a team. The logic is in `llma_assets.alerts`."""

import click

from llma_assets.cli.commands.setting_files import apply_file, apply_options, show_history
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, say, show, show_table


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List the alert rules and channels of a team."""
    from llma_assets.alerts import alerts_of, channels_off, problems_of, rules_report

    with opened_database() as database:
        if as_json:
            emit_report(rules_report(database, team_id))
            return
        team = alerts_of(database, team_id)
        off, problems = channels_off(database, team_id), problems_of(database, team)
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
    for problem in problems:
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
@apply_options("Delete or reset what FILE does not name.")
def apply_command(
    file: str, team_id: int, dry_run: bool, yes: bool, prune: bool, by: str | None, as_json: bool
) -> None:
    """Store the rules and channels of a YAML file; `-` reads stdin.

    It shows the changes, and asks for confirmation on a terminal. Fields that FILE leaves out get the value of the
    built-in rule, or the default.
    """
    from llma_assets.alerts import SETTINGS, InvalidRulesError, read_document

    apply_file(
        SETTINGS,
        read_document,
        InvalidRulesError,
        file=file,
        team_id=team_id,
        dry_run=dry_run,
        yes=yes,
        prune=prune,
        by=by,
        as_json=as_json,
    )


@click.command("history")
@click.argument("name", default="", metavar="[NAME]")
@team_option()
@json_option
def history_command(name: str, team_id: int, as_json: bool) -> None:
    """Show who changed which rule or channel, and how."""
    from llma_assets.alerts import SETTINGS

    show_history(SETTINGS, name, team_id, as_json=as_json)


def _on(enabled: bool) -> str:
    return "on" if enabled else "off"
