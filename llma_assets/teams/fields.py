"""Reads and validates the fields of a table one by one, and collects the invalid ones.

Kinds of fields belong here, their names in `settings` and `options`.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from llma_assets.privacy import PatternError, Transformation, check_patterns, check_transformations

MAX_TEAM_ID = 2**63 - 1
T = TypeVar("T")
_SHOWN_CHARS = 80
_MOST_TAGS = 50
_TAG = re.compile(r"[A-Za-z][\w:.-]{0,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """An invalid or unknown field.

    Attributes:
        field: name of the field, `teams.12.minimum_traces` for one of a team.
        problem: what would be right, and what was found.
        stops: the field protects private values or a budget, so that no default may replace it: its teams are not
            processed until it is fixed. For any other field the default is used.
    """

    field: str
    problem: str
    stops: bool = False

    def __str__(self) -> str:
        effect = "the teams that it applies to are skipped until it is fixed" if self.stops else "its default is used"
        return f"{self.field}: {self.problem}; {effect}"


class FieldReader:
    """Reads the fields of one table. An invalid field gets the default that the caller states.

    Attributes:
        problems: the invalid fields so far.
    """

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        """Read from `values`; `prefix` precedes the names of fields in problems."""
        self._values = values
        self._prefix = prefix
        self._read: set[str] = set()
        self.problems: list[SettingProblem] = []

    def integer(self, name: str, default: int, least: int, most: int, *, stops: bool = False) -> int:
        """An integer within bounds; true is not an integer."""
        value = self._value(name, default)
        if name not in self._values or _is_integer(value, least, most):
            return int(value)
        return self.reject(name, f"must be an integer from {least:,} to {most:,}", default, stops=stops)

    def choice(self, name: str, default: T, allowed: Sequence[T]) -> T:
        """One of some words that say how a team is protected. An invalid one stops."""
        value = self._value(name, default)
        for each in allowed:
            if value == each:
                return each
        return self.reject(name, f"must be one of {', '.join(map(str, allowed))}", default, stops=True)

    def words(self, name: str, default: str, most: int) -> str:
        """A name on one line."""
        value = self._value(name, default)
        if isinstance(value, str) and len(value) <= most and value.isprintable():
            return value.strip()
        return self.reject(name, f"must be a text of one line, of at most {most} characters", default)

    def fraction(self, name: str, default: float) -> float:
        """A number from 0 to 1."""
        value = self._value(name, default)
        # NaN fails the comparison.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        return self.reject(name, "must be a number from 0 to 1", default)

    def flag(self, name: str, default: bool) -> bool:
        """True or false; 1 and "yes" are neither."""
        value = self._value(name, default)
        return value if isinstance(value, bool) else self.reject(name, "must be true or false", default)

    def optional_integer(self, name: str, default: int | None, least: int, most: int) -> int | None:
        """An integer within bounds, or the default, which may be None."""
        if self._value(name, default) is None:
            return None
        value = self.integer(name, least - 1, least, most)
        return default if value < least else value

    def limit_usd(self, name: str, default: float | None) -> float | None:
        """US dollars, 0 or more, None for `inf`. An invalid limit stops: it must not become no limit."""
        value = self._value(name, default)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return None if math.isinf(value) else float(value)
        return self.reject(name, "must be a number of US dollars, 0 or more, or inf for no limit", default, stops=True)

    def patterns(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Patterns of private values in RE2's syntax. An invalid one stops: what it should hide must not be shown."""
        value = self._value(name, default)
        if not isinstance(value, list | tuple):
            return self.reject(name, "must be a list of patterns", default, stops=True)
        try:
            check_patterns(value)
        except PatternError as error:
            return self.report(name, str(error), default, stops=True)
        return tuple(value)

    def transformations(self, name: str, default: tuple[Transformation, ...]) -> tuple[Transformation, ...]:
        """Tables of a pattern and a text. An invalid one stops: it may be there to hide something."""
        value = self._value(name, default)
        if name not in self._values:
            return default
        tables = value if isinstance(value, list) else [None]
        found: list[Transformation] = []
        for table in tables:
            if not isinstance(table, Mapping) or set(table) != {"pattern", "text"}:
                return self.reject(name, "must be tables with a pattern and a text each", default, stops=True)
            found.append((table["pattern"], table["text"]))
        if not all(isinstance(text, str) for _, text in found):
            return self.reject(name, "must be tables with a pattern and a text each", default, stops=True)
        try:
            check_transformations(found)
        except PatternError as error:
            return self.report(name, str(error), default, stops=True)
        return tuple(found)

    def tags(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Names of tags, without their brackets."""
        value = self._value(name, default)
        if isinstance(value, list | tuple) and len(value) <= _MOST_TAGS and all(map(_is_tag, value)):
            return tuple(dict.fromkeys(value))
        rule = f"must be a list of at most {_MOST_TAGS} names of tags, such as system-reminder"
        return self.reject(name, rule, default)

    def team_ids(self, name: str) -> tuple[int, ...]:
        """A list of team ids, each once."""
        value = self._value(name, ())
        if isinstance(value, list | tuple) and all(_is_integer(team, 0, MAX_TEAM_ID) for team in value):
            return tuple(dict.fromkeys(value))
        return self.reject(name, "must be a list of team ids (non-negative integers)", ())

    def team_tables(self, name: str) -> "Iterator[tuple[int, Mapping[str, Any], FieldReader]]":
        """The table of each team, with a reader of its own; an invalid table does not affect the others."""
        tables = self._value(name, {})
        if not isinstance(tables, Mapping):
            self.reject(name, "must be a table with a table for each team id", None)
            return
        for key, table in tables.items():
            where = f"{name}.{key}"
            if not (str(key).isascii() and str(key).isdigit() and len(str(key)) < 19):
                self.report(where, "the name of the table must be a team id (a non-negative integer)", None)
            elif not isinstance(table, Mapping):
                self.report(where, f"must be a table of settings, not {_shown(table)}", None)
            else:
                yield int(key), table, FieldReader(table, prefix=f"{where}.")

    def report_unknown(self, protecting: tuple[str, ...]) -> None:
        """Report the fields that were not read.

        Args:
            protecting: an unknown field with one of these prefixes is a misspelled protection, and stops.
        """
        for name in self._values:
            if name not in self._read:
                self.report(str(name), "there is no such setting", None, stops=str(name).startswith(protecting))

    def reject(self, name: str, rule: str, default: T, *, stops: bool = False) -> T:
        """Report that the value of a field breaks a rule, and return its default."""
        return self.report(name, f"{rule}, not {_shown(self._values[name])}", default, stops=stops)

    def report(self, name: str, problem: str, default: T, *, stops: bool = False) -> T:
        """Report a field, and return its default."""
        self.problems.append(SettingProblem(self._prefix + name, problem, stops))
        return default

    def _value(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self._values.get(name, default)


def _shown(value: object) -> str:
    """A value as an error shows it, cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]} …"


def _is_integer(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_tag(value: object) -> bool:
    return isinstance(value, str) and _TAG.fullmatch(value) is not None
