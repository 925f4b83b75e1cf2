"""Takes fields out of a mapping one by one, and remembers which were broken. Knows kinds of fields, not their names."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from llma_assets.privacy import PatternError, check_patterns

MAX_TEAM_ID = 2**63 - 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A field that could not be used.

    Attributes:
        field: its name, `teams.12.minimum_traces` for one of a team.
        problem: what was found and what is needed.
        stops: the field protects somebody, so that no default can stand in for it: nothing is read, stored or spent
            for the teams that it is for until it is mended. Of any other field the default holds.
    """

    field: str
    problem: str
    stops: bool = False

    def __str__(self) -> str:
        then = "the teams that it is for are not worked on until it is mended" if self.stops else "its default holds"
        return f"{self.field}: {self.problem}; {then}"


class FieldReader:
    """The fields of one table. A broken one gives the default that the caller names.

    Attributes:
        problems: what was broken so far.
    """

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        """Read from `values`; problems name fields with `prefix` before them."""
        self._values = values
        self._prefix = prefix
        self._read: set[str] = set()
        self.problems: list[SettingProblem] = []

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """An integer within bounds; true is none."""
        value = self._take(name, default)
        if name not in self._values or _is_integer(value, least, most):
            return int(value)
        return self.broken(name, f"{value!r} is not an integer from {least:,} to {most:,}", default)

    def fraction(self, name: str, default: float) -> float:
        """A number from 0 to 1."""
        value = self._take(name, default)
        # NaN fails the comparison.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        return self.broken(name, f"{value!r} is not a number from 0 to 1", default)

    def flag(self, name: str, default: bool) -> bool:
        """True or false; 1 and "yes" are neither."""
        value = self._take(name, default)
        return value if isinstance(value, bool) else self.broken(name, f"{value!r} is not true or false", default)

    def optional_integer(self, name: str, default: int | None, least: int, most: int) -> int | None:
        """An integer within bounds, or the default, which may be None."""
        if self._take(name, default) is None:
            return None
        value = self.integer(name, least - 1, least, most)
        return default if value < least else value

    def limit_usd(self, name: str, default: float | None) -> float | None:
        """US dollars, 0 or more; `inf` for no limit, which is None. A broken limit stops: it may not become none."""
        value = self._take(name, default)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return None if math.isinf(value) else float(value)
        return self.broken(name, f"{value!r} is not a number of US dollars, 0 or more", default, stops=True)

    def patterns(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Patterns of private values in RE2's syntax. A broken one stops: what it should hide may not be shown."""
        value = self._take(name, default)
        if not isinstance(value, list | tuple):
            return self.broken(name, f"{value!r} is not a list of patterns", default, stops=True)
        try:
            check_patterns(value)
        except PatternError as error:
            return self.broken(name, str(error), default, stops=True)
        return tuple(value)

    def team_ids(self, name: str) -> tuple[int, ...]:
        """A list of team ids, each once."""
        value = self._take(name, ())
        if isinstance(value, list | tuple) and all(_is_integer(team, 0, MAX_TEAM_ID) for team in value):
            return tuple(dict.fromkeys(value))
        return self.broken(name, f"{value!r} is not a list of team ids", ())

    def team_tables(self, name: str) -> "Iterator[tuple[int, Mapping[str, Any], FieldReader]]":
        """The table of each team with a reader of its own; a broken one does not touch the others."""
        tables = self._take(name, {})
        if not isinstance(tables, Mapping):
            self.broken(name, f"{tables!r} is not a table of teams", None)
            return
        for key, table in tables.items():
            where = f"{name}.{key}"
            if not (str(key).isascii() and str(key).isdigit() and len(str(key)) < 19):
                self.broken(where, f"{key!r} is not a team id", None)
            elif not isinstance(table, Mapping):
                self.broken(where, f"{table!r} is not a table of settings", None)
            else:
                yield int(key), table, FieldReader(table, prefix=f"{where}.")

    def report_unknown(self, protecting: str) -> None:
        """Report fields that nobody asked for.

        Args:
            protecting: an unknown field whose name begins so is a protection misspelled, and stops.
        """
        for name in self._values:
            if name not in self._read:
                self.broken(str(name), "there is no such setting", None, stops=str(name).startswith(protecting))

    def broken(self, name: str, problem: str, default: T, *, stops: bool = False) -> T:
        """Report a field, and go on with its default."""
        self.problems.append(SettingProblem(self._prefix + name, problem, stops))
        return default

    def _take(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self._values.get(name, default)


def _is_integer(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
