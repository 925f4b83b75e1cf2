"""Errors of commands: one line that says what to do, and an exit code instead of a traceback.

The mapping from exceptions to messages belongs here; printing of results belongs in `console.py`.
"""

import os
from typing import IO, Any

import click

from llma_assets.cli.render.console import hinted, plain

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


class Problem(click.ClickException):
    """A command failed: exit code 1."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line, without control characters."""
        click.echo(f"Error: {plain(hinted(self.message))}", file=file, err=file is None)


class WrongUse(Problem):
    """The command, an argument or a setting cannot be used as it is: exit code 2."""

    exit_code = WRONG_USE


class Interrupted(Problem):
    """The user pressed Ctrl-C: exit code 130."""

    exit_code = INTERRUPTED


def explained(error: Exception) -> Problem:
    """The problem for an exception; an unexpected one is shown with the name of its class.

    The exceptions of the rooms are imported here, only when they are needed, to keep the start quick.
    """
    from llma_assets.alerts import AlertError
    from llma_assets.clickhouse import DatabaseError, DatabaseUnavailable
    from llma_assets.clusters import EditError, UnknownLineageError
    from llma_assets.defs.instance import InstanceError
    from llma_assets.ingest import IngestError
    from llma_assets.insights import ReleaseError
    from llma_assets.models import ModelError
    from llma_assets.settings import SettingsError
    from llma_assets.teams import TeamLeftOut, TeamSettingsError
    from llma_assets.themes import ThemeError
    from llma_assets.trackers import TrackerError

    text = " ".join(str(error).split())
    settings = SettingsError | TeamSettingsError | TeamLeftOut
    wrong_use = settings | EditError | ReleaseError | ThemeError | AlertError | TrackerError
    is_wrong_use = isinstance(error, wrong_use)
    if is_wrong_use or (isinstance(error, DatabaseError) and text.startswith("CLICKHOUSE_URL")):
        return WrongUse(text)
    match error:
        case DatabaseUnavailable():
            text = f"{text}. {_database_advice()}"
        case DatabaseError() | IngestError() | UnknownLineageError() | InstanceError():
            pass
        case ModelError():
            text = f"{text}. `llma doctor` tests the configured models"
        case OSError():
            text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or text
        case _:
            text = f"{type(error).__name__}: {text or 'no message'} (LLMA_DEBUG=1 shows the traceback)"
    return Problem(text)


def _database_advice() -> str:
    if os.environ.get("CLICKHOUSE_URL", "").strip():
        return "Is the server of CLICKHOUSE_URL up? Without that variable the embedded database is used"
    return "See `llma db status` and `llma doctor`"
