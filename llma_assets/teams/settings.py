"""Settings of teams, from a mapping or a TOML file: which take part, the window, and the options of each.

The options of a team belong in `options`, settings of the installation (servers, models, folders) in
`llma_assets.settings`.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llma_assets.settings import Settings
from llma_assets.teams.fields import MAX_TEAM_ID, FieldReader, SettingProblem
from llma_assets.teams.options import PROTECTION, TeamOptions, read_options, read_own_options

LOOKBACK_DAYS = 7
"""Days of the window that clustering reads and discovery counts."""

MAX_LOOKBACK_DAYS = 365
TEAMS_FILE_VARIABLE = "LLMA_TEAMS_FILE"
TEAMS_FILE_NAME = "teams.toml"


class TeamSettingsError(ValueError):
    """The settings are unusable, or unusable for this team; the message names the file or the field."""


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """Which teams take part, and how. `from_mapping` and `from_file` validate fields; the constructor does not.

    Attributes:
        guaranteed_team_ids: teams that are always eligible, however few traces they have; first in every list.
        skip_team_ids: teams that are never processed, whatever else is set.
        sample_percentage: share, 0 to 1, of the other active teams that are eligible, rounded up to whole teams.
        sample_seed: seed of that sample; the same seed selects the same teams every day.
        lookback_days: length of the window of discovery and clustering.
        options: options of teams without a table of their own.
        team_options: full options of the other teams; use `options_of`.
    """

    guaranteed_team_ids: tuple[int, ...] = ()
    skip_team_ids: frozenset[int] = frozenset()
    sample_percentage: float = 1.0
    sample_seed: int = 0
    lookback_days: int = LOOKBACK_DAYS
    options: TeamOptions = field(default_factory=TeamOptions)
    team_options: Mapping[int, TeamOptions] = field(default_factory=dict)

    def minimum_of(self, team_id: int) -> int:
        """The fewest traces with which this team is eligible."""
        return self.team_options.get(team_id, self.options).minimum_traces

    def teams_with_replay_tasks(self, team_ids: Iterable[int]) -> list[int]:
        """Of these teams and those that have a table of their own, the ones with `session_replay_tasks` on, sorted."""
        asked = {*team_ids, *self.team_options}
        return sorted(team_id for team_id in asked if self.team_options.get(team_id, self.options).session_replay_tasks)

    def options_of(self, team_id: int) -> TeamOptions:
        """The options of a team.

        Raises:
            TeamSettingsError: a field that protects the team's private values or its budget is invalid. No default may
                replace it, so nothing is read, stored or spent for the team.
        """
        options = self.team_options.get(team_id, self.options)
        if options.unusable:
            raise TeamSettingsError("team settings: " + "; ".join(map(str, options.unusable)))
        return options

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], base: TeamOptions | None = None
    ) -> "tuple[TeamSettings, list[SettingProblem]]":
        """Read settings as in a TOML file; an invalid or unknown field is reported, not raised.

        Args:
            values: `guaranteed_team_ids`, `skip_team_ids`, `sample_percentage`, `sample_seed`, `lookback_days`, the
                fields of `TeamOptions`, and `teams`: a table for each team id with such fields of its own.
            base: options for fields that `values` do not set.

        Returns:
            the settings, with the default for each invalid field, and the problems.
        """
        reader = FieldReader(values)
        settings = cls(
            guaranteed_team_ids=reader.team_ids("guaranteed_team_ids"),
            skip_team_ids=frozenset(reader.team_ids("skip_team_ids")),
            sample_percentage=reader.fraction("sample_percentage", 1.0),
            sample_seed=reader.integer("sample_seed", 0, 0, MAX_TEAM_ID),
            lookback_days=reader.integer("lookback_days", LOOKBACK_DAYS, 1, MAX_LOOKBACK_DAYS),
            options=read_options(reader, base or TeamOptions()),
        )
        tables = list(reader.team_tables("teams"))
        reader.report_unknown(PROTECTION)
        general = replace(settings.options, unusable=tuple(problem for problem in reader.problems if problem.stops))
        own = {team_id: read_own_options(of_team, table, general) for team_id, table, of_team in tables}
        problems = reader.problems + [problem for _, _, of_team in tables for problem in of_team.problems]
        return replace(settings, options=general, team_options=own), problems

    @classmethod
    def from_file(cls, path: Path, base: TeamOptions | None = None) -> "tuple[TeamSettings, list[SettingProblem]]":
        """Read settings from a TOML file, as `from_mapping` does.

        Raises:
            TeamSettingsError: the file cannot be read or is not TOML. It is not ignored: a team on its skip list would
                be processed.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise TeamSettingsError(f"{path} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TeamSettingsError(f"{path} is not valid TOML: {error}") from error
        return cls.from_mapping(values, base)

    @classmethod
    def load(
        cls, data_dir: Path, environ: Mapping[str, str] = os.environ
    ) -> "tuple[TeamSettings, list[SettingProblem]]":
        """Read `LLMA_TEAMS_FILE`, else `teams.toml` in the data folder, else the defaults.

        A team without a budget gets that of `LLMA_DAILY_BUDGET_USD`.

        Raises:
            TeamSettingsError: the file cannot be read, or the file that the variable names does not exist.
            SettingsError: the budget in the environment is invalid.
        """
        base = TeamOptions(daily_budget_usd=Settings.from_env(environ).daily_budget_usd)
        named = environ.get(TEAMS_FILE_VARIABLE, "").strip()
        if named:
            return cls.from_file(Path(named), base)
        path = data_dir / TEAMS_FILE_NAME
        return cls.from_file(path, base) if path.exists() else (cls(options=base), [])
