"""What is said of a team: its number, and the name that people know it by."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import click

from llma_assets.cli.render.console import plain

_KEY: Final = "llma_assets.team_names"


class _Names:
    """Names of teams, read when they are first asked for, and once more before the database is closed."""

    def __init__(self, load: Callable[[], Mapping[int, str]]) -> None:
        self._load = load
        self._names: Mapping[int, str] | None = None

    def read(self) -> None:
        self._names = self._load()

    def of(self, team_id: int) -> str:
        if self._names is None:
            self.read()
        return (self._names or {}).get(team_id, "")


@contextmanager
def team_names_from(load: Callable[[], Mapping[int, str]]) -> Iterator[None]:
    """Have `team_named` know names, in the body and, as they are at its end, for the rest of the command.

    Args:
        load: reads the names by number; is not called after the body.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        yield
        return
    names = context.meta[_KEY] = _Names(load)
    yield
    names.read()


def team_named(team_id: int) -> str:
    """The number of a team, and its name where one is known: `7 (shop)`. Behind `--team` stands the number alone."""
    context = click.get_current_context(silent=True)
    names = context.meta.get(_KEY) if context is not None else None
    name = names.of(team_id) if names is not None else ""
    return f"{team_id} ({plain(name)})" if name else str(team_id)
