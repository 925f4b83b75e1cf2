"""The data checks of all rooms, for `llma check` and Dagster, and the report of what they found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from llma_assets.clickhouse import Database
from llma_assets.clusters import CHECKS as CLUSTERS
from llma_assets.discovery import CHECKS as DISCOVERY
from llma_assets.embeddings import CHECKS as EMBEDDINGS
from llma_assets.events import CHECKS as EVENTS
from llma_assets.findings import Check, Finding
from llma_assets.labels import CHECKS as LABELS
from llma_assets.rendering import CHECKS as TEXTS
from llma_assets.serialization import NOT_IN_JSON, Day, TeamId, ThemeId
from llma_assets.summaries import CHECKS as SUMMARIES
from llma_assets.tasks import CHECKS as TASKS
from llma_assets.team_day import TeamDay


def all_checks() -> list[Check]:
    """The checks of all rooms, in the order of the graph."""
    return [*DISCOVERY, *TEXTS, *SUMMARIES, *EMBEDDINGS, *CLUSTERS, *LABELS, *EVENTS, *TASKS]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found for one theme, or for all themes of a partition.

    Attributes:
        asset, check: the check and the asset whose rows it reads.
        theme_id: "" for all themes.
        blocking: whether a failure stops downstream assets in the same run.
        warns: whether a failure is only a warning.
        expected, found: in words.
        query: the statement that shows it, in one line.
        sentence: the result in one line.
        description: of the rule, in one line.
    """

    asset: str
    check: str
    team_id: TeamId
    theme_id: ThemeId
    passed: bool
    blocking: bool
    warns: bool
    expected: str
    found: str
    query: str
    sentence: Annotated[str, NOT_IN_JSON]
    description: Annotated[str, NOT_IN_JSON]

    @property
    def rank(self) -> int:
        """0 for a failure, 1 for a warning, 2 for a check that passed."""
        return 2 if self.passed else int(self.warns)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checks found on a day, failures first.

    Attributes:
        teams: the teams that were checked.
        checked, failed, warned: counts of results.
        findings: the results.
    """

    day: Day
    teams: tuple[int, ...]
    checked: int
    failed: int
    findings: tuple[CheckResult, ...]
    warned: int


def check_report(database: Database, day: date, teams: Sequence[int]) -> CheckReport:
    """Evaluate all checks for these teams of a day; what several checks of a team ask is asked once."""
    found = [
        _result(check, finding)
        for team_id in teams
        for reader in (database.remembering(),)
        for check in all_checks()
        for finding in check.findings(reader, TeamDay(team_id, day))
    ]
    found.sort(key=lambda result: result.rank)
    ranks = Counter(result.rank for result in found)
    return CheckReport(day, tuple(teams), len(found), ranks[0], tuple(found), ranks[1])


def _result(check: Check, finding: Finding) -> CheckResult:
    return CheckResult(
        asset=finding.asset,
        check=finding.check,
        team_id=finding.team_day.team_id,
        theme_id=finding.outcome.theme_id,
        passed=finding.passed,
        blocking=check.blocking,
        warns=check.warns,
        expected=str(finding.outcome.expected),
        found=str(finding.outcome.found),
        query=" ".join(finding.outcome.query.split()),
        sentence=finding.sentence,
        description=" ".join(check.description.split()),
    )
