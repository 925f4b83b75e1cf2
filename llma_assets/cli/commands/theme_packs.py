"""`llma themes packs`: themes that others share. Reading packs belongs in `llma_assets.themes`."""

from typing import TYPE_CHECKING

import click

from llma_assets.cli.commands.setting_files import checked as checked_file
from llma_assets.cli.commands.themes_changes import by_option, checked, store_document
from llma_assets.cli.options import TEAM, decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.alerts import PackReport


@click.group("packs")
def packs_group() -> None:
    """Theme packs: themes that others share, in a folder or an installed package.

    Two ship: agent_failures and retrieval_answers. Their themes and alert rules are off until they are switched on.
    """


@packs_group.command("list")
@click.option("--team", "team_id", type=TEAM, help="Say what the team has of each.")
@json_option
def list_command(team_id: int | None, as_json: bool) -> None:
    """List the packs that ship and those of installed packages.

    With --team it says which of their themes and alert rules the team has, and which have other settings there.
    """
    from llma_assets.alerts import packs_report

    if team_id is None:
        report = packs_report(None, None)
    else:
        with opened_database() as database:
            report = packs_report(database, team_id)
    if as_json:
        emit_report(report)
        return
    rows = [(each.name, each.version, each.origin, len(each.themes), _state(each), each.title) for each in report.packs]
    show_table(("pack", "version", "from", "themes", "team has", "title"), rows, right=("themes",))
    for problem in report.problems:
        say(problem)


@packs_group.command("show")
@click.argument("pack", metavar="PACK")
@json_option
def show_command(pack: str, as_json: bool) -> None:
    """Print a pack: what it is, where it comes from, and its themes as YAML. PACK is a name or a folder."""
    from llma_assets.alerts import InvalidRulesError, pack_report, rules_of
    from llma_assets.themes import pack_of, write_document

    found = checked(pack, lambda: pack_of(pack))
    if as_json:
        emit_report(checked_file(pack, lambda: pack_report(found), InvalidRulesError))
        return
    show(f"{plain(found.title)}, version {plain(found.version) or 'unknown'}, from {plain(found.origin)}")
    for text in (found.description, found.source):
        if text:
            show(plain(text))
    show()
    show(write_document(found.document).rstrip("\n"))
    for rule in checked_file(pack, lambda: rules_of(found), InvalidRulesError).rules:
        show(f"Alert rule {plain(rule.rule)}, off: {plain(rule.sentence)}")


@packs_group.command("install")
@click.argument("pack", metavar="PACK")
@team_option()
@click.option("--dry-run", is_flag=True, help="Show the changes; store nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@by_option
@json_option
def install(pack: str, team_id: int, dry_run: bool, yes: bool, by: str | None, as_json: bool) -> None:
    """Store the themes of a pack for a team. Installing a newer version shows what changed since.

    PACK is a name or a folder. Themes of the team that the pack does not name stay as they are. What the team changed
    in a theme of the pack is replaced, and shown before: whether a theme is on stays.
    """
    from llma_assets.alerts import InvalidRulesError, alerts_of, apply, rules_of
    from llma_assets.themes import pack_of, themes_of

    found = checked(pack, lambda: pack_of(pack))
    with opened_database(create=not dry_run) as database:
        document = found.for_team(themes_of(database, team_id))
        rules = checked_file(pack, lambda: rules_of(found, alerts_of(database, team_id)), InvalidRulesError)
    store_document(pack, document, team_id, dry_run=dry_run, yes=yes, prune=False, by=by, as_json=as_json)
    if not rules.rules:
        return
    with opened_database(create=not dry_run) as database:
        changes = apply(database, team_id, rules, decider(by), dry_run=dry_run)
    for each in changes:
        say(f"Alert rule {plain(each.name)} {'would be ' if dry_run else ''}{each.action}; it is off unless it was on.")


def _state(pack: "PackReport") -> str:
    if not pack.team:
        return ""
    has, differing = pack.team, (*pack.team.differing, *(f"rule {each}" for each in pack.team.differing_rules))
    if not (has.installed or has.rules):
        return "nothing"
    if differing:
        return f"other settings of {', '.join(differing)}"
    if (has.installed, has.rules) == (pack.themes, pack.rules):
        return "all"
    rules = f", {len(has.rules)} of {len(pack.rules)} alert rules" if pack.rules else ""
    return f"{len(has.installed)} of {len(pack.themes)}{' themes' if rules else ''}{rules}"
