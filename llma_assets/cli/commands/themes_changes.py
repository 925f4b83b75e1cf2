"""`llma themes apply, enable, disable, delete`: changes a team's themes. The logic belongs in `llma_assets.themes`."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.commands.setting_files import checked as checked_file
from llma_assets.cli.commands.setting_files import content_of
from llma_assets.cli.commands.themes_settings import THE_TEAM, show_fields
from llma_assets.cli.errors import Interrupted
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.themes import Changes, Document

SHOWN_PROBLEMS = 50

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")


def by_option(f: F) -> F:
    return click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]")(f)


@click.command("apply")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@team_option()
@click.option("--dry-run", is_flag=True, help="Show the changes; store nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@click.option("--prune", is_flag=True, help="Delete or reset themes that FILE does not name.")
@by_option
@json_option
def apply_command(
    file: str, team_id: int, dry_run: bool, yes: bool, prune: bool, by: str | None, as_json: bool
) -> None:
    """Store the themes of a YAML file; `-` reads stdin.

    It shows the changes, and asks for confirmation on a terminal. Fields that FILE leaves out get the value of the
    built-in theme, or the default. Themes that FILE does not name stay unchanged without --prune.
    """
    store_document(file, _read(file), team_id, dry_run=dry_run, yes=yes, prune=prune, by=by, as_json=as_json)


def store_document(
    file: str,
    document: "Document",
    team_id: int,
    *,
    dry_run: bool,
    yes: bool,
    prune: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Show what a document would change, ask, and store it.

    Args:
        file: what problems are said to be in.
    """
    from llma_assets.reports import AppliedChanges, changes_report
    from llma_assets.themes import apply

    author = decider(by)
    with opened_database(create=not dry_run) as database:
        found = checked(file, lambda: apply(database, team_id, document, author, dry_run=True, prune=prune))
        if not as_json:
            _show_changes(found, nothing=f"Nothing to change: the themes of team {team_named(team_id)} match the file.")
        if found.changes and not dry_run:
            if is_asked() and not yes:
                if as_json:
                    say(f"{len(found.changes)} changes; see them with --dry-run.")
                if not click.confirm("Apply this?", err=True):
                    raise Interrupted("nothing was stored")
            found = apply(database, team_id, document, author, prune=prune, based_on=found)
    if as_json:
        emit_report(AppliedChanges(dry_run, changes_report(found)))
    elif found.stored:
        say(f"Stored for team {team_named(team_id)}, by {author}.")


@click.command()
@click.argument("theme_id", metavar="THEME")
@team_option()
@by_option
@json_option
def enable(theme_id: str, team_id: int, by: str | None, as_json: bool) -> None:
    """Switch a theme on."""
    _switch(theme_id, team_id, True, by, as_json)


@click.command()
@click.argument("theme_id", metavar="THEME")
@team_option()
@by_option
@json_option
def disable(theme_id: str, team_id: int, by: str | None, as_json: bool) -> None:
    """Switch a theme off; its results stay."""
    _switch(theme_id, team_id, False, by, as_json)


@click.command("delete")
@click.argument("theme_id", metavar="THEME")
@team_option()
@by_option
@json_option
def delete_command(theme_id: str, team_id: int, by: str | None, as_json: bool) -> None:
    """Delete a theme that is not built in; its history and results stay."""
    from llma_assets.reports import changes_report
    from llma_assets.themes import delete

    with opened_database() as database:
        found = delete(database, team_id, theme_id, decider(by))
    if as_json:
        emit_report(changes_report(found))
    else:
        say(f"{theme_id} is deleted; `llma themes history {theme_id} --team {team_id}` still shows its settings.")


def is_asked() -> bool:
    """Whether stdin is a terminal, so that somebody can confirm."""
    return sys.stdin.isatty()


def _switch(theme_id: str, team_id: int, enabled: bool, by: str | None, as_json: bool) -> None:
    from llma_assets.reports import changes_report
    from llma_assets.themes import set_enabled

    with opened_database(create=True) as database:
        found = set_enabled(database, team_id, theme_id, enabled, decider(by))
    if as_json:
        emit_report(changes_report(found))
        return
    state = "on" if enabled else "off"
    say(f"{theme_id} is {state} now." if found.stored else f"{theme_id} is {state} already.")
    for note in found.notes:
        say(f"Note: {note}")


def _read(file: str) -> "Document":
    from llma_assets.themes import MAX_BYTES, read_document

    content = content_of(file, MAX_BYTES)
    return checked(file, lambda: read_document(content))


def checked(file: str, action: Callable[[], R]) -> R:
    """The result of an action; each problem of the file is printed on a line of its own."""
    from llma_assets.themes import InvalidThemesError

    return checked_file(file, action, InvalidThemesError)


def _show_changes(found: "Changes", *, nothing: str) -> None:
    for each in found.changes:
        version = each.version_after
        if each.version_before and each.version_before != version:
            version = f"{each.version_before} → {version}" if version else each.version_before
        show(f"{plain(each.theme_id) or THE_TEAM} {each.action}{f', version {version}' if version else ''}")
        show_fields(each.fields)
    for note in found.notes:
        say(f"Note: {note}")
    if not found.changes:
        say(nothing)
