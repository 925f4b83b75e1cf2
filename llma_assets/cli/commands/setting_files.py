"""Files of settings: reading one, its problems, and what it changes, as every command prints them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.render.console import plain, say, show

if TYPE_CHECKING:
    from llma_assets.themes import FieldChange

R = TypeVar("R")
LARGEST_FILE = 256 << 10
SHOWN_PROBLEMS = 50


class Change(Protocol):
    """A change of a setting."""

    @property
    def item(self) -> str:
        """What kind of setting it is."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def action(self) -> str:
        """What was done."""
        ...

    @property
    def fields(self) -> "Sequence[FieldChange]":
        """Those that differ."""
        ...

    @property
    def changed_at(self) -> datetime | None:
        """None of what is not stored yet."""
        ...

    @property
    def author(self) -> str:
        """Who did it."""
        ...


def show_changes(changes: Iterable[Change]) -> None:
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
