"""Asset checks: the checks of all rooms, for every partition and the themes of a run.

The rules belong in the `checks.py` of the rooms; `llma check` uses the same ones.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.defs.partitions import Partitions, team_day, teams
from llma_assets.defs.resources import ClickHouseResource
from llma_assets.discovery import decided_teams
from llma_assets.findings import Check, Finding
from llma_assets.reports import all_checks
from llma_assets.team_day import TeamDay

SHOWN_FINDINGS = 20

Targets = Callable[[Database, str], Sequence[TeamDay]]


def asset_checks(partitions: Partitions) -> list[dg.AssetChecksDefinition]:
    """All checks, each over the partitions of its asset."""
    of_asset: dict[str, tuple[dg.PartitionsDefinition, Targets]] = {
        "eligible_teams": (partitions.daily, lambda database, key: decided_teams(database, date.fromisoformat(key))),
        "tasks": (teams, lambda _database, key: [TeamDay(int(key), datetime.now(UTC).date())]),
    }
    default = (partitions.team_days, lambda _database, key: [team_day(key)])
    return [asset_check(check, *of_asset.get(check.asset, default)) for check in all_checks()]


def asset_check(check: Check, partitions_def: dg.PartitionsDefinition, targets: Targets) -> dg.AssetChecksDefinition:
    """A check as a Dagster asset check.

    Args:
        check: the rule.
        partitions_def: the partitions of the asset.
        targets: the teams and dates that a partition key stands for.
    """

    def run_check(context: dg.AssetCheckExecutionContext, clickhouse: ClickHouseResource) -> dg.AssetCheckResult:
        database = clickhouse.database().tagged(run=context.run.run_id, check=check.name)
        days = [day for key in context.partition_keys for day in targets(database, key)]
        findings = [finding for day in days for finding in check.findings(database, day)]
        return check_result(_of_this_run(context.run, check, findings), warns=check.warns)

    return dg.asset_check(
        asset=check.asset,
        name=check.name,
        description=check.description,
        blocking=check.blocking,
        partitions_def=partitions_def,
    )(run_check)


def _of_this_run(run: dg.DagsterRun, check: Check, findings: Sequence[Finding]) -> list[Finding]:
    """Only findings about themes of the run: a failure of another theme must not stop it."""
    given: Any = run.run_config
    config = given.get("ops", {}).get(check.asset, {}).get("config", {})
    themes = {"", *config.get("themes", ())}
    return [finding for finding in findings if len(themes) == 1 or finding.outcome.theme_id in themes]


def check_result(findings: Sequence[Finding], *, warns: bool = False) -> dg.AssetCheckResult:
    """The result of one check over all partitions of a run."""
    failed = [finding for finding in findings if not finding.passed]
    metadata: dict[str, Any] = {"checked": len(findings), "failed": len(failed)}
    for finding in (failed or findings)[:SHOWN_FINDINGS]:
        metadata[finding.subject] = dg.MetadataValue.json(
            {
                "expected": finding.outcome.expected,
                "found": finding.outcome.found,
                "query": " ".join(finding.outcome.query.split()),
            }
        )
    return dg.AssetCheckResult(
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description="; ".join(finding.sentence for finding in failed[:SHOWN_FINDINGS]) or None,
        metadata=metadata,
    )
