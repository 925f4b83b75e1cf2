"""Files of settings: reading one, its problems, and what it changes, as every command prints them."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.errors import Interrupted, WrongUse
from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.named_settings import NamedSettings, SettingChange

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
LARGEST_FILE = 256 << 10
SHOWN_PROBLEMS = 50


def show_changes(changes: "Iterable[SettingChange]") -> None:
    """Print changes, field by field."""
    from llma_assets.themes import lines_of

    for each in changes:
        when = f"{each.changed_at:%Y-%m-%d %H:%M} {plain(each.author)}: " if each.changed_at else ""
        show(f"{when}{each.item} {plain(each.name)} {each.action}")
        for field in each.fields:
            for line in lines_of(field):
                show(f"  {plain(line)}")


def checked(file: str, action: Callable[[], R], invalid: type[Exception]) -> R:
    """The result of an action; each problem of the file is printed on a line of its own.

    Args:
        invalid: the error that has `problems`.
    """
    try:
        return action()
    except invalid as error:
        problems = error.problems  # type: ignore[attr-defined]
        if len(problems) > 1:
            for problem in problems[:SHOWN_PROBLEMS]:
                say(f"{file}: {problem}")
            raise WrongUse(f"{file}: {len(problems)} problems; nothing was stored") from error
        raise WrongUse(f"{file}: {problems[0]}; nothing was stored") from error


def content_of(file: str, most: int = LARGEST_FILE) -> bytes:
    """The beginning of a file, at most one byte more than is allowed; `-` is stdin."""
    if file == "-":
        return sys.stdin.buffer.read(most + 1)
    try:
        with Path(file).open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise WrongUse(f"{file}: {error.strerror}") from error


def apply_options(prune_help: str) -> Callable[[F], F]:
    """The argument and the options of a command that stores a file of named settings."""

    def decorated(command: F) -> F:
        for each in (
            json_option,
            click.option("--by", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]"),
            click.option("--prune", is_flag=True, help=prune_help),
            click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation."),
            click.option("--dry-run", is_flag=True, help="Show the changes; store nothing."),
            team_option(),
            click.argument("file", type=click.Path(dir_okay=False, allow_dash=True)),
        ):
            command = each(command)
        return command

    return decorated


def apply_file(
    settings: "NamedSettings",
    read: Callable[[bytes], object],
    invalid: type[Exception],
    *,
    file: str,
    team_id: int,
    dry_run: bool,
    yes: bool,
    prune: bool,
    by: str | None,
    as_json: bool,
    advice: str = "",
) -> None:
    """Store the named settings of a file: show the changes, and ask for confirmation on a terminal.

    Args:
        read: the document of the file's content.
        invalid: the error that has `problems`.
        advice: what to do next, after they are stored.
    """
    from llma_assets.named_settings import AppliedSettings

    document = checked(file, lambda: read(content_of(file)), invalid)
    author = decider(by)
    with opened_database(create=not dry_run) as database:
        changes = checked(
            file, lambda: settings.apply(database, team_id, document, author, dry_run=True, prune=prune), invalid
        )
        if not as_json:
            show_changes(changes)
        stored = False
        if changes and not dry_run:
            if sys.stdin.isatty() and not yes and not click.confirm("Apply this?", err=True):
                raise Interrupted("nothing was stored")
            changes = settings.apply(database, team_id, document, author, prune=prune)
            stored = True
    if as_json:
        emit_report(AppliedSettings(team_id, dry_run, stored, tuple(changes)))
    elif stored:
        say(f"Stored for team {team_named(team_id)}, by {author}.{advice}")
    elif not changes:
        say(f"Nothing to change: the {settings.noun} of team {team_named(team_id)} match the file.")


def show_history(settings: "NamedSettings", name: str, team_id: int, *, as_json: bool) -> None:
    """Print who changed which of a team's named settings, and how; all without a name."""
    from llma_assets.named_settings import SettingsHistory

    with opened_database() as database:
        changes = settings.past_changes(database, team_id, name)
    if as_json:
        emit_report(SettingsHistory(team_id, tuple(changes)))
        return
    show_changes(changes)
    if not changes:
        say(f"Team {team_named(team_id)} has changed nothing{f' of {name!r}' if name else ''}.")
