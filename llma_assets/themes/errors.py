"""What can be wrong with themes, said so that a person can fix it. Errors of the database belong to `clickhouse`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        where: the field, such as `themes[2].filters[0].operator`.
        message: what was found there, and what would be right.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class ThemeError(Exception):
    """A theme cannot be used, or not be changed, as was asked; the message names the way out."""


class InvalidThemesError(ThemeError):
    """Settings of themes are not valid; nothing of them was stored.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def did_you_mean(found: object, known: Iterable[str]) -> str:
    """A suggestion such as `; did you mean 'icontains'?`, or nothing where none of the known is alike."""
    alike = get_close_matches(str(found)[:100].lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {alike[0]!r}?" if alike else ""
