"""Checks and check results, the same for Dagster, `llma check` and tests.

The checks themselves belong in `checks.py` of each room.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

SHOWN_FAULTS = 5


def in_words(faults: Sequence[str]) -> str:
    """The first faults and the number of further ones in one line; "" for none."""
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return "; ".join(faults[:SHOWN_FAULTS]) + more


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a check for one theme, or for all themes.

    Attributes:
        passed: whether the check passed.
        expected: the expected state.
        found: the state that was found.
        query: the statement that shows it.
        theme_id: the theme, "" for all themes.
    """

    passed: bool
    expected: Any
    found: Any
    query: str
    theme_id: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check result: an outcome with its asset, check and partition."""

    asset: str
    check: str
    team_day: TeamDay
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return self.outcome.passed

    @property
    def subject(self) -> str:
        """The partition, and the theme if there is one."""
        theme = f", theme {self.outcome.theme_id}" if self.outcome.theme_id else ""
        return f"{self.team_day}{theme}"

    @property
    def sentence(self) -> str:
        """The check result in one line."""
        return (
            f"{self.asset}.{self.check} ({self.subject}): expected {self.outcome.expected}, found {self.outcome.found}"
        )


@dataclass(frozen=True, slots=True)
class Check:
    """A rule for the stored rows of an asset.

    Attributes:
        asset: name of the asset.
        judge: evaluates the rule for a partition and yields an outcome for each thing that it checks; no outcome is no
            failure. Its name is that of the check, its docstring the description.
        blocking: whether a failure stops downstream assets in the same run.
        warns: whether a failure is only a warning: Dagster shows it as such, and `llma check` passes.
    """

    asset: str
    judge: Callable[[Database, TeamDay], Iterator[Outcome]]
    blocking: bool = False
    warns: bool = False

    @property
    def name(self) -> str:
        """The check's name."""
        return self.judge.__name__

    @property
    def description(self) -> str:
        """The description of the rule."""
        return self.judge.__doc__ or ""

    def findings(self, database: Database, team_day: TeamDay) -> list[Finding]:
        """Evaluate the check for a partition."""
        return [Finding(self.asset, self.name, team_day, outcome) for outcome in self.judge(database, team_day)]
