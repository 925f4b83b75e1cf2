"""The parameters that several commands share: team, date, `--json`. What a command does belongs in its module."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.render.teams import team_names_from

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

F = TypeVar("F", bound=Callable[..., Any])

STDIN = "-"
DAY_HELP = "Day (UTC): YYYY-MM-DD, today or yesterday."
FILE_VARIABLES = ("LLMA_TEAMS_FILE", "LLMA_PRICES_FILE", "LLMA_WEB_TOKENS_FILE")
MAX_TEAM_ID = 2**63 - 1
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""The days that ClickHouse's type Date can hold."""


class Team(click.ParamType):  # type: ignore[type-arg]
    """The number of a team."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the number; `WrongUse` if it is invalid."""
        text = str(value).strip()
        if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_TEAM_ID:
            return int(text)
        self.fail(f"{value!r} is not a team number; it must be an integer from 0 to {MAX_TEAM_ID}", param, ctx)


TEAM = Team()


class Day(click.ParamType):  # type: ignore[type-arg]
    """A day such as 2026-11-07, `today` or `yesterday`, UTC."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the day; `WrongUse` if it is invalid."""
        if isinstance(value, date):
            return value
        words = {"today": utc_today(), "yesterday": utc_today() - timedelta(days=1)}
        try:
            day = words.get(value) or date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it like 2026-11-07, or today, or yesterday", param, ctx)
        if not FIRST_DAY <= day <= LAST_DAY:
            self.fail(f"{day} is out of range; days go from {FIRST_DAY} to {LAST_DAY}", param, ctx)
        return day


def utc_today() -> date:
    """Today's day, UTC."""
    return datetime.now(UTC).date()


def team_option(*, required: bool = True, help: str = "Number of the team.") -> Callable[[F], F]:
    """`--team`, a single one."""
    return click.option("--team", "team_id", type=TEAM, required=required, help=help)


def date_option(f: F) -> F:
    """`--date`, required."""
    return click.option("--date", "day", type=Day(), required=True, help=DAY_HELP)(f)


def optional_date(f: F) -> F:
    """`--date`, optional here; `days.require_day` lists the days that exist if it is missing."""
    return click.option("--date", "day", type=Day(), help=DAY_HELP)(f)


def json_option(f: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout (docs/cli.md).")(f)


def require_readable(name: str, named_by: str = "") -> None:
    """Check that a file can be read before any work starts; `-` is stdin.

    Args:
        named_by: the variable that names the file, for the message.

    Raises:
        WrongUse: it cannot be read.
    """
    if name == STDIN:
        return
    where = f"{named_by} names {name}, but that" if named_by else name
    if not os.path.exists(name):
        raise WrongUse(f"{name}: there is no such file" + (f"; {named_by} names it" if named_by else ""))
    if os.path.isdir(name):
        raise WrongUse(f"{where} is a folder; name " + ("a file" if named_by else "its files"))
    if not os.access(name, os.R_OK):
        raise WrongUse(f"{where} cannot be read by this user; check its permissions")


def require_named_files() -> None:
    """Check the files that settings name; they are read later, or in another process."""
    for variable in FILE_VARIABLES:
        if name := os.environ.get(variable, "").strip():
            require_readable(name, variable)


@contextmanager
def opened_database(*, create: bool = False) -> "Iterator[Database]":
    """The database of the settings, with its schema up to date; starts the embedded one if it does not run.

    Args:
        create: create a missing database, for commands that store data or settings.
    """
    from llma_assets.clickhouse import connect
    from llma_assets.settings import Settings

    require_named_files()
    with connect(Settings.from_env(), create=create) as database, team_names_from(partial(_team_names, database)):
        yield database.tagged(client="llma")


def _team_names(database: "Database") -> "dict[int, str]":
    from llma_assets.reports import names_of_teams
    from llma_assets.settings import Settings
    from llma_assets.teams import TeamSettings

    settings, _ = TeamSettings.load(Settings.from_env().data_dir)
    return names_of_teams(database, settings)


def decider(given: str | None) -> str:
    """The name of the person who decides: as given, else LLMA_USER, else the login."""
    name = (given or os.environ.get("LLMA_USER") or "").strip()[:200]
    if name:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container's user may have no name
        raise WrongUse("your name is unknown; set it by --by NAME or LLMA_USER") from error
