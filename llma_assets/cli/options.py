"""The parameters that several commands share: team, date, `--json`. What a command does belongs in its module."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.errors import WrongUse

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

F = TypeVar("F", bound=Callable[..., Any])

STDIN = "-"
FILE_VARIABLES = ("LLMA_TEAMS_FILE", "LLMA_PRICES_FILE")
MAX_TEAM_ID = 2**63 - 1
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""The days that ClickHouse's type Date can hold."""


class Team(click.ParamType):  # type: ignore[type-arg]
    """The number of a team."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number; wrong use if it is none."""
        text = str(value).strip()
        if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_TEAM_ID:
            return int(text)
        self.fail(f"{value!r} is not the number of a team; those go from 0 to {MAX_TEAM_ID}", param, ctx)


TEAM = Team()


class Day(click.ParamType):  # type: ignore[type-arg]
    """A day such as 2026-11-07, `today` or `yesterday`, UTC."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the day; wrong use if it is none."""
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
    """`--team`, one of them."""
    return click.option("--team", "team_id", type=TEAM, required=required, help=help)


def date_option(f: F) -> F:
    """`--date`, required."""
    return click.option("--date", "day", type=Day(), required=True, help="Day, UTC; today and yesterday work.")(f)


def optional_date(f: F) -> F:
    """`--date`; where it is missing, `days.require_day` says which days there are."""
    return click.option("--date", "day", type=Day(), help="Day, UTC; today and yesterday work.")(f)


def json_option(f: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout (docs/cli.md).")(f)


def require_readable(name: str, named_by: str = "") -> None:
    """Wrong use before anything is done, instead of a failure in the middle; `-` is stdin."""
    if name == STDIN:
        return
    where = f"{named_by} names {name}, but that" if named_by else name
    if not os.path.exists(name):
        raise WrongUse(f"{name}: there is no such file" + (f"; {named_by} names it" if named_by else ""))
    if os.path.isdir(name):
        raise WrongUse(f"{where} is a folder; name " + ("a file" if named_by else "its files"))
    if not os.access(name, os.R_OK):
        raise WrongUse(f"{where} may not be read by this user")


def require_named_files() -> None:
    """The files that settings name have to be there: what reads them comes later, or in another process."""
    for variable in FILE_VARIABLES:
        if name := os.environ.get(variable, "").strip():
            require_readable(name, variable)


@contextmanager
def opened_database(*, create: bool = False) -> "Iterator[Database]":
    """The database of the settings, with its schema up to date; starts the embedded one where none runs.

    Args:
        create: make it where there is none, for the commands that bring data or settings.
    """
    from llma_assets.clickhouse import connect
    from llma_assets.settings import Settings

    require_named_files()
    with connect(Settings.from_env(), create=create) as database:
        yield database.tagged(client="llma")


def decider(given: str | None) -> str:
    """Who decides: as given, else LLMA_USER, else the login."""
    name = (given or os.environ.get("LLMA_USER") or "").strip()[:200]
    if name:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container's user may have no name
        raise WrongUse("it is not known who you are; say it by --by NAME or LLMA_USER") from error
