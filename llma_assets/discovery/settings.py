"""What may be set for teams: who is in, who is out, how many, how far back. From a mapping or a TOML file.

What an installation sets (servers, models, folders) is in `llma_assets.settings`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

LOOKBACK_DAYS = 7
"""Days of the window that clustering reads, and so of the window that discovery counts."""

MINIMUM_TRACES = 20
MAX_LOOKBACK_DAYS = 365
T = TypeVar("T")

MAX_TEAM_ID = 2**63 - 1
TEAMS_FILE_VARIABLE = "LLMA_TEAMS_FILE"
TEAMS_FILE_NAME = "teams.toml"


class TeamSettingsError(ValueError):
    """The file of team settings cannot be read at all; the message names it and the fault."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A field that could not be used, so that its default holds.

    Attributes:
        field: its name, `teams.12.minimum_traces` for one of a team.
        problem: what was found and what is needed.
    """

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}; its default holds"


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """Who takes part. `from_mapping` and `from_file` mend broken fields; the constructor takes what it gets.

    Attributes:
        guaranteed_team_ids: always in and never sampled out, however few traces they have; first in every
            list.
        skip_team_ids: out, whatever else is set.
        sample_percentage: share, 0 to 1, of the other active teams that are in, rounded up to whole teams.
        sample_seed: which teams those are; the same seed chooses the same teams every day.
        lookback_days: length of the window, for discovery and for clustering.
        minimum_traces: a team with fewer traces in the window is out.
        team_minimum_traces: the same for single teams.
    """

    guaranteed_team_ids: tuple[int, ...] = ()
    skip_team_ids: frozenset[int] = frozenset()
    sample_percentage: float = 1.0
    sample_seed: int = 0
    lookback_days: int = LOOKBACK_DAYS
    minimum_traces: int = MINIMUM_TRACES
    team_minimum_traces: Mapping[int, int] = field(default_factory=dict)

    def minimum_of(self, team_id: int) -> int:
        """The fewest traces with which this team is in."""
        return self.team_minimum_traces.get(team_id, self.minimum_traces)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "tuple[DiscoverySettings, list[SettingProblem]]":
        """Read settings as they stand in a TOML file; a broken or unknown field is reported, not raised.

        Args:
            values: `guaranteed_team_ids`, `skip_team_ids`, `sample_percentage`, `sample_seed`,
                `lookback_days`,
                `minimum_traces`, and `teams`: a table for each team id with its own `minimum_traces`.

        Returns:
            the settings, with the default in place of each broken field, and what was broken.
        """
        reader = _Reader(values)
        settings = cls(
            guaranteed_team_ids=reader.team_ids("guaranteed_team_ids"),
            skip_team_ids=frozenset(reader.team_ids("skip_team_ids")),
            sample_percentage=reader.fraction("sample_percentage", 1.0),
            sample_seed=reader.integer("sample_seed", 0, 0, MAX_TEAM_ID),
            lookback_days=reader.integer("lookback_days", LOOKBACK_DAYS, 1, MAX_LOOKBACK_DAYS),
            minimum_traces=reader.integer("minimum_traces", MINIMUM_TRACES, 1, MAX_TEAM_ID),
            team_minimum_traces=reader.team_minimums("teams"),
        )
        reader.report_unknown()
        return settings, reader.problems

    @classmethod
    def from_file(cls, path: Path) -> "tuple[DiscoverySettings, list[SettingProblem]]":
        """Read settings from a TOML file.

        Raises:
            TeamSettingsError: the file cannot be read or is no TOML. It is not ignored: a team on its skip
                list
                would be processed.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TeamSettingsError(f"{path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TeamSettingsError(f"{path} is not valid TOML: {error}") from error
        return cls.from_mapping(values)

    @classmethod
    def load(
        cls, data_dir: Path, environ: Mapping[str, str] = os.environ
    ) -> "tuple[DiscoverySettings, list[SettingProblem]]":
        """Read `LLMA_TEAMS_FILE`, else `teams.toml` in the data folder, else the defaults.

        Raises:
            TeamSettingsError: the file cannot be read, or the one that the variable names is not there.
        """
        named = environ.get(TEAMS_FILE_VARIABLE, "").strip()
        if named:
            return cls.from_file(Path(named))
        path = data_dir / TEAMS_FILE_NAME
        return cls.from_file(path) if path.exists() else (cls(), [])


class _Reader:
    """Takes fields out of a mapping and remembers which were broken."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._read: set[str] = set()
        self.problems: list[SettingProblem] = []

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self._take(name, default)
        if name not in self._values or _is_integer(value, least, most):
            return int(value)
        return self._broken(name, f"{value!r} is not an integer from {least:,} to {most:,}", default)

    def fraction(self, name: str, default: float) -> float:
        value = self._take(name, default)
        # NaN fails the comparison.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        return self._broken(name, f"{value!r} is not a number from 0 to 1", default)

    def team_ids(self, name: str) -> tuple[int, ...]:
        value = self._take(name, ())
        if isinstance(value, list | tuple) and all(_is_integer(team, 0, MAX_TEAM_ID) for team in value):
            return tuple(dict.fromkeys(value))
        return self._broken(name, f"{value!r} is not a list of team ids", ())

    def team_minimums(self, name: str) -> dict[int, int]:
        """`{"12": {"minimum_traces": 5}}`; a broken team does not touch the others."""
        tables = self._take(name, {})
        if not isinstance(tables, Mapping):
            return self._broken(name, f"{tables!r} is not a table of teams", {})
        minimums = {}
        for key, table in tables.items():
            where = f"{name}.{key}"
            if not (str(key).isascii() and str(key).isdigit() and len(str(key)) < 19):
                self._broken(where, f"{key!r} is not a team id", None)
            elif not isinstance(table, Mapping):
                self._broken(where, f"{table!r} is not a table of settings", None)
            else:
                reader = _Reader(table)
                minimum = reader.integer("minimum_traces", 0, 1, MAX_TEAM_ID)
                reader.report_unknown()
                self.problems += [SettingProblem(f"{where}.{p.field}", p.problem) for p in reader.problems]
                if minimum:
                    minimums[int(key)] = minimum
        return minimums

    def report_unknown(self) -> None:
        for name in self._values:
            if name not in self._read:
                self._broken(str(name), "there is no such setting", None)

    def _take(self, name: str, default: Any) -> Any:
        self._read.add(name)
        return self._values.get(name, default)

    def _broken(self, name: str, problem: str, default: T) -> T:
        self.problems.append(SettingProblem(name, problem))
        return default


def _is_integer(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
