"""What a check is and what it says: the same in Dagster, in `llma check` and in tests.

The checks themselves belong in the rooms' `checks.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay

SHOWN_FAULTS = 5


def in_words(faults: Sequence[str]) -> str:
    """The first faults in one line, and how many more there are; "" for none."""
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return "; ".join(faults[:SHOWN_FAULTS]) + more


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check saw of one theme, or of all themes together.

    Attributes:
        passed: whether all is well.
        expected: what should be there.
        found: what is there.
        query: the statement that shows it, for whoever looks further.
        theme_id: the theme, "" where the outcome is about all of them.
    """

    passed: bool
    expected: Any
    found: Any
    query: str
    theme_id: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """An outcome with its address: which check of which asset, for which team and day."""

    asset: str
    check: str
    team_day: TeamDay
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.outcome.passed

    @property
    def subject(self) -> str:
        """The team, the day and, where there is one, the theme."""
        theme = f", theme {self.outcome.theme_id}" if self.outcome.theme_id else ""
        return f"{self.team_day}{theme}"

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        return (
            f"{self.asset}.{self.check} ({self.subject}): expected {self.outcome.expected}, found {self.outcome.found}"
        )


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that the stored rows of an asset must obey.

    Attributes:
        asset: the asset that is judged.
        judge: looks at a team's day and yields an outcome for each thing it looked at; nothing to look at is no
            failure. Its name is the check's, its docstring the check's description.
        blocking: whether a failure stops the assets after it in the same run.
        warns: a failure is worth a look, and no failure of the pipeline: Dagster shows a warning, `llma check` passes.
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
        """The rule in words."""
        return self.judge.__doc__ or ""

    def findings(self, database: Database, team_day: TeamDay) -> list[Finding]:
        """Judge a team's day."""
        return [Finding(self.asset, self.name, team_day, outcome) for outcome in self.judge(database, team_day)]
