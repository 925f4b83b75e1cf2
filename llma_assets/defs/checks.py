"""Asset checks: the checks of all rooms, for every partition and the themes of a run.

The rules belong in the `checks.py` of the rooms; `llma check` uses the same ones.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
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
    """All checks, those of an asset as one step, over the partitions of the asset."""
    of_asset: dict[str, tuple[dg.PartitionsDefinition, Targets]] = {
        "eligible_teams": (partitions.daily, lambda database, key: decided_teams(database, date.fromisoformat(key))),
        "tasks": (teams, lambda _database, key: [TeamDay(int(key), datetime.now(UTC).date())]),
    }
    default = (partitions.team_days, lambda _database, key: [team_day(key)])
    return [
        checks_of_asset(list(checks), *of_asset.get(asset, default))
        for asset, checks in groupby(all_checks(), key=lambda check: check.asset)
    ]


def checks_of_asset(
    checks: Sequence[Check], partitions_def: dg.PartitionsDefinition, targets: Targets
) -> dg.AssetChecksDefinition:
    """The checks of one asset as one step of Dagster, in which each can be selected by itself.

    They read one state of the database: what several of them ask is asked once. If one cannot be evaluated, the others
    are, and then the step fails.

    Args:
        checks: the rules, all of one asset.
        partitions_def: the partitions of the asset.
        targets: the teams and dates that a partition key stands for.
    """
    asset = checks[0].asset

    def run_checks(
        context: dg.AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        database = clickhouse.database().tagged(run=context.run.run_id, checks=asset).remembering()
        days = [day for key in context.partition_keys for day in targets(database, key)]
        selected = {key.name for key in context.selected_asset_check_keys}
        failures: dict[str, str] = {}
        for check in checks:
            if check.name not in selected:
                continue
            try:
                findings = [finding for day in days for finding in check.findings(database, day)]
            # It concerns this check alone; `dg.Failure` below reports it after the others.
            except Exception as error:
                context.log.exception(f"{check.name} cannot be evaluated")
                failures[check.name] = f"{type(error).__name__}: {error}"
                continue
            yield check_result(check, of_themes(_themes_of(context.run, asset), findings))
        if failures:
            told = "; ".join(f"{name} ({why})" for name, why in failures.items())
            raise dg.Failure(f"{len(failures)} of {len(selected)} checks cannot be evaluated: {told}")

    return dg.multi_asset_check(
        name=f"{asset}_checks",
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=asset,
                description=check.description,
                blocking=check.blocking,
                partitions_def=partitions_def,
            )
            for check in checks
        ],
        can_subset=True,
    )(run_checks)


def _themes_of(run: dg.DagsterRun, asset: str) -> Sequence[str]:
    """The themes that a run's configuration names for an asset."""
    given: Any = run.run_config
    themes: Sequence[str] = given.get("ops", {}).get(asset, {}).get("config", {}).get("themes", ())
    return themes


def of_themes(theme_ids: Sequence[str], findings: Sequence[Finding]) -> list[Finding]:
    """Only findings about themes of the run, if it names any: a failure of another theme must not stop it."""
    themes = {"", *theme_ids}
    return [finding for finding in findings if len(themes) == 1 or finding.outcome.theme_id in themes]


def check_result(check: Check, findings: Sequence[Finding]) -> dg.AssetCheckResult:
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
        asset_key=check.asset,
        check_name=check.name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN if check.warns else dg.AssetCheckSeverity.ERROR,
        description="; ".join(finding.sentence for finding in failed[:SHOWN_FINDINGS]) or None,
        metadata=metadata,
    )
